import { expect, test } from 'vitest'
import { newcombe } from '../../../../lib/stats/intervals/proportions.ts'
import { ALL } from '../../data/cohort.ts'
import { noOutcomes, type WindowCounts } from '../../data/window-data.ts'
import { bothSides, mayShare, type SideData } from './both-sides.ts'

const RULES = { positiveClass: '1', binary: true }
const counts = (events: number, errors: number): WindowCounts => ({
  ...{ events, errors, duplicates: 0, numeric: new Map(), categories: new Map() },
})
const side = (events: number, errors: number, labelled?: number): SideData => ({
  counts: counts(events, errors),
  ms: 1000 * events,
  outcomes: labelled === undefined ? undefined : { ...noOutcomes(events), labelled },
  fault: undefined,
})
const metricOf = (a: SideData, b: SideData, metric: string, shared = false) =>
  bothSides(a, b, shared, RULES).find((one) => one.metric === metric)!

test('a share of either side has the interval of Newcombe on its difference', () => {
  const found = metricOf(side(1000, 10), side(500, 60), 'error_ratio')
  const expected = newcombe({ successes: 60, n: 500 }, { successes: 10, n: 1000 }, 0.95)
  expect(found).toMatchObject({ rests_on: 'interval', worse: 1, standing: 'worse' })
  expect(found.difference).toBeCloseTo(0.11, 12)
  expect(found.difference_low).toBeCloseTo(expected.low, 12)
  expect(found.difference_high).toBeCloseTo(expected.high, 12)
  expect(metricOf(side(1000, 10), side(1000, 12), 'error_ratio').standing).toBe('alike')
})

test('sides that may hold the same events have a difference without an interval, and say so', () => {
  const found = metricOf(side(1000, 10), side(500, 60), 'error_ratio', true)
  expect(found).toMatchObject({ difference_low: null, rests_on: 'nothing', standing: 'unknown' })
  expect(found.difference).toBeCloseTo(0.11, 12)
  expect(found.reason).toContain('the same events')
})

test('what one side lacks is unknown, with the side named; labels that say nothing are told of', () => {
  const found = metricOf(side(100, 0), side(100, 0, 80), 'label_coverage')
  expect(found).toMatchObject({ difference: null, reason: 'a has no such number' })
  expect(found.b).toMatchObject({ value: 0.8, n: 100 })
  const fault = { of: 'all' as const, reason: 'no label has the class of a prediction' }
  const faulty = metricOf({ ...side(100, 0, 90), fault }, side(100, 0, 90), 'labels')
  expect(faulty).toMatchObject({ standing: 'unknown', reason: fault.reason })
})

test('counts that leave a quantile open bound the difference for certain', () => {
  const latencies = (low: number, high: number): SideData => ({
    ...side(100, 0),
    counts: {
      ...counts(100, 0),
      numeric: new Map([
        [
          '@latency_ms',
          { lows: [low], highs: [high], counts: [100], totals: [100 * low], bins: [1] },
        ],
      ]),
    },
  })
  const found = metricOf(latencies(10, 11), latencies(20, 22), 'latency_p95_ms')
  expect(found).toMatchObject({ rests_on: 'bounds', standing: 'worse' })
  expect([found.difference_low, found.difference_high]).toEqual([9, 12])
})

test('spans that meet share events, but for versions, variants and values that tell them apart', () => {
  const where = (start: number, c: object = {}) => ({
    spans: [{ start, end: start + 10 }],
    c: { ...ALL, ...c },
    countedAs: 'm',
  })
  expect(mayShare(where(0), where(10))).toBe(false)
  expect(mayShare(where(0), where(9))).toBe(true)
  expect(mayShare(where(0, { modelVersion: '7' }), where(0))).toBe(true)
  expect(mayShare(where(0, { modelVersion: '7' }), where(0, { modelVersion: '8' }))).toBe(false)
  const of = (key: string, value: string) => where(0, { slice: { key, value } })
  expect(mayShare(of('region', 'north'), of('region', 'south'))).toBe(false)
  expect(mayShare(of('region', 'north'), of('channel', 'web'))).toBe(true)
  expect(mayShare(where(0), { ...where(0), countedAs: 'm\nreference\nspring\n1' })).toBe(false)
})

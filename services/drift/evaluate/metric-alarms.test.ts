/** Metrics of one question share a test; evidence of several windows is told in words. */
import { expect, test } from 'vitest'
import type { ReferenceData } from '../data/reference.ts'
import { metricResult, type MetricResult } from '../data/metric-results.ts'
import { levelKey, type PastLevel } from '../data/past-metrics.ts'
import { withLevelVerdicts } from './metric-alarms.ts'

const DAY = 86_400_000
const SIZE = 320
const ALPHA = 0.25 / 7
const names = ['accuracy', 'f1', 'brier', 'log_loss'] as const

/** Values of the metrics where accuracy is `accuracy`; standard errors of 320 cases. */
const valuesOf = (accuracy: number) => ({
  accuracy,
  f1: accuracy,
  brier: 0.9 * (1 - accuracy),
  log_loss: 2.4 * (1 - accuracy),
})
const ERRORS = { accuracy: 0.0232, f1: 0.026, brier: 0.012, log_loss: 0.035 }

const resultsOf = (accuracy: number, chosen: readonly (typeof names)[number][]): MetricResult[] =>
  chosen.map((metric) => {
    const value = valuesOf(accuracy)[metric]
    return metricResult('performance', '', metric, value, {
      ci_low: value - 1.959964 * ERRORS[metric],
      ci_high: value + 1.959964 * ERRORS[metric],
      ci_level: 0.95,
      n_current: SIZE,
      n_labelled: SIZE,
      verdict: 'ok',
    })
  })

const pastOf = (accuracies: readonly number[], from: number, chosen = names) =>
  new Map(
    chosen.map((metric) => [
      levelKey({ family: 'performance', metric, subject: '' }),
      accuracies.map((accuracy, i): PastLevel => ({
        start: (from + i) * DAY,
        end: (from + i + 1) * DAY,
        value: valuesOf(accuracy)[metric],
        size: SIZE,
        standardError: ERRORS[metric],
        alarmed: false,
      })),
    ]),
  )

const USUAL = [0.79, 0.77, 0.8, 0.76, 0.78, 0.775, 0.795, 0.77]
const baseline = {
  name: 'training',
  baseline: true,
  spans: [{ start: 0, end: 8 * DAY }],
  windows: { season: undefined, phaseOf: () => 0 },
} as unknown as ReferenceData

function evaluated(
  since: readonly number[],
  chosen: readonly (typeof names)[number][] = names,
): MetricResult[] {
  const start = (8 + since.length - 1) * DAY
  return withLevelVerdicts(
    resultsOf(since.at(-1)!, chosen),
    'performance',
    baseline,
    { reference: pastOf(USUAL, 0), since: pastOf(since.slice(0, -1), 8) },
    {
      window: { start, end: start + DAY },
      windowAlpha: ALPHA,
      cohorts: 1,
      looks: 1,
      minCount: 30,
    },
  )
}

const accuracyOf = (results: readonly MetricResult[]) =>
  results.find(({ metric }) => metric === 'accuracy')!

/** 0.78 falls to 0.71, as windows of 320 cases show it. */
const FALLEN = [0.732, 0.735, 0.709, 0.728, 0.697, 0.703, 0.722, 0.694]

test('a fall that no window shows alone alarms, and the reason says over how many windows', () => {
  const found = FALLEN.map((_, t) => accuracyOf(evaluated(FALLEN.slice(0, t + 1))))
  const first = found.findIndex(({ verdict }) => verdict === 'alarm')
  expect(first).toBeGreaterThanOrEqual(1)
  expect(first).toBeLessThan(4)
  expect(found[0]!.verdict).not.toBe('alarm')
  expect(found.at(-1)!.verdict).toBe('alarm')
  expect(found.at(-1)!.reason).toMatch(
    /^accuracy is 0\.7\d+ \[0\.\d+, 0\.\d+\] over the last \d windows where the baseline's was 0\.780/,
  )
})

test('metrics that say the same cost each other nothing', () => {
  const alone = accuracyOf(evaluated(FALLEN, ['accuracy']))
  const together = accuracyOf(evaluated(FALLEN))
  expect(alone.p_adjusted).toBe(alone.p_value)
  // At most twice as much as alone, where four tests of their own would have cost four times.
  expect(together.p_adjusted! / alone.p_adjusted!).toBeLessThanOrEqual(2)
})

test('a metric alarms with its question, and not by itself alone', () => {
  const results = resultsOf(0.78, names).map((result) =>
    result.metric === 'accuracy' ? resultsOf(0.6, ['accuracy'])[0]! : result,
  )
  const start = 8 * DAY
  const found = withLevelVerdicts(
    results,
    'performance',
    baseline,
    { reference: pastOf(USUAL, 0), since: new Map() },
    { window: { start, end: start + DAY }, windowAlpha: ALPHA, cohorts: 1, looks: 1, minCount: 30 },
  )
  expect(found.map(({ metric, verdict }) => `${metric} ${verdict}`)).toEqual([
    'accuracy alarm',
    'f1 ok',
    'brier ok',
    'log_loss ok',
  ])
  for (const { p_value, p_adjusted } of found) expect(p_adjusted).toBeGreaterThanOrEqual(p_value!)
})

test('what is as usual, or better, is calm', () => {
  for (const since of [USUAL, [0.85, 0.86, 0.87]])
    for (const { verdict } of evaluated(since)) expect(verdict).toBe('ok')
})

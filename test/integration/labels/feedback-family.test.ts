/**
 * Labels with a name of their own are metrics of their windows: means and rates, of all cohorts,
 * weighted where they were drawn.
 */
import { beforeAll, expect, test } from 'vitest'
import { createMetrics } from '../../../lib/runtime/metrics.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 1)
const [DAYS, PER_DAY] = [13, 240]
/** The reference is the first ten; the last is the one that has changed. */
const LAST = DAYS - 1
const model = parseModel(`
model_id: answers
task: multiclass
windows: { size: 1d, lateness: 1h, min_count: 50 }
labels: { horizon: 1h }
slices: [country]
references:
  usual: { kind: fixed, from: 2026-01-01T00:00:00Z, to: 2026-01-11T00:00:00Z, baseline: true }
alarms:
  overrides:
    feedback/mean/groundedness: { alarm: "< 0.8" }
`)
const uniform = uniforms(18)
const metrics = createMetrics()
let on: Pipeline
let at = 0

const label = (id: string, name: string, given: string | number, more: object = {}) => ({
  label_id: `${id}-${name}`,
  model_id: 'answers',
  prediction_id: id,
  name,
  label: given,
  labelled_at: new Date(START + 20 * DAY).toISOString(),
  source: 'user_feedback',
  ...more,
})

const CASES = Array.from({ length: DAYS * PER_DAY }, (_, i) => {
  const day = Math.floor(i / PER_DAY)
  const isBad = uniform() < (day === LAST ? 0.8 : 0.2)
  const pi = isBad ? 0.9 : 0.3
  return {
    ...{ id: `a-${i}`, day, isBad, pi },
    version: i % 2 === 0 ? '1' : '2',
    country: i % 3 === 0 ? 'DE' : 'FR',
    stars: Math.min(5, 1 + Math.floor(uniform() * (day === LAST ? 3 : 5))),
    groundedness: day === LAST ? 0.7 + uniform() / 10 : 0.85 + uniform() / 10,
    isDrawn: uniform() < pi,
  }
})
type Case = (typeof CASES)[number]

beforeAll(async () => {
  on = await pipeline()
  await on.predictions(
    CASES.map(({ id, day, version, country }, i) => ({
      prediction_id: id,
      model_id: 'answers',
      model_version: version,
      predicted_at: new Date(START + day * DAY + (i % PER_DAY) * 1000).toISOString(),
      prediction: 'text',
      attributes: { country },
    })),
  )
  await on.labels(
    CASES.flatMap(({ id, isBad, stars, groundedness, isDrawn, pi }) => [
      label(id, 'thumbs', isBad ? 'down' : 'up'),
      label(id, 'stars', stars),
      label(id, 'groundedness', groundedness, { source: 'judge', labeler: 'judge-1' }),
      ...(isDrawn
        ? [label(id, 'harmful', isBad ? 'yes' : 'no', { inclusion_probability: pi })]
        : []),
    ]),
  )
  // One name has words among its numbers, and 60 more have a label each.
  const own = CASES.filter(({ day }) => day === 11)
  await on.labels([
    ...own.map(({ id, stars }, i) => label(id, 'mixed', i < 5 ? 'n/a' : stars)),
    ...own.slice(0, 60).map(({ id }, i) => label(id, `rare-${i}`, 1)),
  ])
  await evaluate(metrics)
})

const evaluate = (own = createMetrics()) => {
  const now = START + (100 + at++) * DAY
  return evaluateOn(on.connect('drift'), { now: () => now, metrics: own })(model)
}

interface Row {
  subject: string
  metric: string
  method: string
  value: number
  ci_low: number
  ci_high: number
  baseline_value: number | null
  n_current: string
  n_labelled: string
  n_effective: number | null
  completeness: number
  verdict: string
  reason: string
  p_adjusted: number | null
}
const ALL = { version: '', slice: '' }
async function results(day: number, cohort: { version: string; slice: string } = ALL) {
  const rows = await on.db.query<Row>(
    `SELECT * FROM window_metrics_latest WHERE model_id = 'answers' AND family = 'feedback' AND window_start = toDateTime64({at:Float64} / 1000, 3, 'UTC')
       AND model_version = {version:String} AND slice_value = {slice:String} AND variant = '' AND isNotNull(value)`,
    { at: START + day * DAY, ...cohort },
  )
  return new Map(rows.map((row) => [`${row.metric}/${row.subject}`, row]))
}
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
const of = (day: number, where: (own: Case) => boolean = () => true) =>
  CASES.filter((own) => own.day === day && where(own))

test('numbers have a mean, classes a rate each, and each name its coverage', async () => {
  const found = await results(10)
  const stars = of(10).map((own) => own.stars)
  expect(found.get('mean/stars')).toMatchObject({
    value: expect.closeTo(mean(stars), 9),
    n_current: String(PER_DAY),
    n_labelled: String(PER_DAY),
    completeness: 1,
    method: 'observed',
    n_effective: null,
  })
  const deviation = Math.sqrt(
    stars.reduce((sum, x) => sum + (x - mean(stars)) ** 2, 0) / (stars.length - 1),
  )
  const half = (1.959963984540054 * deviation) / Math.sqrt(PER_DAY)
  expect(found.get('mean/stars')!.ci_high).toBeCloseTo(mean(stars) + half, 9)
  expect(found.get('rate/thumbs=down')!.value).toBeCloseTo(
    mean(of(10).map(({ isBad }) => Number(isBad))),
    9,
  )
  expect(found.get('label_coverage/harmful')!.value).toBeCloseTo(
    mean(of(10).map(({ isDrawn }) => Number(isDrawn))),
    9,
  )
})

test('labels that were drawn are weighted, and say so', async () => {
  const harmful = (await results(10)).get('rate/harmful=yes')!
  const drawn = of(10).filter(({ isDrawn }) => isDrawn)
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
  const weights = drawn.map(({ pi }) => 1 / pi)
  const weighted = sum(drawn.map(({ isBad, pi }) => (isBad ? 1 / pi : 0))) / sum(weights)
  expect(harmful).toMatchObject({ method: 'weighted', value: expect.closeTo(weighted, 9) })
  expect(harmful.n_effective).toBeCloseTo(sum(weights) ** 2 / sum(weights.map((w) => w * w)), 6)
  const truth = mean(of(10).map(({ isBad }) => Number(isBad)))
  expect([harmful.ci_low < truth, harmful.ci_high > truth]).toEqual([true, true])
  // Each label once says twice as much.
  expect(mean(drawn.map(({ isBad }) => Number(isBad))) - truth).toBeGreaterThan(0.15)
})

test('versions and slices have their own', async () => {
  const second = await results(10, { version: '2', slice: '' })
  const german = await results(10, { version: '', slice: 'DE' })
  const starsOf = (where: (own: Case) => boolean) => mean(of(10, where).map(({ stars }) => stars))
  expect(second.get('mean/stars')!.value).toBeCloseTo(
    starsOf(({ version }) => version === '2'),
    9,
  )
  expect(german.get('mean/stars')!.value).toBeCloseTo(
    starsOf(({ country }) => country === 'DE'),
    9,
  )
})

test('a change alarms on the budget, a line at once, and a calm window does neither', async () => {
  const [calm, changed] = [await results(10), await results(LAST)]
  const verdicts = (found: Map<string, Row>, ...keys: string[]) =>
    keys.map((key) => [key, found.get(key)!.verdict])
  const keys = ['mean/stars', 'rate/thumbs=down', 'mean/groundedness']
  expect(verdicts(calm, ...keys)).toEqual(keys.map((key) => [key, 'ok']))
  expect(verdicts(changed, ...keys)).toEqual(keys.map((key) => [key, 'alarm']))
  expect(changed.get('mean/groundedness')!.reason).toContain("crosses the model file's line < 0.8")
  const stars = changed.get('mean/stars')!
  expect(stars.p_adjusted).toBeLessThan(0.0025)
  const before = CASES.filter(({ day }) => day < 10).map((own) => own.stars)
  expect(stars.baseline_value).toBeCloseTo(mean(before), 9)
  const active = await on.db.query<{ subject: string }>(
    `SELECT subject FROM active_alarms WHERE model_id = 'answers' AND family = 'feedback' AND model_version = '' AND slice_key = '' AND severity = 'alarm' ORDER BY subject`,
  )
  expect(active.map(({ subject }) => subject)).toEqual(
    expect.arrayContaining(['groundedness', 'stars', 'thumbs=down']),
  )
})

test('words among numbers are left out and told; the names beyond 50 are counted', async () => {
  const found = await results(11)
  expect(found.get('mean/mixed')).toMatchObject({
    n_labelled: String(PER_DAY - 5),
    reason: expect.stringContaining(`5 of ${PER_DAY} labels are no numbers and left out`),
  })
  expect(found.get('names_evaluated/')).toMatchObject({
    value: 50,
    reason: 'the window has 65 names of labels; those with the most labels are evaluated',
  })
  expect(found.get('mean/rare-0')).toMatchObject({
    verdict: 'incomplete',
    reason: 'fewer labels than min_count 50',
  })
})

test('Prometheus shows them', async () => {
  const text = await metrics.registry.metrics()
  expect(text).toMatch(
    /plumbline_verdict\{model_id="answers",model_version="",variant="",family="feedback",subject="stars",metric="mean",slice="",[^}]*\} 2/,
  )
})

test('a correction restates its window; a retraction of all takes the number away', async () => {
  const later = { labelled_at: new Date(START + 21 * DAY).toISOString() }
  await on.labels(
    of(10).flatMap(({ id }) => [
      { ...label(id, 'stars', 5, later), label_id: `${id}-again` },
      {
        ...label(id, 'groundedness', 0.5),
        ...later,
        label_id: `${id}-back`,
        source: 'judge',
        labeler: 'judge-1',
        retracted: true,
      },
    ]),
  )
  await evaluate()
  const found = await results(10)
  expect(found.get('mean/stars')!.value).toBe(5)
  expect(found.has('mean/groundedness')).toBe(false)
})

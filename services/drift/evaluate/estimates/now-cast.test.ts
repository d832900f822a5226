import fc from 'fast-check'
import { expect, test } from 'vitest'
import { uniforms } from '../../../../lib/stats/distributions/random.ts'
import { wilson } from '../../../../lib/stats/intervals/proportions.ts'
import type { EarlyAndFinal, Measured } from '../../data/past-metrics.ts'
import { metricResult, type MetricResult } from '../../data/metric-results.ts'
import { evaluateNowCasts } from './now-cast.ts'

const measured = (value: number, labelled: number, share: number): Measured => ({
  value,
  n: labelled,
  labelled,
  share,
})
const earlier = (
  count: number,
  of: (i: number) => { early: Measured; final: Measured },
): EarlyAndFinal[] =>
  Array.from({ length: count }, (_, i) => {
    const { early, final } = of(i)
    return { start: i, end: i + 1, early: [early], final }
  })
/** Results of a window of 1 000 predictions, of which so many are labelled. */
function seen(metric: string, value: number, labelled: number): MetricResult[] {
  const counts = { n_labelled: labelled, label_maturity: 0 }
  const { low, high } = wilson(Math.min(labelled, value * labelled), labelled, 0.95)
  return [
    metricResult('performance', '', 'label_coverage', labelled / 1000, {
      ...counts,
      n_current: 1000,
    }),
    metricResult('performance', '', metric, value, {
      ...counts,
      n_current: labelled,
      ci_low: low,
      ci_high: high,
      ci_level: 0.95,
    }),
  ]
}
const nowCastOf = (
  windows: readonly EarlyAndFinal[],
  { metric = 'accuracy', value = 0.9, labelled = 400, absentMeans = 'unknown' } = {},
) =>
  evaluateNowCasts(
    labelled > 0
      ? seen(metric, value, labelled)
      : seen(metric, value, 1)
          .slice(0, 1)
          .map((one) => ({ ...one, value: 0, n_labelled: 0 })),
    new Map([[metric, windows]]),
    absentMeans,
  )
/** Eight windows of which two in five labels are early, and the others say 0.04 or 0.06 less. */
const falling = earlier(8, (i) => ({
  early: measured(0.9, 400, 0.4),
  final: measured(i % 2 === 0 ? 0.86 : 0.84, 900, 0.9),
}))

test('the golden case: the mean move, and Student’s interval of one more', () => {
  const [found, ...others] = nowCastOf(falling, { value: 0.8 })
  expect(others).toEqual([])
  expect(found).toMatchObject({
    metric: 'nowcast_accuracy',
    method: 'nowcast',
    verdict: 'none',
    n_current: 1000,
    n_labelled: 400,
    n_reference: 7200,
    ci_level: 0.95,
    reason:
      '400 of about 900 labels are in; as in 8 earlier windows of this age, those still to come move it by −0.084',
  })
  const odds = (share: number) => Math.log(share / (1 - share))
  const moves = [0.86, 0.84].map((share) => odds(share) - odds(0.9))
  const [mean, deviation] = [(moves[0]! + moves[1]!) / 2, (moves[0]! - moves[1]!) / 2]
  const share = (x: number) => 1 / (1 + Math.exp(-x))
  expect(found!.value).toBeCloseTo(share(odds(0.8) + mean), 12)
  expect(found!.completeness).toBeCloseTo(4 / 9, 12)
  // Sampling of the missing labels is wider than what those windows differ by; t of 7 degrees of
  // freedom is 2.364624.
  const { low, high } = wilson(320, 400, 0.95)
  const standardError = (high - low) / (2 * 1.959963984540054) / (0.8 * 0.2)
  const half = 2.364624251592784 * Math.sqrt(standardError ** 2 * (5 / 9) + deviation ** 2 / 7)
  expect(found!.ci_low).toBeCloseTo(share(odds(0.8) + mean - half), 9)
  expect(found!.ci_high).toBeCloseTo(share(odds(0.8) + mean + half), 9)
})

test('an error is multiplied, as it was in earlier windows', () => {
  const windows = earlier(10, () => ({
    early: measured(2, 400, 0.4),
    final: measured(3, 1000, 1),
  }))
  const [found] = nowCastOf(windows, { metric: 'mae', value: 4 })
  expect(found!.value).toBeCloseTo(6, 9)
  expect(found!.reason).toContain('move it by +50 %')
  expect(found!.ci_low).toBeGreaterThan(0)
})

test.each([
  [
    'too few windows',
    falling.slice(1),
    {},
    '7 earlier windows were measured at this age and with all labels, below 8',
  ],
  ['no label', falling, { labelled: 0 }, 'no label is in yet'],
  ['few labels', falling, { labelled: 29 }, '29 cases with a label are in, below 30'],
  [
    'labels that come otherwise',
    falling,
    { labelled: 150 },
    "15.0 % of the predictions are labelled, 40.0 % to 40.0 % of earlier windows' at this age: 0 of them are like it, below 8",
  ],
  [
    'implied labels',
    falling,
    { absentMeans: '0' },
    'a missing label means 0 once the label horizon has passed: until then the labels that are in are a choice',
  ],
])('no number, and why: %s', (_, windows, more, reason) => {
  expect(nowCastOf(windows, more)).toMatchObject([
    { metric: 'nowcast_accuracy', value: null, verdict: 'incomplete', reason },
  ])
})

test('nothing at all without labels anywhere, and one reason is said once', () => {
  expect(nowCastOf([], { labelled: 0 })).toEqual([])
  const performance = [...seen('accuracy', 0.9, 400), ...seen('f1', 0.8, 400).slice(1)]
  expect(evaluateNowCasts(performance, new Map(), 'unknown')).toHaveLength(1)
})

test('of revisions at one look the one with the most similar share of labels counts', () => {
  const restated = falling.map((window) => ({
    ...window,
    early: [...window.early, measured(0.99, 800, 0.8)],
  }))
  expect(nowCastOf(restated)).toEqual(nowCastOf(falling))
})

test('for any past the value lies in its interval, and both in [0, 1]', () => {
  const share = fc.double({ min: 0.05, max: 1, noNaN: true })
  fc.assert(
    fc.property(
      fc.array(fc.tuple(share, share), { minLength: 8, maxLength: 30 }),
      share,
      fc.integer({ min: 380, max: 420 }),
      (past, value, labelled) => {
        const windows = earlier(past.length, (i) => ({
          early: measured(past[i]![0], 400, 0.4),
          final: measured(past[i]![1], 900, 0.9),
        }))
        const [found] = nowCastOf(windows, { value, labelled })
        expect(found!.ci_low).toBeGreaterThanOrEqual(0)
        expect(found!.ci_low).toBeLessThanOrEqual(found!.value!)
        expect(found!.value).toBeLessThanOrEqual(found!.ci_high!)
        expect(found!.ci_high).toBeLessThanOrEqual(1)
      },
    ),
    { numRuns: 100 },
  )
})

test('simulated: late mistakes, accuracy that wanders and falls; the interval holds what is read', () => {
  const uniform = uniforms(11)
  /** One window of 500 predictions: mistakes are labelled early half as often as other cases. */
  const window = (accuracy: number) => {
    let [right, early, earlyRight] = [0, 0, 0]
    for (let i = 0; i < 500; i++) {
      const isRight = uniform() < accuracy
      const isEarly = uniform() < (isRight ? 0.6 : 0.3)
      if (isRight) right++
      if (isEarly) early++
      if (isRight && isEarly) earlyRight++
    }
    return {
      early: measured(earlyRight / early, early, early / 500),
      final: measured(right / 500, 500, 1),
    }
  }
  const wandering = (mean: number) => mean + 0.06 * (uniform() - 0.5)
  for (const fall of [0, 0.07]) {
    let [inside, naive, bias] = [0, 0, 0]
    const runs = 400
    for (let run = 0; run < runs; run++) {
      const windows = earlier(12, () => window(wandering(0.85)))
      const truth = window(wandering(0.85) - fall)
      const { value, labelled } = truth.early
      const { low, high } = wilson(value * labelled, labelled, 0.95)
      const [found] = evaluateNowCasts(
        [
          metricResult('performance', '', 'label_coverage', labelled / 500, {
            n_current: 500,
            n_labelled: labelled,
          }),
          metricResult('performance', '', 'accuracy', value, {
            n_current: labelled,
            n_labelled: labelled,
            ci_low: low,
            ci_high: high,
            ci_level: 0.95,
          }),
        ],
        new Map([['accuracy', windows]]),
        'unknown',
      )
      bias += (found!.value! - truth.final.value) / runs
      if (truth.final.value >= found!.ci_low! && truth.final.value <= found!.ci_high!) inside++
      if (truth.final.value >= low && truth.final.value <= high) naive++
    }
    expect(inside / runs).toBeGreaterThan(0.92)
    expect(Math.abs(bias)).toBeLessThan(0.005)
    // The interval of the first labels alone holds it seldom.
    expect(naive / runs).toBeLessThan(0.5)
  }
})

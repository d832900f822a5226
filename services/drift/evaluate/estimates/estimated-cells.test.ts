/** Estimates of what the confusion matrix gives, beside what comes true. */
import { expect, test } from 'vitest'
import { uniforms } from '../../../../lib/stats/distributions/random.ts'
import type { ScoreBin } from '../../../../lib/stats/estimators/calibration.ts'
import type { ScoreCounts } from '../../data/reference.ts'
import { evaluateEstimates } from './estimated-performance.ts'

const random = uniforms(8)
const worth = { tp: 5, fp: -2, fn: -10, tn: 0 }

/** Scores whose truth comes as they say to the power of 1.5. */
function draw(n: number): ScoreBin[] {
  const bins = new Map<number, ScoreBin>()
  for (let i = 0; i < n; i++) {
    const score = random()
    const bin = Math.floor(score * 100)
    const own = bins.get(bin) ?? { bin, asPositive: bin >= 50, n: 0, positives: 0, scores: 0 }
    own.n++
    own.positives += random() < score ** 1.5 ? 1 : 0
    own.scores += score
    bins.set(bin, own)
  }
  return [...bins.values()]
}

const countsOf = (bins: ScoreBin[], labelled = bins): ScoreCounts => ({
  predicted: bins,
  labelled,
  improbable: 0,
})

function truthOf(bins: readonly ScoreBin[]) {
  const sum = (of: (bin: ScoreBin) => number) => bins.reduce((total, bin) => total + of(bin), 0)
  const tp = sum((bin) => (bin.asPositive ? bin.positives : 0))
  const fp = sum((bin) => (bin.asPositive ? bin.n - bin.positives : 0))
  const fn = sum((bin) => (bin.asPositive ? 0 : bin.positives))
  const tn = sum((bin) => (bin.asPositive ? 0 : bin.n - bin.positives))
  return {
    estimated_precision: tp / (tp + fp),
    estimated_recall: tp / (tp + fn),
    estimated_f1: (2 * tp) / (2 * tp + fp + fn),
    estimated_business_value:
      (tp * worth.tp + fp * worth.fp + fn * worth.fn + tn * worth.tn) / (tp + fp + fn + tn),
  }
}

test('the intervals of precision, recall, F1 and business value hold what comes true as often as they say', () => {
  const reference = countsOf(draw(50_000))
  const held = new Map<string, number>()
  const windows = 200
  for (let w = 0; w < windows; w++) {
    const current = draw(1000)
    const results = evaluateEstimates(countsOf(current, []), reference, 'first', [], worth)
    for (const [metric, truth] of Object.entries(truthOf(current))) {
      const { ci_low, ci_high, method } = results.find((one) => one.metric === metric)!
      expect(method).toBe('cbpe')
      if (ci_low! <= truth && truth <= ci_high!) held.set(metric, (held.get(metric) ?? 0) + 1)
    }
  }
  expect([...held.keys()].toSorted()).toEqual(Object.keys(truthOf(draw(10))).toSorted())
  for (const count of held.values()) {
    expect(count / windows).toBeGreaterThan(0.9)
    expect(count / windows).toBeLessThan(0.995)
  }
})

test('past errors widen the intervals; without a worth there is no business value', () => {
  const reference = countsOf(draw(5000))
  const current = countsOf(draw(1000), [])
  const width = (past: readonly number[]) => {
    const found = evaluateEstimates(current, reference, 'first', past).find(
      ({ metric }) => metric === 'estimated_recall',
    )!
    return found.ci_high! - found.ci_low!
  }
  expect(width([0.05, -0.05])).toBeGreaterThan(1.5 * width([]))
  const metrics = evaluateEstimates(current, reference, 'first', []).map(({ metric }) => metric)
  expect(metrics).not.toContain('estimated_business_value')
})

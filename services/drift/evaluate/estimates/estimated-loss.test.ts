/** Errors that depend on the inputs, estimated where inputs have moved and truth is missing. */
import type { ScoredRow } from '../../data/reference.ts'
import { expect, test } from 'vitest'
import { normals } from '../../../../bench/streams.ts'
import { uniforms } from '../../../../lib/stats/distributions/random.ts'
import { evaluateLosses, lossModel } from './estimated-loss.ts'

const uniform = uniforms(4)
const normal = normals(uniform)

/** Far from the middle, and of kind `b`, the model errs more. */
function scoredRows(
  count: number,
  center: number,
  isLabelled: boolean,
): (ScoredRow & { true: number })[] {
  return Array.from({ length: count }, () => {
    const x = center + normal()
    const kind = uniform() < 0.3 ? 'b' : 'a'
    const loss = Math.abs(normal()) * (0.5 + Math.abs(x) + (kind === 'b' ? 2 : 0))
    return {
      features: { x, kind, noise: normal() },
      prediction: 3 * x,
      loss: isLabelled ? loss : null,
      true: loss,
    }
  })
}
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
const learned = lossModel(scoredRows(2000, 0, true))!
const estimate = (current: readonly ScoredRow[], past: readonly number[] = []) => {
  const [first] = evaluateLosses(current, learned, 'training', past)
  return first!
}

test('inputs have moved to where the model errs more: the estimate says so before any truth has come', () => {
  const same = scoredRows(1500, 0, false)
  const moved = scoredRows(1500, 1.5, false)
  const [before, after] = [same, moved].map((all) => mean(all.map((scored) => scored.true)))
  expect(after! - before!).toBeGreaterThan(0.5)
  expect(Math.abs(estimate(same).value! - before!)).toBeLessThan(0.1)
  expect(Math.abs(estimate(moved).value! - after!)).toBeLessThan(0.25)
  expect(estimate(moved)).toMatchObject({ method: 'dle', metric: 'estimated_mae', verdict: 'none' })
})

test('the interval holds what comes true in about as many windows as it says, and widens by past errors', () => {
  let held = 0
  const windows = 100
  for (let i = 0; i < windows; i++) {
    const current = scoredRows(300, 0, false)
    const { ci_low, ci_high } = estimate(current)
    const truth = mean(current.map((scored) => scored.true))
    if (truth >= ci_low! && truth <= ci_high!) held++
  }
  expect(held / windows).toBeGreaterThan(0.85)
  const current = scoredRows(300, 0, false)
  const width = (past: readonly number[]) => {
    const { ci_low, ci_high } = estimate(current, past)
    return ci_high! - ci_low!
  }
  expect(width([0.5, -0.5])).toBeGreaterThan(1.5 * width([]))
})

test('the root of the mean squared error is estimated likewise', () => {
  const rootOf = (current: readonly ScoredRow[]) =>
    evaluateLosses(current, learned, 'training', []).find(
      ({ metric }) => metric === 'estimated_rmse',
    )!
  for (const shift of [0, 1.5]) {
    const current = scoredRows(1500, shift, false)
    const truth = Math.sqrt(mean(current.map((scored) => scored.true ** 2)))
    expect(Math.abs(rootOf(current).value! - truth) / truth).toBeLessThan(0.15)
    expect(rootOf(current).ci_low!).toBeLessThan(truth * 1.02)
  }
})

test('where truth has come, the error of the estimate stands beside it; of too little nothing is learned', () => {
  const results = evaluateLosses(scoredRows(500, 0, true), learned, 'training', [])
  const error = results.find(({ metric }) => metric === 'estimate_error')!
  expect(error.n_labelled).toBe(500)
  expect(Math.abs(error.value!)).toBeLessThan(0.25)
  expect(evaluateLosses([], learned, 'training', [])).toEqual([])
  expect(lossModel(scoredRows(99, 0, true))).toBeUndefined()
  expect(lossModel(scoredRows(500, 0, false))).toBeUndefined()
})

/** Isolation forests beside scikit-learn's. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { sampleRankCorrelation } from 'simple-statistics'
import { uniforms } from '../../lib/stats/distributions/random.ts'
import { averagePath, growIsolation } from '../../lib/stats/estimators/isolation-forest.ts'

interface Golden {
  known: number[][]
  asked: number[][]
  scores: number[]
  paths: Record<string, number>
}
const golden = JSON.parse(
  readFileSync(new URL('isolation-forest.json', import.meta.url), 'utf8'),
) as Golden
const rowsOf = (rows: number[][]) => rows.map((row) => Float64Array.from(row))

test.each([1, 2, 3])('seed %i orders rows as scikit-learn does, by scores as large', (seed) => {
  const forest = growIsolation(rowsOf(golden.known), {
    trees: 100,
    sample: 256,
    uniform: uniforms(seed),
  })
  const own = rowsOf(golden.asked).map(forest.of)
  expect(sampleRankCorrelation(own, golden.scores)).toBeGreaterThan(0.9)
  const isWithin = (row: number[]) =>
    row.every((x, column) => {
      const known = golden.known.map((one) => one[column]!)
      return x >= Math.min(...known) && x <= Math.max(...known)
    })
  const within = golden.asked.flatMap((row, i) => (isWithin(row) ? [i] : []))
  expect(within.length).toBeGreaterThan(150)
  const of = (scores: readonly number[]) => within.map((i) => scores[i]!)
  expect(sampleRankCorrelation(of(own), of(golden.scores))).toBeGreaterThan(0.97)
  for (const i of within) expect(Math.abs(own[i]! - golden.scores[i]!)).toBeLessThan(0.05)
  // The last ten are odd by construction, and scikit-learn's ten most unusual are not all of them.
  const worst = (scores: readonly number[]) =>
    [...scores.keys()].toSorted((x, y) => scores[y]! - scores[x]!).slice(0, 10)
  expect(worst(own).filter((i) => i >= 190).length).toBeGreaterThanOrEqual(
    worst(golden.scores).filter((i) => i >= 190).length,
  )
})

test('what lies beyond all rows is more unusual the farther it lies', () => {
  const forest = growIsolation(rowsOf(golden.known), {
    trees: 100,
    sample: 256,
    uniform: uniforms(1),
  })
  const scores = [4, 6, 20, 1e6, 1e300].map((x) => forest.of(Float64Array.of(x, 5, 1)))
  expect(scores).toEqual(scores.toSorted((x, y) => x - y))
  expect(scores.at(-1)!).toBeGreaterThan(scores[0]! + 0.1)
})

test('the mean path of a tree', () => {
  for (const [n, path] of Object.entries(golden.paths))
    expect(averagePath(Number(n))).toBeCloseTo(path, 10)
})

test('constant, missing and huge columns', () => {
  const rows = Array.from({ length: 100 }, (_, i) =>
    Float64Array.of(1, i % 10 === 0 ? NaN : i, (i - 50) * 2e306, NaN),
  )
  const forest = growIsolation(rows, { trees: 20, sample: 64, uniform: uniforms(1) })
  for (const row of rows) {
    expect(forest.of(row)).toBeGreaterThan(0)
    expect(forest.of(row)).toBeLessThan(1)
  }
  const same = growIsolation(
    rows.map(() => Float64Array.of(2)),
    { trees: 5, sample: 64, uniform: uniforms(1) },
  )
  expect(same.of(Float64Array.of(2))).toBeCloseTo(0.5, 10)
})

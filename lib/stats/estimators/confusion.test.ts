import { expect, test } from 'vitest'
import { averageOfClasses, cellsAt, confusionOf, precisionRecall } from './confusion.ts'
import { countsStandardError } from '../intervals/delta-method.ts'
import { uniforms } from '../distributions/random.ts'

/** Cells of `classes` classes: mostly right, some classes never predicted. */
function cells(classes: number, seed: number) {
  const next = uniforms(seed)
  return Array.from({ length: classes ** 2 }, (_, i) => {
    const [truth, predicted] = [Math.floor(i / classes), i % classes]
    const n = predicted === 1 ? 0 : Math.floor(next() * (truth === predicted ? 400 : 30))
    return { label: `c${truth}`, predicted: `c${predicted}`, n }
  }).filter(({ n }) => n > 0)
}

/** The average by its definition, over all cells. */
const averageBy = (
  which: 'precision' | 'recall' | 'f1',
  weighted: boolean,
  named: { label: string; predicted: string }[],
) => {
  return (counts: readonly number[]) => {
    const matrix = confusionOf(named.map((cell, i) => ({ ...cell, n: counts[i]! })))
    return matrix.classes.reduce((sum, _, c) => {
      const share = weighted ? matrix.truly[c]! / matrix.n : 1 / matrix.classes.length
      return sum + share * (precisionRecall(cellsAt(matrix, c))[which] ?? 0)
    }, 0)
  }
}

test.each(['precision', 'recall', 'f1'] as const)(
  'averages of %s, even and weighted: value and error are those of the definition and its numeric derivatives',
  (which) => {
    for (const weighted of [false, true]) {
      for (const [classes, seed] of [
        [2, 1],
        [3, 2],
        [7, 3],
      ] as const) {
        const named = cells(classes, seed)
        const counts = named.map(({ n }) => n)
        const by = averageBy(which, weighted, named)
        const { value, standardError } = averageOfClasses(confusionOf(named), which, weighted)
        expect(value).toBeCloseTo(by(counts), 12)
        const numeric = countsStandardError(by, counts)
        expect(Math.abs(standardError - numeric)).toBeLessThanOrEqual(1e-4 * numeric + 1e-12)
      }
    }
  },
)

test('the number of steps grows with the cells, not with their power: a thousand classes take no longer than reading them', () => {
  const named = cells(1000, 4)
  let reads = 0
  const confusion = confusionOf(named)
  const counted = {
    ...confusion,
    cells: confusion.cells.map((cell) => ({
      ...cell,
      get n() {
        reads++
        return cell.n
      },
    })),
  }
  const whole = averageOfClasses(counted, 'f1', false)
  expect(reads).toBe(named.length)
  // Known by its totals alone, the error is larger, never smaller.
  const cut = averageOfClasses({ ...confusion, cells: [], allCells: false }, 'f1', false)
  expect(cut.value).toBe(whole.value)
  expect(cut.standardError).toBeGreaterThanOrEqual(whole.standardError)
})

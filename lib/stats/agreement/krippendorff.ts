import type { Agreement } from './cohen.ts'

/** How values differ: alike or not, by their ranks, or by the square of their difference. */
export type ValueKind = 'nominal' | 'ordinal' | 'interval'

/**
 * Krippendorff's alpha, 1 − observed / expected disagreement, of any number of raters with any number
 * of missing answers. Its standard error is that of the jackknife over items.
 *
 * @param counts by item how many said each value; items with fewer than two answers do not count
 * @param values of the columns, ascending; they matter for `interval` alone
 * @returns null where no item has two answers, or all answers are one value
 * @see Krippendorff (2011), Computing Krippendorff's Alpha-Reliability
 * @example krippendorffsAlpha([[2, 0], [0, 2], [1, 1], [2, 0]], [0, 1], 'nominal') // => { value: 0.5333333333, standardError: 0.6142595663 }
 */
export function krippendorffsAlpha(
  counts: readonly (readonly number[])[],
  values: readonly number[],
  kind: ValueKind,
): Agreement | null {
  const items = counts.filter((item) => sumOf(item) >= 2)
  const k = values.length
  const all = new Float64Array(k * k)
  for (const item of items) addCoincidences(all, item, 1)
  const value = alphaOf(all, values, kind)
  if (value === null) return null
  const without: number[] = []
  for (const item of items) {
    addCoincidences(all, item, -1)
    // Where the others all say one thing there is no value of them.
    without.push(alphaOf(all, values, kind) ?? value)
    addCoincidences(all, item, 1)
  }
  const n = without.length
  const mean = sumOf(without) / n
  const squares = without.reduce((sum, one) => sum + (one - mean) ** 2, 0)
  return { value, standardError: Math.sqrt(((n - 1) / n) * squares) }
}

const sumOf = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0)

/** Each pair of answers about an item counts in both orders, each answer once in sum. */
function addCoincidences(all: Float64Array, item: readonly number[], sign: number): void {
  const k = item.length
  const others = sumOf(item) - 1
  for (let c = 0; c < k; c++) {
    if (item[c] === 0) continue
    for (let d = 0; d < k; d++)
      all[c * k + d]! += (sign * item[c]! * (item[d]! - (c === d ? 1 : 0))) / others
  }
}

function alphaOf(all: Float64Array, values: readonly number[], kind: ValueKind): number | null {
  const k = values.length
  const totals = values.map((_, c) => sumOf([...all.subarray(c * k, (c + 1) * k)]))
  const n = sumOf(totals)
  const differs = differenceOf(totals, values, kind)
  let observed = 0
  let expected = 0
  for (let c = 0; c < k; c++)
    for (let d = 0; d < c; d++) {
      const squared = differs(d, c)
      observed += all[c * k + d]! * squared
      expected += totals[c]! * totals[d]! * squared
    }
  return expected > 1e-9 ? 1 - ((n - 1) * observed) / expected : null
}

/** The squared difference of two columns, the first one below the second. */
function differenceOf(totals: readonly number[], values: readonly number[], kind: ValueKind) {
  if (kind === 'nominal') return () => 1
  if (kind === 'interval') return (c: number, d: number) => (values[c]! - values[d]!) ** 2
  const below: number[] = [0]
  for (const total of totals) below.push(below.at(-1)! + total)
  return (c: number, d: number) => (below[d + 1]! - below[c]! - (totals[c]! + totals[d]!) / 2) ** 2
}

/** What people see of a feature's values: the same bars for a span and its reference. Pure. */
import type { Bar, DistributionAnswer } from '../../../schemas/http/console.ts'
import { categoryTotal, type CategoryCounts } from '../../../lib/sink/counts/category-counts.ts'
import { largest, smallest } from '../../../lib/stats/samples/extremes.ts'
import type { BinnedSample } from '../../../lib/stats/samples/binned-sample.ts'
import { effectiveOf, missingOf, type WindowCounts } from './window-data.ts'

/** Bars between the tails. */
const MAX_BARS = 40
/** Numbers that take no more values than this have a bar for each. */
const MAX_VALUES = 40
const MAX_CATEGORIES = 20
/** Share of the values in each tail, which is one bar. */
const TAIL = 0.005
const SAFETY = 1e-9

type Shown = Pick<DistributionAnswer, 'kind' | 'scale' | 'median' | 'bars' | 'missing' | 'other'>
/** Positive values whose tails are this many times apart have bars of one ratio. */
const MIN_RATIO = 200
const NO_MEDIAN = { current: null, reference: null }
const PLAIN = { scale: 'linear', median: NO_MEDIAN } as const
const NO_OTHER = { current: 0, reference: 0, categories: 0 }

/**
 * The distribution of a subject, as shares of all events of either side.
 *
 * @param subject a feature, `@prediction` or `@score`
 * @param reference undefined where the model has none
 */
export function distributionOf(
  subject: string,
  current: WindowCounts,
  reference: WindowCounts | undefined,
): Shown {
  const sides = [current, ...(reference ? [reference] : [])]
  const sizes = sides.map(effectiveOf)
  const shareOf = (counts: readonly number[]) => ({
    current: ratio(counts[0], sizes[0]) ?? 0,
    reference: ratio(counts[1], sizes[1]),
  })
  const missing = shareOf(sides.map((side) => missingOf(side, subject)))
  const numbers = sides.map((side) => side.numeric.get(subject))
  const texts = sides.map((side) => side.categories.get(subject))
  const numeric = numbers.reduce((sum, sample) => sum + total(sample), 0)
  const textual = texts.reduce((sum, counts) => sum + categoryTotal(counts), 0)
  if (numeric === 0 && textual === 0)
    return { kind: 'unknown', ...PLAIN, bars: [], missing, other: NO_OTHER }
  if (textual > numeric)
    return { kind: 'categorical', ...PLAIN, missing, ...categoriesOf(texts, shareOf) }
  const { scale, bars } = numericBars(numbers)
  const [now, before] = numbers.map((sample) =>
    sample && total(sample) > 0 ? quantile(sample, 0.5, sample.highs) : null,
  )
  return {
    kind: 'numeric',
    scale,
    median: { current: now ?? null, reference: before ?? null },
    bars: bars.map(({ low, high, counts }) => ({ low, high, category: null, ...shareOf(counts) })),
    missing,
    other: NO_OTHER,
  }
}

const ratio = (n = 0, size: number | undefined) => (size ? n / size : null)
const total = (sample: BinnedSample | undefined) =>
  sample?.counts.reduce((sum, n) => sum + n, 0) ?? 0

type ShareOf = (counts: readonly number[]) => Pick<Bar, 'current' | 'reference'>

function categoriesOf(
  sides: readonly (CategoryCounts | undefined)[],
  shareOf: ShareOf,
): Pick<Shown, 'bars' | 'other'> {
  const totals = sides.map(categoryTotal)
  const weightOf = (name: string) =>
    sides.reduce((sum, side, i) => sum + (side?.get(name) ?? 0) / (totals[i] || 1), 0)
  const names = [...new Set(sides.flatMap((side) => [...(side?.keys() ?? [])]))]
  const weights = new Map(names.map((name) => [name, weightOf(name)]))
  const listed = names
    .toSorted((a, b) => weights.get(b)! - weights.get(a)! || (a < b ? -1 : 1))
    .slice(0, MAX_CATEGORIES)
  const countsOf = (name: string) => sides.map((side) => side?.get(name) ?? 0)
  const rest = sides.map((side, i) =>
    Math.max(0, totals[i]! - listed.reduce((sum, name) => sum + (side?.get(name) ?? 0), 0)),
  )
  const distinct = largest([names.length, ...sides.map((side) => side?.cut?.distinct ?? 0)])
  return {
    bars: listed.map((category) => ({
      low: null,
      high: null,
      category,
      ...shareOf(countsOf(category)),
    })),
    other: { ...shareOf(rest), categories: distinct - listed.length },
  }
}

interface NumericBar {
  low: number | null
  high: number | null
  /** Events of each side. */
  counts: number[]
}

/**
 * A bar for each value where there are few; else bars of one width, or of one ratio, and one for
 * each tail.
 */
function numericBars(sides: readonly (BinnedSample | undefined)[]): {
  scale: 'linear' | 'log'
  bars: NumericBar[]
} {
  const values = singleValues(sides)
  if (values)
    return {
      scale: 'linear',
      bars: values.map((value) => ({
        low: value,
        high: value,
        counts: sides.map((side) => countOf(side, value)),
      })),
    }
  const [low, high] = rangeOf(sides)
  const scale = low > 0 && high / low >= MIN_RATIO ? 'log' : 'linear'
  const edges = scale === 'log' ? ratioEdges(low, high) : widthEdges(low, high)
  const spread = sides.map((side) => spreadOver(side, edges))
  const bars = Array.from({ length: edges.length + 1 }, (_, i) => ({
    low: edges[i - 1] ?? null,
    high: edges[i] ?? null,
    counts: spread.map((counts) => counts[i]!),
  }))
  const isTail = ({ low, high }: NumericBar) => low === null || high === null
  return { scale, bars: bars.filter((bar) => !isTail(bar) || bar.counts.some((n) => n > SAFETY)) }
}

/** The values themselves, ascending; undefined where they are many, or bins hold several. */
function singleValues(sides: readonly (BinnedSample | undefined)[]): number[] | undefined {
  const values = new Set<number>()
  for (const side of sides)
    for (const [i, low] of (side?.lows ?? []).entries()) {
      if (low !== side!.highs[i]) return undefined
      values.add(low)
      if (values.size > MAX_VALUES) return undefined
    }
  return [...values].toSorted((a, b) => a - b)
}

function countOf(side: BinnedSample | undefined, value: number): number {
  let count = 0
  for (const [i, low] of (side?.lows ?? []).entries()) if (low === value) count += side!.counts[i]!
  return count
}

/** Between the tails of both sides, each side counting alike. */
function rangeOf(sides: readonly (BinnedSample | undefined)[]): [low: number, high: number] {
  const known = sides.filter((side) => side !== undefined).filter((side) => total(side) > 0)
  return [
    smallest(known.map((side) => quantile(side, TAIL, side.lows))),
    largest(known.map((side) => quantile(side, 1 - TAIL, side.highs))),
  ]
}

/** Round edges, each as far from the next. */
function widthEdges(low: number, high: number): number[] {
  const step = roundStep((high - low) / MAX_BARS)
  const first = Math.floor(low / step)
  const last = Math.max(first + 1, Math.ceil(high / step))
  return Array.from({ length: last - first + 1 }, (_, i) => rounded((first + i) * step))
}

/** Edges of which each is as many times the one before; powers of ten are among them. */
function ratioEdges(low: number, high: number): number[] {
  const perDecade = Math.max(1, Math.floor(MAX_BARS / Math.log10(high / low)))
  const first = Math.floor(Math.log10(low) * perDecade)
  const last = Math.ceil(Math.log10(high) * perDecade)
  return Array.from({ length: last - first + 1 }, (_, i) =>
    Number((10 ** ((first + i) / perDecade)).toPrecision(3)),
  )
}

const rounded = (edge: number) => Number(edge.toPrecision(12))

function quantile(side: BinnedSample, p: number, ends: readonly number[]): number {
  const wanted = p * total(side)
  let sum = 0
  for (const [i, n] of side.counts.entries()) if ((sum += n) >= wanted) return ends[i]!
  return ends.at(-1)!
}

/** The least of 1, 2, 2.5, 5 times a power of ten that is no less. */
function roundStep(step: number): number {
  if (!(step > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(step))
  return power * [1, 2, 2.5, 5, 10].find((one) => one * power >= step * (1 - SAFETY))!
}

/**
 * Counts below the first edge, between each two, and above the last; values of a bin lie evenly in
 * it.
 */
function spreadOver(side: BinnedSample | undefined, edges: readonly number[]): number[] {
  const counts = Array.from({ length: edges.length + 1 }, () => 0)
  for (const [i, n] of (side?.counts ?? []).entries()) {
    const [low, high] = [side!.lows[i]!, side!.highs[i]!]
    let at = barOf(low, edges)
    if (low === high) {
      counts[at]! += n
      continue
    }
    for (let from = low; at <= edges.length; at++) {
      const to = Math.min(high, edges[at] ?? Infinity)
      counts[at]! += (n * (to - from)) / (high - low)
      if (to >= high) break
      from = to
    }
  }
  return counts
}

/** The bar that a value lies in; the last edge belongs to the bar below it. */
function barOf(value: number, edges: readonly number[]): number {
  if (value === edges.at(-1)) return edges.length - 1
  let [from, to] = [0, edges.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if (edges[middle]! <= value) from = middle + 1
    else to = middle
  }
  return from
}

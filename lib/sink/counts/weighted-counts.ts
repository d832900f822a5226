/**
 * What events of a sampled stream stand for beside themselves: drawn with probability f, an event counts as 1/f events. Kept apart, so
 * that a stream that is not sampled pays nothing.
 */
import { featureSubject } from '../../events/subjects.ts'
import { canonical } from '../../events/fields.ts'
import type { Event } from '../../events/validator.ts'
import type { FlatRecord } from '../../events/flat-record.ts'
import { binOf } from './log-histogram.ts'

/** Grid of the bins; rows of counts on finer grids are merged with these. */
export const SAMPLED_GRID = 2

/** Of one bin. */
export interface ExtraNumbers {
  /** Sum of (1/f − 1). */
  weight: number
  /** Sum of the values, so weighted. */
  total: number
  low: number
  high: number
}

export interface SampledCounts {
  /** Sum of (1/f − 1), and of (1/f² − 1). */
  weight: number
  squares: number
  /** Sum of (1/f − 1) of those that failed. */
  errors: number
  numbers: Map<string, Map<number, ExtraNumbers>>
  categories: Map<string, Map<string, number>>
  /** Features whose numbers are categories. */
  codes: ReadonlySet<string> | undefined
}

export const sampledCounts = (codes?: ReadonlySet<string>): SampledCounts => ({
  codes,
  weight: 0,
  squares: 0,
  errors: 0,
  numbers: new Map(),
  categories: new Map(),
})

/**
 * @param fraction of the event, in (0, 1)
 * @param ownNumbers fields of the event that are counted like features, and under which name
 * @param categoryOf how a category is written
 */
export function addSampled(
  counts: SampledCounts,
  event: Event,
  fraction: number,
  ownNumbers: readonly { field: string; subject: string }[],
  categoryOf: (value: string) => string,
): void {
  const weight = 1 / fraction - 1
  counts.weight += weight
  counts.squares += 1 / fraction ** 2 - 1
  if (event.get('status') === 'error') counts.errors += weight
  const add = (subject: string, value: unknown) => {
    if (value === null || value === undefined) return
    if (typeof value === 'number' && !counts.codes?.has(subject))
      addNumber(of(counts.numbers, subject), value, weight)
    else {
      const categories = of(counts.categories, subject)
      const category = categoryOf(canonical(value))
      categories.set(category, (categories.get(category) ?? 0) + weight)
    }
  }
  const features = event.get('features') as FlatRecord | null | undefined
  features?.names.forEach((name, i) => add(featureSubject(name), features.values[i]))
  add('@prediction', event.get('prediction'))
  for (const { field, subject } of ownNumbers)
    if (typeof event.get(field) === 'number') add(subject, event.get(field))
}

function of<K, V>(outer: Map<string, Map<K, V>>, name: string): Map<K, V> {
  let inner = outer.get(name)
  if (!inner) outer.set(name, (inner = new Map<K, V>()))
  return inner
}

function addNumber(bins: Map<number, ExtraNumbers>, value: number, weight: number) {
  const bin = binOf(value, SAMPLED_GRID)
  const known = bins.get(bin)
  if (!known) bins.set(bin, { weight, total: weight * value, low: value, high: value })
  else {
    known.weight += weight
    known.total += weight * value
    known.low = Math.min(known.low, value)
    known.high = Math.max(known.high, value)
  }
}

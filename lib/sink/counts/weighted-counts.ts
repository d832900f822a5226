/**
 * Counts what events of a sampled stream stand for beside themselves: drawn with probability f, an
 * event counts as 1/f events. These counts are kept apart, so that a stream that is not sampled
 * pays nothing.
 */
import { featureSubject, OWN_NUMBERS } from '../../events/subjects.ts'
import { canonical } from '../../events/fields.ts'
import type { Event } from '../../events/validator.ts'
import type { FlatRecord } from '../../events/flat-record.ts'
import { binOf } from './log-histogram.ts'

/** Resolution of the bins; rows of counts of finer resolutions are merged with these. */
export const SAMPLED_RESOLUTION = 2

/** What the values of one bin add beside themselves. */
export interface ExtraNumbers {
  /** Sum of (1/f − 1). */
  weight: number
  /** Sum of the values, so weighted. */
  total: number
  /** Least and greatest value. */
  low: number
  high: number
}

/** What the sampled events of one group add beside themselves. */
export interface SampledCounts {
  /** Sum of (1/f − 1), and of (1/f² − 1). */
  weight: number
  squares: number
  /** Sum of (1/f − 1) of the events that failed. */
  errors: number
  /** Numbers by subject and bin of resolution {@link SAMPLED_RESOLUTION}. */
  numbers: Map<string, Map<number, ExtraNumbers>>
  /** Sums of (1/f − 1), by subject and category. */
  categories: Map<string, Map<string, number>>
  /** Features whose numbers are categories. */
  codes: ReadonlySet<string> | undefined
}

/** Makes empty counts. @param codes features whose numbers are categories */
export const sampledCounts = (codes?: ReadonlySet<string>): SampledCounts => ({
  codes,
  weight: 0,
  squares: 0,
  errors: 0,
  numbers: new Map(),
  categories: new Map(),
})

/**
 * Adds one event: its features, its prediction and the model's own numbers.
 *
 * @param fraction of the event, in (0, 1)
 * @param categoryOf how a category is written
 */
export function addSampled(
  counts: SampledCounts,
  event: Event,
  fraction: number,
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
  for (const { field, subject } of OWN_NUMBERS)
    if (typeof event.get(field) === 'number') add(subject, event.get(field))
}

function of<K, V>(outer: Map<string, Map<K, V>>, name: string): Map<K, V> {
  let inner = outer.get(name)
  if (!inner) outer.set(name, (inner = new Map<K, V>()))
  return inner
}

function addNumber(bins: Map<number, ExtraNumbers>, value: number, weight: number) {
  const bin = binOf(value, SAMPLED_RESOLUTION)
  const known = bins.get(bin)
  if (!known) bins.set(bin, { weight, total: weight * value, low: value, high: value })
  else {
    known.weight += weight
    known.total += weight * value
    known.low = Math.min(known.low, value)
    known.high = Math.max(known.high, value)
  }
}

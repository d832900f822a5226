/**
 * Counts of categories, such as the users of a feature.
 *
 * Up to {@link MAX_NAMED} categories are kept by name. Where there are more, three things are kept
 * that two spans have in common, whichever of their categories were met: all categories whose hash
 * is small (a fair sample, bottom-k), the most frequent ones, and the sums of {@link
 * CATEGORY_GROUPS} groups by hash, which hold every value. Pure.
 *
 * @see Cohen and Kaplan (2007), Summarizing data using bottom-k sketches
 */
import { murmurHash3 } from '../id-hash.ts'

/** Categories of one feature that are all kept by name. */
export const MAX_NAMED = 10_000
/** Where there are more, so many are kept because they are the most frequent. */
export const MAX_FREQUENT = 1000
/** Groups by hash that all categories fall into. */
export const CATEGORY_GROUPS = 256

/** What is kept of categories that are not all kept by name. */
export interface CutCategories {
  /** How many categories there are. */
  distinct: number
  /** Every category with a hash up to this is kept by name. */
  keptBelow: number
  /** Values by group: {@link CATEGORY_GROUPS} sums over all categories. */
  groups: readonly number[]
  /** A category that is not kept has at most so many values. */
  most: number
}

/** Values per category; where `cut` is there, of the kept categories alone. */
export type CategoryCounts = ReadonlyMap<string, number> & { readonly cut?: CutCategories }

/** How many values categories have together, those that are not kept too. */
export function categoryTotal(counts: CategoryCounts | undefined): number {
  let total = 0
  if (counts?.cut) for (const n of counts.cut.groups) total += n
  else if (counts) for (const n of counts.values()) total += n
  return total
}

/** Counts that are multiplied, such as by what one event is worth. */
export const scaledCategories = (counts: CategoryCounts, factor: number): CategoryCounts =>
  withCut(
    new Map([...counts].map(([name, n]) => [name, n * factor])),
    counts.cut && {
      ...counts.cut,
      groups: counts.cut.groups.map((n) => n * factor),
      most: counts.cut.most * factor,
    },
  )

/**
 * Marks counts as those of the kept categories; without a cut they are returned as they are.
 * Changes `counts`.
 */
export const withCut = (
  counts: Map<string, number>,
  cut: CutCategories | undefined,
): CategoryCounts => (cut ? Object.assign(counts, { cut }) : counts)

const encoder = new TextEncoder()
/** The largest hash of a category. */
export const MAX_HASH = 2 ** 32 - 1

/** The hash of a category, from 0 to 2^32 − 1: ClickHouse's `murmurHash3_32`. */
export const categoryHash = (category: string): number => murmurHash3(encoder.encode(category))

/** Hashes up to which all counts keep their categories by name: all of them, where none is cut. */
export const commonBelow = (all: readonly CategoryCounts[]): number =>
  all.reduce((least, { cut }) => Math.min(least, cut?.keptBelow ?? MAX_HASH), MAX_HASH)

/**
 * How many values a category has.
 *
 * @returns undefined where it is not kept; then there are at most `cut.most`
 */
export function countOf(counts: CategoryCounts, category: string): number | undefined {
  const known = counts.get(category)
  if (known !== undefined) return known
  return counts.cut && categoryHash(category) > counts.cut.keptBelow ? undefined : 0
}

/** Compares the categories of two spans, over the same cells. Pure. */
import {
  CATEGORY_GROUPS,
  categoryHash,
  categoryTotal,
  commonBelow,
  countOf,
  MAX_HASH,
  type CategoryCounts,
} from './category-counts.ts'

/**
 * Categories beyond this are compared in groups: each by itself would be too rare to show anything.
 */
const MAX_COMPARED = 1000
/**
 * Categories with at least this share of the reference, and so many values, are compared by name
 * even so.
 */
const FREQUENT_SHARE = 1 / 200
const FREQUENT_COUNT = 25
/** Values that a group should hold on either side. */
const GROUP_COUNT = 25

/** A value that lies surely between two others. */
export interface Bounded {
  value: number
  low: number
  high: number
}

/** Two spans over the same cells. */
export interface ComparedCategories {
  /** Values per cell, of one length; length ≥ 1. */
  reference: readonly number[]
  current: readonly number[]
  /** Cells that are a category each; the rest are groups. */
  named: number
  /** Categories that were met in either, as far as they are kept. */
  categories: number
  /** Either span has more than {@link MAX_NAMED}. */
  isCut: boolean
  /** Share of current values whose category the reference does not have. */
  fresh: Bounded
  /**
   * Where there are groups: shares of their values, in the reference of categories that it has
   * once, in the current span of those that the reference does not have. Drawn alike they are alike
   * (Good and Turing).
   */
  unseen: { reference: Share; current: Share } | undefined
  /** The largest difference of one category's share. */
  widest: Bounded
}

interface Share {
  count: number
  size: number
}

/**
 * Lays two counts over the same cells: a cell for each category, or, of more than {@link
 * MAX_COMPARED} and wherever one is cut, a cell for each that is frequent in the reference and
 * groups by hash for the rest. O(categories).
 *
 * @param reference with at least one value; so `current`
 */
export function compareCategories(
  reference: CategoryCounts,
  current: CategoryCounts,
): ComparedCategories {
  const names = [...new Set([...reference.keys(), ...current.keys()])].toSorted()
  const isCut = reference.cut !== undefined || current.cut !== undefined
  return isCut || names.length > MAX_COMPARED
    ? grouped(reference, current, names, isCut)
    : oneByOne(reference, current, names)
}

function oneByOne(
  reference: CategoryCounts,
  current: CategoryCounts,
  names: readonly string[],
): ComparedCategories {
  const a = names.map((name) => reference.get(name) ?? 0)
  const b = names.map((name) => current.get(name) ?? 0)
  const [n, m] = [categoryTotal(reference), categoryTotal(current)]
  const fresh = names.reduce((sum, name, i) => sum + (reference.has(name) ? 0 : b[i]!), 0) / m
  const widest = names.reduce((most, _, i) => Math.max(most, Math.abs(a[i]! / n - b[i]! / m)), 0)
  return {
    reference: a,
    current: b,
    named: names.length,
    categories: names.length,
    isCut: false,
    fresh: exactly(fresh),
    unseen: undefined,
    widest: exactly(widest),
  }
}

const exactly = (value: number): Bounded => ({ value, low: value, high: value })

/** What the categories that are compared in groups say together. */
interface Rest {
  reference: number[]
  current: number[]
}

function grouped(
  reference: CategoryCounts,
  current: CategoryCounts,
  names: readonly string[],
  isCut: boolean,
): ComparedCategories {
  const [n, m] = [categoryTotal(reference), categoryTotal(current)]
  const frequent = frequentIn(reference, n).filter((name) => countOf(current, name) !== undefined)
  const a = frequent.map((name) => reference.get(name)!)
  const b = frequent.map((name) => countOf(current, name)!)
  const isFrequent = new Set(frequent)
  const rest: Rest = {
    reference: groupsOf(reference, isFrequent),
    current: groupsOf(current, isFrequent),
  }
  const merged = mergedGroups(rest)
  const unseen = unseenOf(reference, current, isFrequent)
  const surelyNew = sum(current, (name) => !reference.has(name) && countOf(reference, name) === 0)
  const surelyOld = sum(current, (name) => reference.has(name))
  const share =
    unseen.current.size > 0
      ? (unseen.current.count / unseen.current.size) * (sumOf(rest.current) / m)
      : 0
  const [low, high] = [surelyNew / m, Math.max(0, 1 - surelyOld / m)]
  return {
    reference: [...a, ...merged.reference],
    current: [...b, ...merged.current],
    named: frequent.length,
    categories: isCut
      ? Math.max(reference.cut?.distinct ?? reference.size, current.cut?.distinct ?? current.size)
      : names.length,
    isCut,
    fresh: { value: Math.min(high, Math.max(low, share)), low, high },
    unseen,
    widest: widestOf(reference, current, names),
  }
}

/**
 * Categories with a notable share: few enough for each to be known well, whichever sample they are
 * from.
 */
const frequentIn = (counts: CategoryCounts, total: number): string[] =>
  [...counts].flatMap(([name, n]) =>
    n >= Math.max(FREQUENT_COUNT, FREQUENT_SHARE * total) ? [name] : [],
  )

/** Values per group without those of some categories. */
function groupsOf(counts: CategoryCounts, without: ReadonlySet<string>): number[] {
  const groups = counts.cut
    ? [...counts.cut.groups]
    : Array.from({ length: CATEGORY_GROUPS }, () => 0)
  for (const [name, n] of counts) {
    const isOut = without.has(name)
    if (counts.cut ? !isOut : isOut) continue
    groups[categoryHash(name) % CATEGORY_GROUPS]! += isOut ? -n : n
  }
  // What was taken away again leaves rounding.
  return groups.map((n) => (n < 1e-6 ? 0 : n))
}

/** As many groups as hold enough values each: neighbours of the 256 are merged by halves. */
function mergedGroups({ reference, current }: Rest): Rest {
  let [a, b] = [reference, current]
  const least = Math.min(sumOf(a), sumOf(b)) / GROUP_COUNT
  const halved = (groups: readonly number[]) =>
    groups.slice(groups.length / 2).map((n, i) => n + groups[i]!)
  while (a.length > 1 && a.length > least) [a, b] = [halved(a), halved(b)]
  return { reference: a, current: b }
}

/**
 * Counts, among categories that both keep by their hash and that are not frequent, the values of
 * those that come once in the reference, and of those that come in the current span alone.
 */
function unseenOf(
  reference: CategoryCounts,
  current: CategoryCounts,
  isFrequent: ReadonlySet<string>,
): { reference: Share; current: Share } {
  const below = commonBelow([reference, current])
  const share = (counts: CategoryCounts, isUnseen: (name: string, n: number) => boolean): Share => {
    let [count, size] = [0, 0]
    for (const [name, n] of counts) {
      if (isFrequent.has(name) || (below < MAX_HASH && categoryHash(name) > below)) continue
      size += n
      if (isUnseen(name, n)) count += n
    }
    return { count, size }
  }
  return {
    // Weighted events come as fractions of one.
    reference: share(reference, (_, n) => n < 1.5),
    current: share(current, (name) => !reference.has(name)),
  }
}

function widestOf(
  reference: CategoryCounts,
  current: CategoryCounts,
  names: readonly string[],
): Bounded {
  const [n, m] = [categoryTotal(reference), categoryTotal(current)]
  let low = 0
  for (const name of names) {
    const [a, b] = [countOf(reference, name), countOf(current, name)]
    if (a !== undefined && b !== undefined) low = Math.max(low, Math.abs(a / n - b / m))
    // The difference is least where the category that is not kept has the most that it may have.
    else if (a !== undefined) low = Math.max(low, a / n - current.cut!.most / m)
    else if (b !== undefined) low = Math.max(low, b / m - reference.cut!.most / n)
  }
  const notKept = Math.max((reference.cut?.most ?? 0) / n, (current.cut?.most ?? 0) / m)
  return { value: low, low, high: Math.min(1, low + notKept) }
}

const sumOf = (counts: readonly number[]) => counts.reduce((total, n) => total + n, 0)

function sum(counts: CategoryCounts, which: (name: string) => boolean): number {
  let total = 0
  for (const [name, n] of counts) if (which(name)) total += n
  return total
}

/**
 * What {@link ComparedCategories.unseen} adds to Jeffreys' divergence (PSI) of the cells, by its
 * chain rule: how much more often values of one span than of the other are of categories that
 * nobody has met before.
 *
 * @returns ≥ 0, in nats; 0 without groups
 */
export function unseenDivergence({
  reference,
  current,
  named,
  unseen,
}: ComparedCategories): number {
  if (!unseen) return 0
  const smoothed = ({ count, size }: Share) => (count + 0.5) / (size + 1)
  const [s, t] = [smoothed(unseen.reference), smoothed(unseen.current)]
  const restOf = (cells: readonly number[]) => sumOf(cells.slice(named)) / sumOf(cells)
  const logs = [Math.log(s / t), Math.log((1 - s) / (1 - t))] as const
  const forth = s * logs[0] + (1 - s) * logs[1]
  const back = -(t * logs[0] + (1 - t) * logs[1])
  return restOf(reference) * forth + restOf(current) * back
}

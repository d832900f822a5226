/** A reference, window by window: what tells the noise between windows from drift. Pure. */
import {
  MIN_WINDOWS,
  type CategoryReference,
  type ReferenceWindows,
  type Share,
} from '../data/reference.ts'
import { isFeature } from '../../../lib/events/subjects.ts'
import { durationMs } from '../../../lib/runtime/durations.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import {
  categoryHash,
  categoryTotal,
  commonBelow,
  countOf,
  type CategoryCounts,
} from '../../../lib/sink/counts/category-counts.ts'
import type { Season } from '../../../lib/stats/window-tests/window-noise.ts'
import {
  numericReference,
  type NumericReference,
} from '../../../lib/stats/window-tests/window-reference.ts'
import {
  eventsOf,
  isCalendar,
  windowsHolding,
  windowsOfEvents,
  type Window,
} from '../../../lib/models/windows.ts'
import { stepsWithin, type StepCount } from '../plan/due-windows.ts'
import { scaledCounts } from '../data/sampling.ts'
import { effectiveOf, missingOf, type WindowCounts } from '../data/window-data.ts'

/** More of them add nothing but work. */
const MAX_WINDOWS = 200

/** Categories with fewer expected in a window tell nothing by themselves. */
const MIN_EXPECTED = 5
/** Categories that are tested one by one, the most frequent ones: each costs a test. */
const MAX_TESTED = 1000
/**
 * Share of all values above which a category is left out of what is estimated from a sample of
 * categories.
 */
const FREQUENT_SHARE = 1 / 200

/**
 * The whole, non-overlapping windows with events inside the spans of a reference; empty where they
 * are too few.
 *
 * @param steps time steps with events, at least those of the spans
 */
export function windowsWithin(
  spans: readonly Window[],
  { windows: spec }: Model,
  steps: readonly StepCount[],
): Window[] {
  const count = eventsOf(spec.size)
  const inside = (span: Window) => {
    const own = stepsWithin(steps, [span])
    return count === undefined
      ? windowsHolding(
          { size: spec.size, timezone: spec.timezone },
          own.map(({ step }) => step),
        )
      : windowsOfEvents(count, own, [])
  }
  const found = spans.flatMap((span) =>
    inside(span).filter((window) => window.start >= span.start && window.end <= span.end),
  )
  return found.length < MIN_WINDOWS
    ? []
    : found.toSorted((a, b) => a.start - b.start).slice(-MAX_WINDOWS)
}

/** @returns undefined where fewer than {@link MIN_WINDOWS} windows hold `min_count` events */
export function referenceWindows(
  windows: readonly Window[],
  counts: readonly WindowCounts[],
  model: Model,
): ReferenceWindows | undefined {
  const complete = windows.flatMap((window, i) => {
    const own = counts[i]!
    return own.events >= model.windows.min_count ? [{ window, own }] : []
  })
  if (complete.length < MIN_WINDOWS) return undefined
  const all = complete.map(({ own }) => own)
  const inEvery = (names: (own: WindowCounts) => Iterable<string>) =>
    [...new Set(all.flatMap((own) => [...names(own)]))].toSorted()
  const numeric = inEvery((own) => own.numeric.keys())
    .filter((name) => all.every((own) => own.numeric.has(name)))
    .map((name): [string, NumericReference] => [
      name,
      numericReference(all.map((own) => own.numeric.get(name)!)),
    ])
  const categories = inEvery((own) => own.categories.keys())
    .filter((name) => all.every((own) => own.categories.has(name)))
    .map((name): [string, CategoryReference] => [
      name,
      categoryReference(all.map((own) => own.categories.get(name)!)),
    ])
  const missing = inEvery((own) => [...own.numeric.keys(), ...own.categories.keys()])
    .filter(isFeature)
    .map((name) => [name, all.map((own) => missingOf(own, name))] as const)
  const { season, phaseOf, seasonProblem } = seasonOf(
    complete.map(({ window }) => window.start),
    model,
  )
  return {
    windows: complete.map(({ window }) => window),
    events: all.map(effectiveOf),
    numeric: new Map(numeric),
    categories: new Map(categories),
    missing: new Map(missing),
    season,
    phaseOf,
    seasonProblem,
  }
}

/**
 * A window's counts as if it held no more events than the shorter windows that tell the noise: the
 * mean of a longer window varies at most as much as that of its parts does, however these hang
 * together, so that its noise is taken to be theirs.
 */
export function asOneOf(current: WindowCounts, { events }: ReferenceWindows): WindowCounts {
  const usual = events.reduce((sum, n) => sum + n, 0) / events.length
  const own = effectiveOf(current)
  const factor = Math.min(1, usual / Math.max(1, own))
  return { ...scaledCounts(current, factor), effective: own * factor }
}

function categoryReference(windows: readonly CategoryCounts[]): CategoryReference {
  const sizes = windows.map(categoryTotal)
  const all = sizes.reduce((sum, size) => sum + size, 0)
  const totals = new Map<string, number>()
  for (const counts of windows)
    for (const [name, n] of counts) totals.set(name, (totals.get(name) ?? 0) + n)
  const expected = [...totals]
    .filter(([, total]) => total >= MIN_EXPECTED * windows.length)
    .toSorted(([x, a], [y, b]) => b - a || (x < y ? -1 : 1))
    .slice(0, MAX_TESTED)
    .map(([name]) => name)
    .toSorted()
  // The second of two categories says what the first one says.
  const kept = totals.size === 2 ? expected.slice(0, 1) : expected
  const keptBelow = commonBelow(windows)
  const frequent = new Set(
    [...totals].flatMap(([name, total]) => (total >= FREQUENT_SHARE * all ? [name] : [])),
  )
  return {
    known: new Set(windows.slice(1).flatMap((counts) => [...counts.keys()])),
    keptBelow,
    frequent,
    shares: kept.map((category) => ({
      category,
      windows: windows.map((counts, w) => ({
        count: likelyCount(counts, category, totals.get(category)! / all),
        size: sizes[w]!,
      })),
    })),
    fresh: windows.map((counts, w) =>
      freshShare(counts, { keptBelow, frequent }, (category) =>
        windows.every((other, v) => v === w || !other.has(category)),
      ),
    ),
  }
}

/**
 * How many values a category has; where that is not kept, as many as one would expect, and no more
 * than can be.
 */
export const likelyCount = (counts: CategoryCounts, category: string, share: number): number =>
  countOf(counts, category) ?? Math.min(counts.cut!.most, share * categoryTotal(counts))

/**
 * The share of values of new categories. Where not all categories are kept it is estimated from
 * those that all windows keep, and the frequent ones, which are not new, are left out of the
 * estimate: they are few, and would make it swing.
 */
export function freshShare(
  counts: CategoryCounts,
  { keptBelow, frequent }: Pick<CategoryReference, 'keptBelow' | 'frequent'>,
  isNew: (category: string) => boolean,
): Share {
  const size = categoryTotal(counts)
  const below = Math.min(keptBelow, commonBelow([counts]))
  const isWhole = below === commonBelow([])
  let [count, sampled, often] = [0, 0, 0]
  for (const [category, n] of counts) {
    if (!isWhole && frequent.has(category)) often += n
    else if (isWhole || categoryHash(category) <= below) {
      sampled += n
      if (isNew(category)) count += n
    }
  }
  // The sample stands for a part of all values: it weighs as that part.
  return sampled === 0
    ? { count: 0, size }
    : { count, size: isWhole ? size : (sampled * size) / Math.max(sampled, size - often) }
}

function seasonOf(
  starts: readonly number[],
  { windows: spec }: Model,
): Pick<ReferenceWindows, 'season' | 'phaseOf' | 'seasonProblem'> {
  const none = { season: undefined, phaseOf: () => 0 }
  if (spec.season === undefined) return none
  const without = (why: string) => ({
    ...none,
    seasonProblem: `the season of ${spec.season} is not followed: ${why}`,
  })
  if (isCalendar(spec.size) || eventsOf(spec.size) !== undefined)
    return without(`windows of ${spec.size} have no fixed length`)
  const size = durationMs(spec.size)
  const length = durationMs(spec.season) / size
  if (!Number.isInteger(length) || length < 2)
    return without(`it is no multiple of windows of ${spec.size}`)
  // The nearest whole window decides: around a change of clocks a local day begins an hour early or
  // late.
  const phaseOf = (start: number) => ((Math.round(start / size) % length) + length) % length
  const season = coveredTwice(length, starts.map(phaseOf))
  return season
    ? { season, phaseOf }
    : without(`the baseline covers it less than twice, with ${starts.length} windows of ${length}`)
}

/** A season of which there are two windows of every phase, or undefined. */
export function coveredTwice(length: number, phases: readonly number[]): Season | undefined {
  const counts = Array.from({ length }, (_, phase) => phases.filter((p) => p === phase).length)
  return counts.every((count) => count >= 2) ? { length, phases } : undefined
}

/** A reference, window by window: what tells the noise between windows from drift. Pure. */
import { isFeature } from '../../lib/subjects.ts'
import { durationMs } from '../../lib/durations.ts'
import type { Model } from '../../lib/models.ts'
import type { Season } from '../../lib/stats/window-noise.ts'
import { numericReference, type NumericReference } from '../../lib/stats/window-reference.ts'
import {
  eventsOf,
  isCalendar,
  windowsHolding,
  windowsOfEvents,
  type Window,
} from '../../lib/windows.ts'
import { stepsWithin, type StepCount } from './schedule.ts'
import { effectiveOf, missingOf, totalOf, type WindowCounts } from './window-data.ts'

/** With fewer windows their noise cannot be told: the fixed defaults judge. */
export const LEAST_WINDOWS = 8
/** More of them add nothing but work. */
const MOST_WINDOWS = 200

/** Categories with fewer expected in a window tell nothing by themselves. */
const LEAST_EXPECTED = 5

interface Share {
  count: number
  size: number
}

/** What the windows of a reference say of a subject's categories. */
export interface CategoryReference {
  known: ReadonlySet<string>
  /** Per category that is frequent enough, its share of each window. */
  shares: readonly { category: string; windows: readonly Share[] }[]
  /** What was new in each window, seen from the others. */
  fresh: readonly Share[]
}

export interface ReferenceWindows {
  windows: readonly Window[]
  /** Events per window, by what they are worth. */
  events: readonly number[]
  numeric: ReadonlyMap<string, NumericReference>
  categories: ReadonlyMap<string, CategoryReference>
  /** Per feature and window, events without a value. */
  missing: ReadonlyMap<string, readonly number[]>
  /** Where one is declared and the reference covers it twice. */
  season: Season | undefined
  /** Which phase a window begins in; 0 without a season. */
  phaseOf: (start: number) => number
}

/**
 * The whole, non-overlapping windows with events inside the spans of a reference; empty where they are too few.
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
  return found.length < LEAST_WINDOWS
    ? []
    : found.toSorted((a, b) => a.start - b.start).slice(-MOST_WINDOWS)
}

/** @returns undefined where fewer than {@link LEAST_WINDOWS} windows hold `min_count` events */
export function referenceWindows(
  windows: readonly Window[],
  counts: readonly WindowCounts[],
  model: Model,
): ReferenceWindows | undefined {
  const complete = windows.flatMap((window, i) => {
    const own = counts[i]!
    return own.events >= model.windows.min_count ? [{ window, own }] : []
  })
  if (complete.length < LEAST_WINDOWS) return undefined
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
  const { season, phaseOf } = seasonOf(
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
  }
}

function categoryReference(windows: readonly ReadonlyMap<string, number>[]): CategoryReference {
  const sizes = windows.map(totalOf)
  const known = [...new Set(windows.flatMap((counts) => [...counts.keys()]))].toSorted()
  const expected = known.filter(
    (category) =>
      windows.reduce((total, counts) => total + (counts.get(category) ?? 0), 0) >=
      LEAST_EXPECTED * windows.length,
  )
  // The second of two categories says what the first one says.
  const kept = known.length === 2 ? expected.slice(0, 1) : expected
  return {
    known: new Set(known),
    shares: kept.map((category) => ({
      category,
      windows: windows.map((counts, w) => ({ count: counts.get(category) ?? 0, size: sizes[w]! })),
    })),
    fresh: windows.map((counts, w) => ({
      count: [...counts].reduce(
        (total, [category, n]) =>
          total + (windows.some((other, v) => v !== w && other.has(category)) ? 0 : n),
        0,
      ),
      size: sizes[w]!,
    })),
  }
}

function seasonOf(
  starts: readonly number[],
  { windows: spec }: Model,
): Pick<ReferenceWindows, 'season' | 'phaseOf'> {
  const none = { season: undefined, phaseOf: () => 0 }
  if (spec.season === undefined || isCalendar(spec.size)) return none
  const size = durationMs(spec.size)
  const length = durationMs(spec.season) / size
  if (!Number.isInteger(length) || length < 2) return none
  // By the nearest whole window: around a change of clocks a local day begins an hour early or late.
  const phaseOf = (start: number) => ((Math.round(start / size) % length) + length) % length
  const season = coveredTwice(length, starts.map(phaseOf))
  return season ? { season, phaseOf } : none
}

/** A season of which there are two windows of every phase, or undefined. */
export function coveredTwice(length: number, phases: readonly number[]): Season | undefined {
  const counts = Array.from({ length }, (_, phase) => phases.filter((p) => p === phase).length)
  return counts.every((count) => count >= 2) ? { length, phases } : undefined
}

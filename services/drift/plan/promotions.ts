/**
 * When a model's versions took over from one another, and whether that gives the model a baseline
 * of its own. Pure.
 */
import type { Window } from '../../../lib/models/windows.ts'

/** A version that took over; `at` is epoch milliseconds: from here on its windows are its own. */
export interface Promotion {
  version: string
  at: number
}

/** Events that a version served in one span of time to more than its shadow. */
export interface VersionCount {
  /** Start of the span, epoch milliseconds. */
  start: number
  version: string
  events: number
}

/** Share of a span's events from which on a version has served it as a whole. */
const WHOLE_SHARE = 0.9

/**
 * The versions that led the traffic, each time the lead changed. A canary with a part of the
 * traffic is not promoted.
 *
 * @param counts ascending by start
 * @param length of the spans, in milliseconds
 * @returns ascending; a version leads from the start of the first span that it served as a whole,
 *   else from the end of the first
 *   span of which it served more than half
 */
export function promotionsOf(counts: readonly VersionCount[], length: number): Promotion[] {
  const promotions: Promotion[] = []
  for (const [start, inSpan] of Map.groupBy(counts, (count) => count.start)) {
    const all = inSpan.reduce((sum, { events }) => sum + events, 0)
    const leader = inSpan.find(({ events }) => events > all / 2)
    if (!leader || leader.version === promotions.at(-1)?.version) continue
    const isWhole = leader.events >= WHOLE_SHARE * all
    promotions.push({ version: leader.version, at: isWhole ? start : start + length })
  }
  return promotions
}

/**
 * The promotion that gave a window's model a new baseline; undefined where none has.
 *
 * A version whose predecessor served fewer than `least` complete windows renews nothing: versions
 * that follow one another faster than a baseline is learned share one, so that a model with a new
 * version a day is not learning for ever.
 *
 * @param promotions ascending
 * @param completeWithin how many complete windows a span holds
 */
export function renewalBefore(
  window: Window,
  promotions: readonly Promotion[],
  least: number,
  completeWithin: (span: Window) => number,
): Promotion | undefined {
  // A window that two versions share belongs to the former one's time.
  for (let i = promotions.length - 1; i > 0; i--) {
    const { at } = promotions[i]!
    const { at: before } = promotions[i - 1]!
    // Most often too short by its length alone.
    const isLong = at - before >= least * (window.end - window.start) * SHORTEST_WINDOW
    if (at <= window.start && isLong && completeWithin({ start: before, end: at }) >= least)
      return promotions[i]
  }
  return undefined
}

/** Windows of one model differ in length: by the calendar, by their number of events. */
const SHORTEST_WINDOW = 0.1

/**
 * When the absence of events means something. A replayed history and an import have no silence:
 * their events come long after they happened. Pure; instants are epoch milliseconds.
 */
import { durationMs } from '../../../lib/runtime/durations.ts'
import { largest } from '../../../lib/stats/samples/extremes.ts'
import {
  bucketMs,
  eventsOf,
  longestMs,
  windowsHolding,
  type Window,
} from '../../../lib/models/windows.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import { MIN_COUNTS } from '../../../lib/stats/window-tests/count-test.ts'

/**
 * Events of a live model come within this much of their own time, or within a window where that is
 * longer.
 */
const MIN_LIVE_MS = 3_600_000
/** Windows of one silence that get a row; the alarm of them lasts until events come again. */
const MAX_SILENT_WINDOWS = 100
/** Silent windows that get a row, where the model had fewer windows itself. */
const MIN_SILENT_WINDOWS = 8
/** Windows before one, whose events say what is usual. */
const MAX_HISTORY = 60
/** Share by which lengths may differ: a local day lasts 23 to 25 hours, a month 28 to 31 days. */
const MAX_UNLIKE = 0.11
/** How far back windows of the same phase are looked for. */
const MAX_LOOKED_AT = 10_000

/** The declared season in milliseconds. */
export const seasonOf = ({ windows: { season } }: Model): number | undefined =>
  season === undefined ? undefined : durationMs(season)

/** How long after it happened an event of a live model may come, in milliseconds. */
export const liveDelayMs = ({ windows }: Pick<Model, 'windows'>): number =>
  Math.max(MIN_LIVE_MS, longestMs(windows))

/** Whether a model's newest events came within max(window, 1 h) of their own time. */
export function isLive(
  partitions: readonly { newest: number; receivedAt: number }[],
  model: Model,
): boolean {
  if (partitions.length === 0 || eventsOf(model.windows.size) !== undefined) return false
  const received = largest(partitions.map((p) => p.receivedAt))
  return Math.abs(received - largest(partitions.map((p) => p.newest))) <= liveDelayMs(model)
}

/** A window that has passed without an event. */
export interface SilentWindow extends Window {
  /** After it no row is written until events come again; of how many windows it is the last. */
  lastOf?: number
}

/**
 * Windows after a model's newest event that have passed without one, ascending: as many as it had
 * windows with events, 8 at least and 100 at most. A model that somebody invented, or that was
 * switched off, so costs no rows for ever. A window that holds the newest event is not among them.
 *
 * @param steps time buckets, ascending; those with labels alone do not count
 * @param until all events before this instant are considered complete
 * @param lived windows that held events
 */
export function silentWindows(
  steps: readonly { step: number; events: number }[],
  until: number,
  spec: Model['windows'],
  lived: number,
): SilentWindow[] {
  const newest = steps.findLast(({ events }) => events > 0)
  if (!newest) return []
  const most = Math.min(MAX_SILENT_WINDOWS, Math.max(MIN_SILENT_WINDOWS, lived))
  const bucket = bucketMs(spec)
  // Windows that begin before the newest event hold it: as many more are looked at.
  const last = Math.min(until, newest.step + (most + 2) * longestMs(spec))
  const instants: number[] = []
  for (let instant = newest.step + bucket; instant < last; instant += bucket) instants.push(instant)
  return windowsHolding(spec, instants)
    .filter(({ start, end }) => start > newest.step && end <= until)
    .slice(0, most)
    .map((window, i) => (i === most - 1 ? { ...window, lastOf: most } : window))
}

/**
 * Whether the silence of a model was told of already: an import of older events, which come long
 * after they happened, does not end it.
 */
export function isSilent(
  steps: readonly { step: number; events: number }[],
  evaluated: readonly CountedWindow[],
): boolean {
  const newest = steps.findLast(({ events }) => events > 0)
  return (
    newest !== undefined &&
    evaluated.some(({ start, events }) => events === 0 && start > newest.step)
  )
}

/** A window of a model's life, by what came in it. */
export interface CountedWindow extends Window {
  events: number
  /** The gravest verdict, of an evaluated window without events. */
  worst?: string
}

/**
 * The windows before one, newest first, whose events say how many are usual: the newest 60 of the
 * same length that overlap neither it nor one another, those without events among them. Left out
 * are windows whose silence alarmed, and the silence that is still going on. A season asks for
 * windows of the same phase, once eight of them are known.
 *
 * @param evaluated windows that were evaluated, ascending by end
 * @param seasonMs length of the declared season
 */
export function usualWindows(
  window: Window,
  evaluated: readonly CountedWindow[],
  seasonMs?: number,
): CountedWindow[] {
  const before = likeWindows(window, evaluated)
  if (seasonMs === undefined) return before.slice(0, MAX_HISTORY)
  const apart = (start: number) => {
    const phase = (((start - window.start) % seasonMs) + seasonMs) % seasonMs
    return Math.min(phase, seasonMs - phase)
  }
  // Around a change of clocks a local day begins an hour early or late.
  const alike = before.filter(({ start }) => apart(start) < (window.end - window.start) / 2)
  return (alike.length >= MIN_COUNTS ? alike : before).slice(0, MAX_HISTORY)
}

/** Windows as long as one, from the newest before it backwards. */
function likeWindows(window: Window, evaluated: readonly CountedWindow[]): CountedWindow[] {
  const length = window.end - window.start
  const before: CountedWindow[] = []
  let { start } = window
  const oldest = Math.max(0, evaluated.length - MAX_LOOKED_AT)
  for (let i = evaluated.length - 1; i >= oldest; i--) {
    const past = evaluated[i]!
    if (past.end > start || Math.abs(past.end - past.start - length) > length * MAX_UNLIKE) continue
    ;({ start } = past)
    const isGoingOn = before.length === 0 && past.events === 0
    if (isGoingOn || (past.events === 0 && past.worst === 'alarm')) continue
    before.push(past)
  }
  return before
}

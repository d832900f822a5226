/** Which spans of a model's life say what each of its senders usually sends. Pure. */
import { TIME_BUCKET_MS, type Window } from '../../../lib/models/windows.ts'
import type { Sender, SenderKind } from '../data/senders.ts'

const DAY_MS = 86_400_000
/** Days before one that say how many labels are usual. */
const MAX_DAYS = 60
/** Windows without an event after which a producer is taken to have ended. */
export const PRODUCER_WINDOWS = 3
/** How long a topic or a source of labels that has ended is told of. */
export const SOURCE_MS = 7 * DAY_MS

/** Spans that are compared: that of the window, and those before it, newest first. */
export interface SenderSpans {
  window: Window
  usual: readonly Window[]
}

/**
 * Whether counts of time buckets add up to a window; of a shorter one nothing is said of senders.
 */
export const isCountable = ({ start, end }: Window): boolean =>
  start % TIME_BUCKET_MS === 0 && end % TIME_BUCKET_MS === 0 && end > start

/**
 * Spans of labels: they come in daily batches as often as one by one, so that nothing shorter than
 * a day is compared.
 */
export function labelSpans(window: Window, usual: readonly Window[]): SenderSpans {
  if (window.end - window.start >= DAY_MS) return { window, usual }
  const day = (i: number) => ({
    start: window.end - (i + 1) * DAY_MS,
    end: window.end - i * DAY_MS,
  })
  return { window: day(0), usual: Array.from({ length: MAX_DAYS }, (_, i) => day(i + 1)) }
}

/**
 * The instant up to which a sender's newest event may lie so that it still is, or was just told of:
 * those that ended before need no word any more.
 *
 * @param served windows of the model with events, ascending by end, none later than this one
 */
export function toldSince(kind: SenderKind, window: Window, served: readonly Window[]): number {
  const before = served.at(-PRODUCER_WINDOWS - 2)?.start ?? window.start
  return kind === 'producer' ? before : Math.min(before, window.end - SOURCE_MS - DAY_MS)
}

/**
 * A sender as it is evaluated: its counts from its first event to its newest alone.
 *
 * @param counts of each of the spans before, in their order
 * @param served windows of the model with events, ascending by end, this one among them
 */
export function senderOf(
  {
    kind,
    name,
    now,
    counts,
    first,
    newest,
  }: {
    kind: SenderKind
    name: string
    now: number
    counts: readonly number[]
    first: number
    newest: number
  },
  { usual }: SenderSpans,
  served: readonly Window[],
): Sender {
  const lived = ({ start, end }: Window) => end > first && start <= newest
  return {
    kind,
    name,
    now,
    newest,
    usual: counts.filter((_, i) => lived(usual[i]!)),
    silentWindows: served.filter(({ start }) => start > newest).length,
  }
}

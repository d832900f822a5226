/** Which windows of a model are to be judged now. Pure. */
import { largest, smallest } from '../../lib/stats/extremes.ts'
import { durationMs } from '../../lib/durations.ts'
import type { Model } from '../../lib/models.ts'
import type { Worst } from './episodes.ts'
import { eventsOf, windowsBetween, windowsOfEvents, type Window } from '../../lib/windows.ts'

/** Additive counters per time step. */
export interface StepCount {
  step: number
  events: number
  changes: number
}

export interface PartitionProgress {
  newest: number
  receivedAt: number
}

/** What a window's newest revision was made from. */
export interface Judged {
  start: number
  end: number
  revision: number
  events: number
  changes: number
  maturity: number
  worst: Worst
  /** Some drift verdict of it is an alarm. */
  alarmed: boolean
  episode: string
}

export interface Due extends Window {
  events: number
  changes: number
  /** The last of `labels.judge_at` that has passed, as shares of the label horizon; 0 before the first. */
  maturity: number
  previous: Judged | undefined
  /** Data of a window judged before has changed, as opposed to time having passed. */
  restates: boolean
}

export interface Progress {
  /** All events before this are thought to have come. */
  watermark: number
  /** No event for `windows.idle`: the wall clock may close windows too. */
  idle: boolean
}

/**
 * The watermark of a model: the newest event of its slowest live log partition, less the lateness.
 *
 * @param now wall clock, epoch milliseconds
 */
export function progressOf(
  partitions: readonly PartitionProgress[],
  model: Model,
  now: number,
): Progress {
  const lateness = durationMs(model.windows.lateness)
  const live = partitions.filter(
    (partition) => partition.receivedAt > now - durationMs(model.windows.idle),
  )
  const newest =
    live.length > 0 ? smallest(live.map((p) => p.newest)) : largest(partitions.map((p) => p.newest))
  return { watermark: newest - lateness, idle: live.length === 0 }
}

/** The instant up to which all events are thought to have come, by the watermark or, of a quiet model, by the wall clock. */
export function passedUntil({ watermark, idle }: Progress, model: Model, now: number): number {
  return idle ? Math.max(watermark, now - durationMs(model.windows.lateness)) : watermark
}

/** Windows whose revision is missing or was made from other data, in the order of their ends. */
export function dueWindows(
  steps: readonly StepCount[],
  judged: readonly Judged[],
  progress: Progress,
  model: Model,
  now: number,
): Due[] {
  if (steps.length === 0) return []
  const horizon = durationMs(model.labels.horizon)
  const until = passedUntil(progress, model, now)
  const passed = (instant: number) => until >= instant
  const looks = [...model.labels.judge_at].sort((a, b) => a - b)
  const byWindow = new Map(judged.map((j) => [`${j.start}-${j.end}`, j]))
  const count = eventsOf(model.windows.size)
  const windows =
    count === undefined
      ? windowsBetween(model.windows, steps[0]!.step, steps.at(-1)!.step)
      : windowsOfEvents(
          count,
          steps,
          judged.map(({ start, end }) => ({ start, end })).toSorted((a, b) => a.start - b.start),
        )
  const due: Due[] = []
  let from = 0
  for (const window of windows.toSorted((a, b) => a.end - b.end || a.start - b.start)) {
    if (!passed(window.end)) break
    while (from > 0 && steps[from - 1]!.step >= window.start) from--
    while (from < steps.length && steps[from]!.step < window.start) from++
    let events = 0
    let changes = 0
    for (let i = from; i < steps.length && steps[i]!.step < window.end; i++) {
      events += steps[i]!.events
      changes += steps[i]!.changes
    }
    if (events === 0) continue
    const maturity = looks.findLast((share) => passed(window.end + share * horizon)) ?? 0
    const previous = byWindow.get(`${window.start}-${window.end}`)
    const changed =
      previous !== undefined && (previous.events !== events || previous.changes !== changes)
    if (previous && !changed && previous.maturity === maturity) continue
    // Truth that comes before the last look is awaited, not restated: every look but the last is one look.
    if (previous?.maturity === maturity && maturity < looks.at(-1)! && previous.events === events)
      continue
    due.push({
      ...window,
      events,
      changes,
      maturity,
      previous,
      restates: changed && previous?.maturity === maturity,
    })
  }
  return due
}

/** Which windows of a model are to be judged now. Pure. */
import { durationMs } from '../../lib/durations.ts'
import type { Model } from '../../lib/models.ts'
import type { Worst } from './episodes.ts'
import { windowsBetween, type Window } from '../../lib/windows.ts'

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
  mature: boolean
  worst: Worst
  /** Some drift verdict of it is an alarm. */
  alarmed: boolean
  episode: string
}

export interface Due extends Window {
  events: number
  changes: number
  /** Every prediction of the window is older than the label horizon. */
  mature: boolean
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
    live.length > 0
      ? Math.min(...live.map((p) => p.newest))
      : Math.max(...partitions.map((p) => p.newest), -Infinity)
  return { watermark: newest - lateness, idle: live.length === 0 }
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
  const lateness = durationMs(model.windows.lateness)
  const horizon = durationMs(model.labels.horizon)
  const passed = (instant: number) =>
    progress.watermark >= instant || (progress.idle && now >= instant + lateness)
  const byWindow = new Map(judged.map((j) => [`${j.start}-${j.end}`, j]))
  const windows = windowsBetween(model.windows, steps[0]!.step, steps.at(-1)!.step)
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
    const mature = passed(window.end + horizon)
    const previous = byWindow.get(`${window.start}-${window.end}`)
    const changed =
      previous !== undefined && (previous.events !== events || previous.changes !== changes)
    if (previous && !changed && previous.mature === mature) continue
    // Truth that comes while the window is young is awaited, not restated: it is judged once, when mature.
    if (previous && !mature && previous.events === events) continue
    due.push({
      ...window,
      events,
      changes,
      mature,
      previous,
      restates: changed && previous?.mature === mature,
    })
  }
  return due
}

/** Which windows of a model are to be evaluated now. Pure. */
import { largest, smallest } from '../../../lib/stats/samples/extremes.ts'
import { durationMs } from '../../../lib/runtime/durations.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import type { Worst } from './episodes.ts'
import { isLive as cameInTime, isSilent, silentWindows, type SilentWindow } from './silence.ts'
import {
  eventsOf,
  windowsHolding,
  windowsOfEvents,
  type Window,
} from '../../../lib/models/windows.ts'

/** Additive counters per time step. */
export interface StepCount {
  step: number
  events: number
  changes: number
}

/**
 * How far a log partition has come: its newest event, and when that was received; epoch
 * milliseconds.
 */
export interface PartitionProgress {
  newest: number
  receivedAt: number
}

/** What a window's newest revision was made from. */
export interface EvaluatedWindow {
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

/** A window that is to be evaluated, and why. */
export interface Due extends Window {
  events: number
  changes: number
  /**
   * The last of `labels.evaluate_at` that has passed, as shares of the label horizon; 0 before the
   * first.
   */
  maturity: number
  previous: EvaluatedWindow | undefined
  /** Data of a window evaluated before has changed, as opposed to time having passed. */
  restates: boolean
  /** Windows of the silence that got a row; known in the last of them. */
  lastOf?: number
}

/** How far the events of a model have come; times are epoch milliseconds. */
export interface Progress {
  /** All events before this are thought to have come. */
  watermark: number
  /** No event for `windows.idle`: the wall clock may close windows too. */
  idle: boolean
  /**
   * Its newest events came when they happened, so that their absence means something; see {@link
   * isLive}.
   */
  live?: boolean
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
  return {
    watermark: newest - lateness,
    idle: live.length === 0,
    live: cameInTime(partitions, model),
  }
}

/**
 * The instant up to which all events are thought to have come, by the watermark or, of a quiet
 * model, by the wall clock.
 */
export function completeUntil({ watermark, idle }: Progress, model: Model, now: number): number {
  return idle ? Math.max(watermark, now - durationMs(model.windows.lateness)) : watermark
}

/**
 * Time steps that lie in some spans, in the order of the spans' starts; those of two spans that
 * overlap come once.
 *
 * @param steps ascending
 * @param length of a step: one that reaches into a span lies in it
 */
export function stepsWithin(
  steps: readonly StepCount[],
  spans: readonly Window[],
  length = 1,
): StepCount[] {
  const found: StepCount[] = []
  let next = 0
  for (const { start, end } of spans.toSorted((a, b) => a.start - b.start)) {
    next = Math.max(next, firstFrom(steps, start - length + 1))
    for (; next < steps.length && steps[next]!.step < end; next++) found.push(steps[next]!)
  }
  return found
}

/** The position of the first step at or after an instant. */
function firstFrom(steps: readonly StepCount[], instant: number): number {
  let [low, high] = [0, steps.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (steps[middle]!.step < instant) low = middle + 1
    else high = middle
  }
  return low
}

/** What came from one instant to another, whatever number of steps lies between. */
function sumsOf(steps: readonly StepCount[]) {
  const events = new Float64Array(steps.length + 1)
  const changes = new Float64Array(steps.length + 1)
  steps.forEach((step, i) => {
    events[i + 1] = events[i]! + step.events
    changes[i + 1] = changes[i]! + step.changes
  })
  return ({ start, end }: Window) => {
    const [from, to] = [firstFrom(steps, start), firstFrom(steps, end)]
    return { events: events[to]! - events[from]!, changes: changes[to]! - changes[from]! }
  }
}

/**
 * Windows whose revision is missing or was made from other data, in the order of their ends. The
 * cost is that of the steps with events and of their windows, whatever time lies between them.
 */
export function dueWindows(
  steps: readonly StepCount[],
  evaluated: readonly EvaluatedWindow[],
  progress: Progress,
  model: Model,
  now: number,
): Due[] {
  if (steps.length === 0) return []
  const horizon = durationMs(model.labels.horizon)
  const until = completeUntil(progress, model, now)
  const passed = (instant: number) => until >= instant
  const looks = [...model.labels.evaluate_at].sort((a, b) => a - b)
  const byWindow = new Map(evaluated.map((j) => [`${j.start}-${j.end}`, j]))
  const sumOf = sumsOf(steps)
  const due: Due[] = []
  const windows = windowsOf(steps, evaluated, model)
  const isLive = progress.live || isSilent(steps, evaluated)
  const silent: SilentWindow[] = isLive
    ? silentWindows(steps, until, model.windows, windows.length)
    : []
  for (const window of silent.length === 0 ? windows : [...windows, ...silent].toSorted(byEnd)) {
    if (!passed(window.end)) break
    const { events, changes } = sumOf(window)
    const previous = byWindow.get(`${window.start}-${window.end}`)
    // What was mature before a horizon was learned, or before it was raised, stays so.
    const isMature = events === 0 || (model.labels.isHorizonLearned && previous?.maturity === 1)
    const maturity = isMature
      ? 1
      : (looks.findLast((share) => passed(window.end + share * horizon)) ?? 0)
    const changed =
      previous !== undefined && (previous.events !== events || previous.changes !== changes)
    if (previous && !changed && previous.maturity === maturity) continue
    // Truth that comes before the last look is awaited, not restated: every look but the last is
    // one look.
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

/** All windows of a model that hold events, by their ends. */
function windowsOf(
  steps: readonly StepCount[],
  evaluated: readonly EvaluatedWindow[],
  { windows: spec }: Model,
): Window[] {
  const count = eventsOf(spec.size)
  // A step that holds labels alone makes no window.
  const windows =
    count === undefined
      ? windowsHolding(
          spec,
          steps.flatMap(({ step, events }) => (events > 0 ? [step] : [])),
        )
      : windowsOfEvents(
          count,
          steps,
          evaluated.map(({ start, end }) => ({ start, end })).toSorted((a, b) => a.start - b.start),
        )
  return windows.toSorted(byEnd)
}

const byEnd = (a: Window, b: Window) => a.end - b.end || a.start - b.start

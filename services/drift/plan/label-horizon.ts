/**
 * How long labels take, learned where the model file does not say: a window is then not taken to be
 * complete while a part of its labels is still to come. Pure; instants and spans of time are
 * milliseconds.
 */
import { durationMs } from '../../../lib/runtime/durations.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { stepsWithin, type EvaluatedWindow, type StepCount } from './due-windows.ts'
import { MIN_WINDOWS } from '../data/reference.ts'

/** A label horizon, and what it was learned from. */
export interface LearnedHorizon {
  horizonMs: number
  /** Within how long 99 of 100 labels came, at most a tenth above that. */
  delayP99Ms: number
  labels: number
  windows: number
}

/** How long the labels of one window took. */
export interface WindowDelays {
  /** When the window ended. */
  end: number
  /** Labels by delay: `uptoMs` is the longest of each group. */
  delays: readonly { uptoMs: number; labels: number }[]
}

/** Labels below which 99 of 100 of them say nothing. */
const MIN_LABELS = 200
const SHARE = 0.99
/** Windows must be so many times as old as that share of their labels took. */
const MIN_AGE = 2
/** What takes longer is to be declared. */
const MAX_HORIZON_MS = 90 * 86_400_000
/** A learned horizon gives way to one that is so many times as long, and to no other. */
const RAISED_BY = 2
/** Evaluated windows between two looks at delays. */
const LOOK_EVERY = 8

/**
 * Whether the horizon of a model is learned: none is declared, and a missing label means nothing. A
 * file that says what it means says from when on, by its horizon or by none.
 */
export const learnsHorizon = ({ labels }: Pick<Model, 'labels'>): boolean =>
  !labels.isHorizonDeclared && labels.absent_means === 'unknown'

/**
 * Whether delays are to be looked at: each eighth window, from the eighth on.
 *
 * @param lookedAt how many windows there were at the last look; 0 before the first
 */
export const isTimeToLook = (evaluated: number, lookedAt: number): boolean =>
  evaluated >= lookedAt + LOOK_EVERY

/** Windows whose delays are read, and changes of their outcomes, both at most. */
const MAX_WINDOWS = 32
const MAX_CHANGES = 5_000_000

/**
 * The newest evaluated windows with labels, of which no two overlap: as many as may be read.
 *
 * @param evaluated in any order
 * @param steps ascending
 * @returns ascending by end
 */
export function measurableWindows(
  evaluated: readonly EvaluatedWindow[],
  steps: readonly StepCount[],
): Window[] {
  const chosen: Window[] = []
  let changes = 0
  for (const { start, end, events } of evaluated.toSorted((a, b) => b.end - a.end)) {
    if (chosen.length === MAX_WINDOWS) break
    if (events === 0 || end > (chosen.at(-1)?.start ?? Infinity)) continue
    const own = stepsWithin(steps, [{ start, end }]).reduce((sum, step) => sum + step.changes, 0)
    if (own === 0) continue
    changes += own
    if (changes > MAX_CHANGES) break
    chosen.push({ start, end })
  }
  return chosen.toReversed()
}

/** The model with what was learned of it in place of the horizon that it does not declare. */
export function withHorizon(model: Model, learned: LearnedHorizon | undefined): Model {
  if (!learned || !learnsHorizon(model)) return model
  return {
    ...model,
    labels: { ...model.labels, horizon: `${learned.horizonMs}ms`, isHorizonLearned: true },
  }
}

/**
 * Learns how long labels take, from the newest windows that are old enough to have all of theirs:
 * twice as old as 99 of 100 labels of them and of all older ones took. Delays that are longer than
 * half of what is known cannot be told from labels that never come, and are not learned.
 *
 * @param windows ascending by end, those without labels left out
 * @param before what was learned earlier: it is raised where labels take twice as long, and never
 *   lowered, so that it does not come and go
 * @returns undefined where nothing new is learned: too few labels, none that come after the window
 *   has closed anyway, or more than 90 days
 */
export function learnHorizon(
  windows: readonly WindowDelays[],
  {
    now,
    latenessMs,
    before,
  }: { now: number; latenessMs: number; before?: LearnedHorizon | undefined },
): LearnedHorizon | undefined {
  const counts = new Map<number, number>()
  let labels = 0
  let found: LearnedHorizon | undefined
  for (const [i, { end, delays }] of windows.entries()) {
    for (const { uptoMs, labels: own } of delays) {
      counts.set(uptoMs, (counts.get(uptoMs) ?? 0) + own)
      labels += own
    }
    if (i + 1 < MIN_WINDOWS || labels < MIN_LABELS) continue
    const delayP99Ms = delayOfShare(counts, labels)
    if (now - end < MIN_AGE * delayP99Ms) continue
    found = { horizonMs: roundedUp(delayP99Ms), delayP99Ms, labels, windows: i + 1 }
  }
  if (!found || found.delayP99Ms <= latenessMs || found.horizonMs > MAX_HORIZON_MS) return undefined
  return before && found.horizonMs < RAISED_BY * before.horizonMs ? undefined : found
}

function delayOfShare(counts: ReadonlyMap<number, number>, labels: number): number {
  let seen = 0
  for (const [uptoMs, n] of [...counts].toSorted(([a], [b]) => a - b)) {
    seen += n
    if (seen >= SHARE * labels) return uptoMs
  }
  return 0
}

const UNITS = [
  { ms: 86_400_000, name: 'd' },
  { ms: 3_600_000, name: 'h' },
  { ms: 60_000, name: 'min' },
] as const
/** A unit is used from so many of it on: rounding then adds a tenth at most. */
const MIN_OF_UNIT = 10

const unitOf = (ms: number) =>
  UNITS.find((unit) => ms >= MIN_OF_UNIT * unit.ms) ?? UNITS[UNITS.length - 1]!

const roundedUp = (ms: number) => Math.ceil(ms / unitOf(ms).ms) * unitOf(ms).ms

/** Such as `26 h`, of a horizon that was rounded. */
function inWords(ms: number): string {
  const unit = unitOf(ms)
  return `${Number((ms / unit.ms).toPrecision(3))} ${unit.name}`
}

/** The label horizon of a model, as `GET /v1/models/{id}` answers. */
export interface HorizonNow {
  /** Milliseconds; 0 where there is none. */
  horizon_ms: number
  source: 'declared' | 'learned' | 'none'
  says: string
}

/**
 * Says how long labels are waited for.
 *
 * @param learned undefined before anything was learned
 */
export function horizonNow(model: Model, learned: LearnedHorizon | undefined): HorizonNow {
  const { horizon, isHorizonDeclared } = model.labels
  if (learned && learnsHorizon(model))
    return {
      horizon_ms: learned.horizonMs,
      source: 'learned',
      says: `Labels are waited for ${inWords(learned.horizonMs)}, which was learned: of ${learned.labels} labels in ${learned.windows} windows 99 % came within ${inWords(learned.delayP99Ms)} (labels.horizon in the model file declares another)`,
    }
  if (isHorizonDeclared)
    return {
      horizon_ms: durationMs(horizon),
      source: 'declared',
      says: `Labels are waited for ${horizon}, as the model file says`,
    }
  return {
    horizon_ms: 0,
    source: 'none',
    says: learnsHorizon(model)
      ? `Labels are not waited for: no horizon is declared, and none is learned yet (it takes ${MIN_WINDOWS} windows with ${MIN_LABELS} labels that came later than the windows closed)`
      : 'Labels are not waited for: labels.absent_means is declared without labels.horizon',
  }
}

/** What a policy would have done on windows, ticks, alerts and verdicts that are stored. Pure. */
import { isCanary, type Evidence, type Occasion, type SeenCanary } from './condition-tests.ts'
import { decide, NOT_HELD, type PastRun } from './decide.ts'
import { newsCause } from './news-cause.ts'
import { SPARE_WINDOWS, tickCause, windowCause, type ParsedPolicy } from './policies.ts'

/** A stored window, and what had come of the model by its end. */
export interface TriedWindow {
  /** Epoch milliseconds. */
  windowEnd: number
  /** Labels and predictions of the model up to the end of the window. */
  labels: number
  predictions: number
}

/** What is asked about besides windows: a tick, an alert that came, a silence or a canary's verdict. */
export interface Moment {
  /** Epoch milliseconds. */
  at: number
  occasion: Exclude<Occasion, { kind: 'window' }>
}

/** What was so at a time, besides windows. */
export interface Standing {
  /** When the newest event had come, where that is as long ago as a silence asks; epoch milliseconds. */
  silentSince?: number | undefined
  canary?: SeenCanary | undefined
}

/** What was decided at the end of a window, or at a moment. */
export interface TriedDecision {
  /** Epoch milliseconds. */
  at: number
  occasion: Occasion['kind']
  /** End of the newest window then; undefined where there was none. */
  windowEnd: number | undefined
  launches: boolean
  /** Why it launches, or what holds it back though its condition holds. */
  reason: string
}

/** A part of a trial. */
export interface TrialPart {
  /** Windows that are decided about, by their ends. */
  windows: readonly TriedWindow[]
  /** Moments between the windows before and the end of this part, by their times. */
  moments?: readonly Moment[]
  /** Verdicts and values of these windows, and of those before that its tests look back over. */
  evidence: Pick<Evidence, 'results' | 'values'>
}

/** What a trial begins from. */
export interface TrialStart {
  /** End of the window before the first one that is tried; undefined where there is none. */
  before?: number | undefined
  /** What was so at a time; nothing unless given. */
  standing?: (at: number) => Standing
}

/** A trial under way. */
interface Trial {
  parsed: ParsedPolicy
  standing: (at: number) => Standing
  past: PastRun[]
  /** Causes of what is new that have launched: each does once. */
  answered: Set<string>
  /** The newest window so far. */
  newest: { windowEnd: number | undefined; labels: number; predictions: number }
  since: { labels: number; predictions: number }
}

/**
 * Begins a trial, whose parts are given in the order of their times. Each window and moment is decided
 * about as the service does: with the cool-down and the monthly cap, and with what was launched before.
 * A window is taken to be evaluated when it ends. Each launch is taken to end with a new version at
 * once, after which results count anew.
 *
 * @returns decides about a part: decisions whose condition holds, launches and what held one back
 */
export function tryPolicy(
  parsed: ParsedPolicy,
  { before, standing = () => ({}) }: TrialStart = {},
): (part: TrialPart) => TriedDecision[] {
  const trial: Trial = {
    parsed,
    standing,
    past: [],
    answered: new Set(),
    newest: { windowEnd: before, labels: 0, predictions: 0 },
    since: { labels: 0, predictions: 0 },
  }
  const kinds = (['window', 'news'] as const).filter((kind) => parsed.askedOn.has(kind))
  return ({ windows, moments = [], evidence }) => {
    const lookedBack = lookBack(parsed, evidence)
    const asked = [
      ...windows.map((window) => ({
        at: window.windowEnd,
        window,
        occasions: kinds.map((kind) => ({ kind })),
      })),
      ...moments.map(({ at, occasion }) => ({ at, window: undefined, occasions: [occasion] })),
    ].toSorted((a, b) => a.at - b.at)
    return asked.flatMap(({ at, window, occasions }) => {
      if (window) trial.newest = window
      return decideAt(trial, at, occasions, lookedBack(trial.newest.windowEnd)) ?? []
    })
  }
}

/** Decides about what one time brings; undefined where no condition holds. */
function decideAt(
  trial: Trial,
  at: number,
  occasions: readonly Occasion[],
  evidence: TrialPart['evidence'],
): TriedDecision | undefined {
  const { parsed, past, newest, since, answered } = trial
  const { silentSince, canary } = trial.standing(at)
  const seen = {
    ...evidence,
    windowEnd: newest.windowEnd,
    newLabels: newest.labels - since.labels,
    newPredictions: newest.predictions - since.predictions,
    silentMs: silentSince === undefined ? undefined : at - silentSince,
    canary,
  }
  const decided = occasions.flatMap((occasion) => {
    const cause = causeOf(trial, occasion, at)
    if (answered.has(cause)) return []
    return [{ occasion, cause, ...decide(parsed, { ...seen, occasion }, past, at) }]
  })
  const launch = decided.find(({ action }) => action === 'launch')
  const told = launch ?? decided.find(({ reason }) => reason !== NOT_HELD)
  if (launch) {
    past.push(launchedAt(launch.cause, at, newest.windowEnd))
    answered.add(launch.cause)
    trial.since = { labels: newest.labels, predictions: newest.predictions }
  }
  return (
    told && {
      at,
      occasion: told.occasion.kind,
      windowEnd: newest.windowEnd,
      launches: launch !== undefined,
      reason: told.reason,
    }
  )
}

/** The cause of a decision, as the service names it. */
function causeOf(
  { parsed, since, standing, newest }: Trial,
  occasion: Occasion,
  at: number,
): string {
  if (occasion.kind === 'window') return windowCause(newest.windowEnd!)
  if (occasion.kind === 'tick') return tickCause(at)
  if (occasion.kind === 'alert') return `alert:${occasion.name}:${at}`
  const { countsLabels, countsPredictions, silences, canaries } = parsed
  const { silentSince, canary } = standing(at)
  const isSilent = silentSince !== undefined && silences.some((ms) => at - silentSince > ms)
  return newsCause(
    {
      labels: countsLabels ? since.labels : 0,
      predictions: countsPredictions ? since.predictions : 0,
    },
    isSilent ? silentSince : undefined,
    canaries.some((test) => isCanary(test, canary)) ? canary : undefined,
  )
}

/** What a decision about a window looks back over: the results of a part are gone through once. */
function lookBack({ windows }: ParsedPolicy, { results, values }: TrialPart['evidence']) {
  const resultsOf = Map.groupBy(results, (one) => one.windowEnd)
  const valuesOf = Map.groupBy(values, (one) => one.windowEnd)
  const ends = [...new Set([...resultsOf.keys(), ...valuesOf.keys()])].toSorted((a, b) => a - b)
  return (windowEnd = -Infinity): TrialPart['evidence'] => {
    const until = ends.findLastIndex((end) => end <= windowEnd) + 1
    const read = ends.slice(Math.max(0, until - windows - SPARE_WINDOWS), until)
    return {
      results: read.flatMap((end) => resultsOf.get(end) ?? []),
      values: read.flatMap((end) => valuesOf.get(end) ?? []),
    }
  }
}

const launchedAt = (cause: string, at: number, windowEnd: number | undefined): PastRun => ({
  cause,
  decidedAt: windowEnd ?? at,
  createdAt: at,
  windowEnd,
  promoted: true,
  open: false,
  launched: true,
  failed: false,
  proposed: false,
})

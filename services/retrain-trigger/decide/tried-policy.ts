/** What a policy would have done on windows that are stored. Pure. */
import { testsOf } from '../../../lib/models/language/logic.ts'
import type { Evidence } from './condition-tests.ts'
import { decide, NOT_HELD, type PastRun } from './decide.ts'
import { SPARE_WINDOWS, windowCause, type ParsedPolicy } from './policies.ts'

/** A stored window, and what had come of the model by its end. */
export interface TriedWindow {
  /** Epoch milliseconds. */
  windowEnd: number
  /** Labels and predictions of the model up to the end of the window. */
  labels: number
  predictions: number
}

/** What was decided at the end of a window. */
export interface TriedDecision {
  windowEnd: number
  launches: boolean
  /** Why it launches, or what holds it back though its condition holds. */
  reason: string
}

/** A part of a trial. */
export interface TrialPart {
  /** Windows that are decided about, by their ends. */
  windows: readonly TriedWindow[]
  /** Verdicts and values of these windows, and of those before that its tests look back over. */
  evidence: Pick<Evidence, 'results' | 'values'>
}

/** Tests that stored windows cannot answer: they are taken not to hold. */
const UNTOLD = ['schedule', 'alert', 'silence', 'canary'] as const

/** The kinds of tests of a policy that a trial takes not to hold, each once. */
export const untoldTests = ({ condition }: ParsedPolicy): string[] =>
  UNTOLD.filter((kind) => testsOf(condition).some((test) => test.kind === kind))

/**
 * Begins a trial, whose parts are given in the order of their windows. Each window is decided about
 * as the service does: with the cool-down and the monthly cap, and with what was launched before.
 * Each launch is taken to end with a new version at once, after which results count anew.
 *
 * @returns decides about a part: decisions whose condition holds, launches and what held one back
 */
export function tryPolicy(parsed: ParsedPolicy): (part: TrialPart) => TriedDecision[] {
  const kinds = (['window', 'news'] as const).filter((kind) => parsed.askedOn.has(kind))
  const past: PastRun[] = []
  let since = { labels: 0, predictions: 0 }
  return ({ windows, evidence }) => {
    const lookedBack = lookBack(parsed, evidence)
    return windows.flatMap(({ windowEnd, labels, predictions }) => {
      const seen = {
        ...lookedBack(windowEnd),
        windowEnd,
        newLabels: labels - since.labels,
        newPredictions: predictions - since.predictions,
        silentMs: undefined,
      }
      const decided = kinds.map((kind) =>
        decide(parsed, { ...seen, occasion: { kind } }, past, windowEnd),
      )
      const launch = decided.find(({ action }) => action === 'launch')
      const told = launch ?? decided.find(({ reason }) => reason !== NOT_HELD)
      if (launch) {
        past.push(launchedAt(windowEnd))
        since = { labels, predictions }
      }
      return told ? [{ windowEnd, launches: launch !== undefined, reason: told.reason }] : []
    })
  }
}

/** What a decision about a window looks back over: the results of a part are gone through once. */
function lookBack({ windows }: ParsedPolicy, { results, values }: TrialPart['evidence']) {
  const resultsOf = Map.groupBy(results, (one) => one.windowEnd)
  const valuesOf = Map.groupBy(values, (one) => one.windowEnd)
  const ends = [...new Set([...resultsOf.keys(), ...valuesOf.keys()])].toSorted((a, b) => a - b)
  return (windowEnd: number): TrialPart['evidence'] => {
    const until = ends.findLastIndex((end) => end <= windowEnd) + 1
    const read = ends.slice(Math.max(0, until - windows - SPARE_WINDOWS), until)
    return {
      results: read.flatMap((end) => resultsOf.get(end) ?? []),
      values: read.flatMap((end) => valuesOf.get(end) ?? []),
    }
  }
}

const launchedAt = (windowEnd: number): PastRun => ({
  cause: windowCause(windowEnd),
  decidedAt: windowEnd,
  createdAt: windowEnd,
  windowEnd,
  promoted: true,
  open: false,
  launched: true,
  failed: false,
  proposed: false,
})

/** What a policy would have done on windows that are stored. Pure. */
import { testsOf } from '../../../lib/models/language/logic.ts'
import type { Evidence } from './condition-tests.ts'
import { decide, NOT_HELD, type PastRun } from './decide.ts'
import { windowCause, type ParsedPolicy } from './policies.ts'

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

/** What a trial is made of. */
export interface Trial {
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
 * Decides about each window in turn, as the service does: in its order, with the cool-down and the
 * monthly cap, and with what it launched before. Each launch is taken to end with a new version at
 * once, after which results count anew.
 *
 * @returns decisions whose condition holds: launches, and what held one back
 */
export function tryPolicy(parsed: ParsedPolicy, { windows, evidence }: Trial): TriedDecision[] {
  const past: PastRun[] = []
  const decisions: TriedDecision[] = []
  let since = { labels: 0, predictions: 0 }
  for (const { windowEnd, labels, predictions } of windows) {
    const seen = {
      ...evidence,
      windowEnd,
      newLabels: labels - since.labels,
      newPredictions: predictions - since.predictions,
      silentMs: undefined,
    }
    const kinds = (['window', 'news'] as const).filter((kind) => parsed.askedOn.has(kind))
    const decided = kinds.map((kind) =>
      decide(parsed, { ...seen, occasion: { kind } }, past, windowEnd),
    )
    const launch = decided.find(({ action }) => action === 'launch')
    const held = decided.find(({ action, reason }) => action === 'none' && reason !== NOT_HELD)
    if (launch) {
      past.push(launchedAt(windowEnd))
      since = { labels, predictions }
    }
    const told = launch ?? held
    if (told) decisions.push({ windowEnd, launches: launch !== undefined, reason: told.reason })
  }
  return decisions
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

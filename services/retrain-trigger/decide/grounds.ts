/**
 * What a policy decided on, so that its decision can be made again from what is stored: the policy,
 * its history, and which revisions of which windows it saw. Pure.
 */
import { createHash } from 'node:crypto'
import { testsOf } from '../../../lib/models/language/logic.ts'
import { isWindowTest } from '../../../lib/models/language/policy-tests.ts'
import type { RetrainPolicy } from '../../../schemas/model-retrain.ts'
import {
  sliceName,
  type Evidence,
  type LatestResult,
  type Occasion,
  type SeenCanary,
} from './condition-tests.ts'
import { decide, type Decision, type PastRun } from './decide.ts'
import { parsedAlone, SPARE_WINDOWS, type ParsedPolicy } from './policies.ts'

/** The newest revision of a window of a cohort that a decision saw. */
export interface SeenWindow {
  /** Its end, epoch milliseconds. */
  end: number
  /** '' for the model as a whole. */
  version: string
  /** As `sliceName` joins it, or '' for the whole window. */
  slice: string
  revision: number
}

/** What a decision was made of, as its audit entry keeps it; times are epoch milliseconds. */
export interface Grounds {
  policy: RetrainPolicy
  /** The reference that values were taken against. */
  baseline: string
  occasion: Occasion
  at: number
  window_end: number | null
  new_labels: number
  new_predictions: number
  silent_ms: number | null
  /** Absent of decisions of before, and where none was known. */
  canary?: SeenCanary
  /** Earlier runs of the policy as they stood, the newest ones. */
  history: PastRun[]
  /** Windows whose results its tests could read. */
  seen: SeenWindow[]
  /** SHA-256 of these results. */
  results_sha256: string
}

/** Earlier runs that grounds keep: a cap counts a month, and a cool-down looks at the last. */
const MAX_HISTORY = 200

type Read = Pick<Evidence, 'results' | 'values'>

/** The results that tests of a policy could read, of windows up to the one that is decided about. */
function readable(parsed: ParsedPolicy, evidence: Evidence): Read {
  const { windowEnd } = evidence
  const tests = testsOf(parsed.condition).filter(isWindowTest)
  if (windowEnd === undefined || tests.length === 0) return { results: [], values: [] }
  const names = new Set(
    tests.map(({ family, version = '', slice }) =>
      JSON.stringify([family, version, slice ? sliceName(slice.key, slice.value) : '']),
    ),
  )
  const all = [...evidence.results, ...evidence.values]
  const ends = [...new Set(all.map((result) => result.windowEnd))]
    .filter((end) => end <= windowEnd)
    .toSorted((a, b) => b - a)
  const since = ends.slice(0, parsed.windows + SPARE_WINDOWS).at(-1) ?? windowEnd
  const isRead = ({ family, version, slice, windowEnd: end }: LatestResult) =>
    end >= since && end <= windowEnd && names.has(JSON.stringify([family, version, slice]))
  return { results: evidence.results.filter(isRead), values: evidence.values.filter(isRead) }
}

/** Takes the newest revision of each window's results; a revision that is not told is 0. */
function seenOf({ results, values }: Read): SeenWindow[] {
  const seen = new Map<string, SeenWindow>()
  for (const { windowEnd: end, version, slice, revision = 0 } of [...results, ...values]) {
    const key = JSON.stringify([end, version, slice])
    if ((seen.get(key)?.revision ?? -1) < revision) seen.set(key, { end, version, slice, revision })
  }
  return [...seen.values()].toSorted(
    (a, b) => a.end - b.end || compare(a.version, b.version) || compare(a.slice, b.slice),
  )
}

const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b))

const placeOf = ({ windowEnd, version, slice, family, metric, subject }: LatestResult) =>
  JSON.stringify([windowEnd, version, slice, family, metric, subject])

/** SHA-256 of results in an order of their own; 64 hex digits. */
function digestOf({ results, values }: Read): string {
  const lines = [...results.map((one) => ['verdict', one]), ...values.map((one) => ['value', one])]
  const texts = (lines as ['verdict' | 'value', LatestResult][]).map(([what, one]) =>
    JSON.stringify([what, placeOf(one), one.verdict, one.value]),
  )
  return createHash('sha256').update(texts.toSorted().join('\n')).digest('hex')
}

/** What a decision is made of, from what it is given. */
export function groundsOf(
  parsed: ParsedPolicy,
  evidence: Evidence,
  runs: readonly PastRun[],
  at: number,
): Grounds {
  const read = readable(parsed, evidence)
  return {
    policy: parsed.policy,
    baseline: parsed.baseline,
    occasion: evidence.occasion,
    at,
    window_end: evidence.windowEnd ?? null,
    new_labels: evidence.newLabels,
    new_predictions: evidence.newPredictions,
    silent_ms: evidence.silentMs ?? null,
    ...(evidence.canary && { canary: evidence.canary }),
    history: runs
      .toSorted((a, b) => a.createdAt - b.createdAt)
      .slice(-MAX_HISTORY)
      .map(pastRunOf),
    seen: seenOf(read),
    results_sha256: digestOf(read),
  }
}

/** What a decision looks at of a run, and no more. */
const pastRunOf = (run: PastRun): PastRun => ({
  cause: run.cause,
  decidedAt: run.decidedAt,
  createdAt: run.createdAt,
  windowEnd: run.windowEnd,
  promoted: run.promoted,
  proposed: run.proposed,
  open: run.open,
  launched: run.launched,
  failed: run.failed,
})

/** A decision made again, beside the one that was recorded. */
export interface Replayed {
  recomputed: Decision
  /** What differs, a sentence each; none where the decision is identical. */
  differences: string[]
}

/**
 * Makes a decision again.
 *
 * @param read results of the windows that were seen, in the revisions in which they were
 * @throws where the stored policy is not of the policy language any more
 */
export function replayOf(grounds: Grounds, recorded: Decision, read: Read): Replayed {
  const parsed = parsedAlone(grounds.policy, grounds.baseline)
  const evidence: Evidence = {
    ...read,
    occasion: grounds.occasion,
    windowEnd: grounds.window_end ?? undefined,
    newLabels: grounds.new_labels,
    newPredictions: grounds.new_predictions,
    silentMs: grounds.silent_ms ?? undefined,
    canary: grounds.canary,
  }
  const recomputed = decide(parsed, evidence, grounds.history, grounds.at)
  const again = groundsOf(parsed, evidence, grounds.history, grounds.at)
  const found = new Set(again.seen.map(({ end, version, slice }) => name(end, version, slice)))
  const missing = grounds.seen.filter(
    (seen) => !found.has(name(seen.end, seen.version, seen.slice)),
  )
  const differences = missing.map(
    ({ end, revision }) =>
      `revision ${revision} of the window that ends at ${new Date(end).toISOString()} is not stored any more`,
  )
  if (missing.length === 0 && again.results_sha256 !== grounds.results_sha256)
    differences.push('stored metric results are not those that the decision saw')
  if (recomputed.action !== recorded.action)
    differences.push(`the action is ${recomputed.action}, and ${recorded.action} was recorded`)
  if (recomputed.reason !== recorded.reason)
    differences.push(`the reason is “${recomputed.reason}”, and “${recorded.reason}” was recorded`)
  return { recomputed, differences }
}

const name = (end: number, version: string, slice: string) => JSON.stringify([end, version, slice])

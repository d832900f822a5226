/** (policy, evidence, history, now) -> launch, or the reason for not launching. Pure. */
import { truthOf, type Truth } from '../../../lib/models/language/policy-language.ts'
import type { Condition } from '../../../lib/models/language/policy-tests.ts'
import { durationMs } from '../../../lib/runtime/durations.ts'
import type { RetrainPolicy } from '../../../schemas/model-retrain.ts'
import { truthOfTest, type Evidence } from './condition-tests.ts'

/** An earlier run of the same policy; times are epoch milliseconds. */
export interface PastRun {
  cause: string
  /** Stream time of the decision: the end of its window, where it had one. */
  decidedAt: number
  /** Wall time of the decision. */
  createdAt: number
  windowEnd: number | undefined
  /** Ended with a new version. */
  promoted: boolean
  /** Neither ended nor refused yet. */
  open: boolean
  /** A job was started for it. */
  launched: boolean
  /** Ended without a new version that serves, after its launch. */
  failed: boolean
  /** Whether it was a dry run: nothing was launched. */
  proposed: boolean
}

/**
 * The clock that a limit counts by: the stream's for windows and counts, the wall's for ticks,
 * alerts and people.
 */
export interface Instant {
  clock: 'stream' | 'wall'
  /** Epoch milliseconds. */
  at: number
}

/** Whether a run is launched, and why or why not. */
export interface Decision {
  action: 'launch' | 'none'
  reason: string
}

/** A decision, and what the audit log keeps of what it was made of. */
export interface GroundedDecision extends Decision {
  grounds?: object
}

/** The reason of a decision whose condition is not true; any other names a guard. */
export const NOT_HELD = 'the condition does not hold'

const MONTH_MS = 30 * 86_400_000

/**
 * Decides whether a policy launches a run: its condition, then later windows, open runs, cool-down
 * and monthly cap.
 */
export function decide(
  { policy, condition }: { policy: RetrainPolicy; condition: Condition },
  evidence: Evidence,
  past: readonly PastRun[],
  now: number,
): Decision {
  const none = (reason: string): Decision => ({ action: 'none', reason })
  const runs = countedBy(policy, past)
  const { holds, isNews, reasons } = conditionHolds(condition, evidence, runs)
  if (!holds || !isNews) return none(NOT_HELD)
  const reason = reasons.join('; ') || 'what it rules out is not so'
  const { kind } = evidence.occasion
  const isByStream = kind === 'window' || kind === 'news'
  const lastWindow = Math.max(
    -Infinity,
    ...runs.filter((run) => run.launched || run.open).map((run) => run.windowEnd ?? -Infinity),
  )
  if (isByStream && evidence.windowEnd !== undefined && evidence.windowEnd <= lastWindow)
    return none(`a later window has already launched a run (${reason})`)
  const held =
    kind === 'alert'
      ? heldBackAlert(policy, runs, now)
      : heldBack(policy, runs, { clock: isByStream ? 'stream' : 'wall', at: now })
  return held === undefined ? { action: 'launch', reason } : none(`${held} (${reason})`)
}

/**
 * Whether a condition holds, by results since the newest promotion: a new version begins anew.
 */
function conditionHolds(condition: Condition, evidence: Evidence, runs: readonly PastRun[]): Truth {
  const promotedAt = Math.max(
    -Infinity,
    ...runs.filter((run) => run.promoted).map((run) => run.windowEnd ?? run.decidedAt),
  )
  const since = <T extends { windowEnd: number }>(results: readonly T[]) =>
    results.filter((result) => result.windowEnd > promotedAt)
  const seen = { ...evidence, results: since(evidence.results), values: since(evidence.values) }
  return truthOf(condition, (test) => truthOfTest(test, seen))
}

/** What limits a policy: a dry run counts those before it, and costs a policy in force nothing. */
const countedBy = ({ dry_run: isDry }: Pick<RetrainPolicy, 'dry_run'>, runs: readonly PastRun[]) =>
  isDry ? runs : runs.filter((run) => !run.proposed)

/**
 * Why a policy may not launch now, whatever asks for it: a run is open, the cool-down, the monthly
 * cap. A run that failed, or was called off before its job was started, costs no cool-down; only
 * runs whose job was started count towards the cap.
 */
function heldBack(
  policy: Pick<RetrainPolicy, 'cooldown' | 'max_per_month'>,
  runs: readonly PastRun[],
  { clock, at }: Instant,
): string | undefined {
  if (runs.some((run) => run.open)) return 'a run is under way'
  const timeOf = (run: PastRun) => (clock === 'wall' ? run.createdAt : run.decidedAt)
  const launched = runs.filter((run) => run.launched)
  const last = Math.max(-Infinity, ...launched.filter((run) => !run.failed).map(timeOf))
  if (at < last + durationMs(policy.cooldown)) return `cooling down for ${policy.cooldown}`
  const recent = launched.filter((run) => timeOf(run) > at - MONTH_MS).length
  return recent >= policy.max_per_month
    ? `${recent} runs in 30 days, of ${policy.max_per_month} allowed`
    : undefined
}

const FLAP_MS = 3_600_000

/**
 * Why an alert may not launch: besides what holds every policy back, one that flaps launches once
 * an hour.
 */
export function heldBackAlert(
  policy: Pick<RetrainPolicy, 'cooldown' | 'max_per_month' | 'dry_run'>,
  past: readonly PastRun[],
  now: number,
): string | undefined {
  const runs = countedBy(policy, past)
  const isRecent = (run: PastRun) => run.cause.startsWith('alert:') && run.createdAt > now - FLAP_MS
  return (
    heldBack(policy, runs, { clock: 'wall', at: now }) ??
    (runs.some(isRecent) ? 'an alert has launched a run within the last hour' : undefined)
  )
}

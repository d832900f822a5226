/** Runs that people and alerts ask for, beside those that policies decide by themselves. */
import { randomUUID } from 'node:crypto'
import { messageOf, Problem } from '../../../lib/runtime/errors.ts'
import type { AlertRequest } from '../decide/alert-requests.ts'
import { heldBackAlert } from '../decide/decide.ts'
import { alertedBy, failureReason, parsedPolicyOf } from '../decide/policies.ts'
import { decideTogether, recordDecision } from '../queries/decision-ledger.ts'
import { readCause } from '../queries/decisions.ts'
import type { Run } from '../queries/run-record.ts'
import { readNews } from './news.ts'
import { askNow, type PolicyEngine } from './policies.ts'

/** What a person asks for. */
export interface RunRequest {
  modelId: string
  policy: string
  reason: string
  actor: string
}

/**
 * Records a run that a person asks for: it needs the policy's approvals, but neither its condition
 * nor its cool-down. What counts labels or predictions counts from it.
 *
 * @throws {Problem} 404 where the model has no such policy
 */
export async function requestRun(
  engine: PolicyEngine,
  { modelId, policy: name, reason, actor }: RunRequest,
): Promise<Run | undefined> {
  const { policies, ledger } = engine
  const cause = `request:${randomUUID()}`
  const parsed = parsedPolicyOf(policies, modelId, name)
  if (!parsed)
    throw new Problem(404, 'unknown_policy', `the model ${modelId} has no policy ${name}`)
  const { policy, modelFile } = parsed
  const { labelsKnown, predictionsKnown } = await readNews(engine, modelId, parsed)
  const decision = { action: 'launch', reason } as const
  const about = { modelId, cause, windowEnd: undefined }
  const counted = { modelFile, decidedAt: ledger.now(), labelsKnown, predictionsKnown }
  return recordDecision(
    ledger,
    { ...about, policy: name, decision, revision: 0 },
    { ...about, policy, reason, actor, ...counted },
  )
}

/**
 * Decides about alerts that ask for one policy of one model: one run at most, or the reason for
 * none.
 */
export async function answerAlerts(
  engine: PolicyEngine,
  asked: readonly AlertRequest[],
  actor: string,
): Promise<{ run: Run } | { reason: string }> {
  const { policies, ledger } = engine
  const { modelId, policy: name = '' } = asked[0]!
  const parsed = parsedPolicyOf(policies, modelId, name)
  if (!parsed) return { reason: `the model ${modelId} has no policy ${name}` }
  const { policy, modelFile } = parsed
  const { labelsKnown, predictionsKnown } = await readNews(engine, modelId, parsed)
  const decidedAt = ledger.now()
  return decideTogether(
    ledger,
    {
      modelId,
      policy,
      modelFile,
      actor,
      windowEnd: undefined,
      decidedAt,
      labelsKnown,
      predictionsKnown,
    },
    asked,
    (runs) => heldBackAlert(policy, runs, decidedAt),
  )
}

/**
 * Asks the policies of a model that wait for an alert of this name: the runs they launched, and why
 * the others launched none.
 */
export async function askByAlert(
  engine: PolicyEngine,
  { modelId, name, cause }: AlertRequest,
): Promise<{ launched: string[]; reasons: string[] }> {
  const { policies, ledger } = engine
  const asked = alertedBy(policies, modelId, name)
  if (asked.length === 0)
    return { launched: [], reasons: [`no policy of the model ${modelId} waits for ${name}`] }
  const before = await readCause(ledger.postgres, modelId, cause)
  const occasion = { kind: 'alert', name } as const
  const { failures } = await askNow(engine, modelId, asked, { occasion, cause, at: ledger.now() })
  const after = await readCause(ledger.postgres, modelId, cause)
  const known = new Set(before.flatMap(({ run_id }) => run_id ?? []))
  return {
    launched: after.flatMap(({ run_id }) => (run_id && !known.has(run_id) ? [run_id] : [])),
    reasons: [
      ...after.flatMap(({ run_id, policy, reason }) => {
        if (run_id === null) return [`${policy}: ${reason}`]
        return known.has(run_id) ? ['this alert has already launched a run'] : []
      }),
      ...failures.map(({ policy, error }) => `${policy}: ${failureReason(messageOf(error))}`),
    ],
  }
}

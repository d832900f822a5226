/** Runs that people and alerts ask for, beside those that policies decide by themselves. */
import { randomUUID } from 'node:crypto'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { AlertRequest } from '../decide/alert-requests.ts'
import { heldBack } from '../decide/decide.ts'
import { policyOf } from '../decide/policies.ts'
import { decideTogether, recordDecision } from '../queries/decision-ledger.ts'
import type { Run } from '../queries/run-record.ts'
import type { PolicyEngine } from './policies.ts'

/** What a person asks for. */
export interface RunRequest {
  modelId: string
  policy: string
  reason: string
  actor: string
}

/**
 * Records a run that a person asks for: it needs the policy's approvals, but neither its condition nor its cool-down.
 *
 * @throws {Problem} 404 where the model has no such policy
 */
export async function requestRun(
  { policies, ledger }: PolicyEngine,
  { modelId, policy: name, reason, actor }: RunRequest,
): Promise<Run | undefined> {
  const cause = `request:${randomUUID()}`
  const policy = policyOf(policies, modelId, name)
  if (!policy)
    throw new Problem(404, 'unknown_policy', `the model ${modelId} has no policy ${name}`)
  const decision = { action: 'launch', reason } as const
  const about = { modelId, cause, windowEnd: undefined }
  return recordDecision(
    ledger,
    { ...about, policy: name, decision, revision: 0 },
    { ...about, policy, reason, actor, decidedAt: ledger.now(), labelsKnown: 0 },
  )
}

/** Decides about alerts that ask for one policy of one model: one run at most, or the reason for none. */
export async function answerAlerts(
  { policies, ledger }: PolicyEngine,
  asked: readonly AlertRequest[],
  actor: string,
): Promise<{ run: Run } | { reason: string }> {
  const { modelId, policy: name } = asked[0]!
  const policy = policyOf(policies, modelId, name)
  if (!policy) return { reason: `the model ${modelId} has no policy ${name}` }
  const decidedAt = ledger.now()
  return decideTogether(
    ledger,
    { modelId, policy, actor, windowEnd: undefined, decidedAt, labelsKnown: 0 },
    asked,
    (runs) => heldBack(policy, runs, decidedAt),
  )
}

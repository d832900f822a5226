/** A retraining run as the control database keeps it and as others hear of it. */
import { enqueueMessage, enqueueRow } from '../../../lib/postgres/outbox.ts'
import type { Sql } from '../../../lib/postgres/port.ts'
import type { RetrainPolicy } from '../../../schemas/model-retrain.ts'
import type { RUN_STATES } from '../../../schemas/events/retrain.v1.ts'
import type { RunAnswer } from '../../../schemas/http/retrain-trigger.ts'
import { TOPICS } from '../../../schemas/topics.ts'
import { appendAudit } from '../../../lib/postgres/audit-log.ts'
import type { Reported } from '../decide/acceptance.ts'
import type { StepTerms } from '../decide/rollout.ts'

/** Where a run stands; it moves forward only. */
export type RunState = (typeof RUN_STATES)[number]
/** States that no transition leaves. */
export const ENDED: readonly RunState[] = [
  'proposed',
  'succeeded',
  'failed',
  'timed_out',
  'cancelled',
  'promoted',
  'rolled_back',
  'rejected',
]
/** States in which a run's job may be under way. */
export const HAS_JOB: readonly RunState[] = ['launching', 'running']
/** States of a run whose job has succeeded. */
export const HAS_SUCCEEDED: readonly RunState[] = [
  'succeeded',
  'validating',
  'promoting',
  'promoted',
  'rolled_back',
]

/** A run as `GET /v1/runs` shows it; times are RFC 3339 in UTC. */
export type Run = RunAnswer

/** As a driver gives it: big integers as text, times as dates. */
export type StoredRun = Omit<Run, 'labels_known'> & {
  labels_known: number | string
  predictions_known: number | string
  /** When its job was started; null where none was. */
  launched_at: Date | null
  token_hashes?: string[]
  terms: RunTerms
  detected_at: Date | null
  queued_at: Date | null
  reported: Reported | null
  promoted_stream_at: Date | null
}

/** The rules of a policy that a run keeps, however its model file changes. */
export type RunTerms = Pick<
  RetrainPolicy,
  'accept' | 'validation' | 'watch' | 'dataset' | 'targets' | 'escalate'
> & {
  promote?: StepTerms
}

/**
 * Records the state a run has come to, in the transaction that brought it there: in the audit log,
 * and through the outbox in ClickHouse and in the topic of runs. The launch of a step is told in the
 * audit log of the run whose step it is, and there alone.
 *
 * @param detail what the audit entry holds beside the run's model, policy and reason
 */
export async function recordTransition(
  tx: Sql,
  row: StoredRun,
  actor: string,
  detail: object,
): Promise<void> {
  const run = toRun(row)
  const { model_id, policy, reason } = run
  if (run.step) return recordStep(tx, row, actor, detail)
  await appendAudit(tx, {
    at: new Date(row.updated_at),
    actor,
    action: `run.${run.state}`,
    subject: run.run_id,
    detail: { model_id, policy, reason, ...detail },
  })
  const event = {
    run_id: run.run_id,
    model_id: run.model_id,
    policy: run.policy,
    state: run.state,
    reason: run.reason,
    window_end: run.window_end,
    revision: run.revision,
    at: run.updated_at,
  }
  await enqueueRow(tx, 'retrain_runs_log', {
    ...event,
    message: run.message,
    new_version: run.new_version,
  })
  await enqueueMessage(tx, TOPICS.retrain.topic, run.model_id, event)
}

/** Tells of the launch of a step, with its share. */
async function recordStep(tx: Sql, row: StoredRun, actor: string, detail: object): Promise<void> {
  const { of, action, share, new_version: version } = row.step!
  const { message = '' } = detail as { message?: string }
  const what = `${share} % of the traffic for version ${version}`
  await appendAudit(tx, {
    at: new Date(row.updated_at),
    actor,
    action: `run.${action}.${row.state}`,
    subject: of,
    detail: {
      model_id: row.model_id,
      policy: row.policy,
      ...detail,
      message: message === '' ? what : `${what}: ${message}`,
      step_run: row.run_id,
    },
  })
}

/** Columns that are the launcher's own. */
const OWN_COLUMNS = [
  'place',
  'first_attempt_at',
  'claimed_until',
  'claim',
  'job_state',
  'job_due_at',
  'job_failures',
  'terms',
  'detected_at',
  'queued_at',
  'reported',
  'look_at',
  'promoted_stream_at',
  'withdrawn_at',
] as const

/** A stored row as a run: times as RFC 3339 text, big integers as numbers, no token hashes. */
export function toRun(row: StoredRun): Run {
  const iso = (value: string | Date | null) =>
    value === null ? null : new Date(value).toISOString()
  const { token_hashes: _secret, launched_at: _at, predictions_known: _count, ...rest } = row
  const run = rest as typeof rest & Partial<Record<(typeof OWN_COLUMNS)[number], unknown>>
  for (const column of OWN_COLUMNS) delete run[column]
  return {
    ...run,
    configuration: row.configuration ?? null,
    delegated: row.delegated ?? [],
    rollout: row.rollout ?? null,
    step: row.step ?? null,
    dataset: row.dataset ?? null,
    labels_known: Number(row.labels_known),
    window_end: iso(row.window_end),
    decided_at: iso(row.decided_at)!,
    next_attempt_at: iso(row.next_attempt_at ?? null),
    approval_expires_at: iso(row.approval_expires_at ?? null),
    promoted_at: iso(row.promoted_at ?? null),
    created_at: iso(row.created_at)!,
    updated_at: iso(row.updated_at)!,
  }
}

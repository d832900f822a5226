/** A retraining run as the control database keeps it and as others hear of it. */
import { enqueueMessage, enqueueRow } from '../../../lib/postgres/outbox.ts'
import type { Sql } from '../../../lib/postgres/port.ts'
import type { RUN_STATES } from '../../../schemas/events/retrain.v1.ts'
import type { RunAnswer } from '../../../schemas/http/retrain-trigger.ts'
import { TOPICS } from '../../../schemas/topics.ts'
import { appendAudit } from '../../../lib/postgres/audit-log.ts'

/** Where a run stands; it moves forward only. */
export type RunState = (typeof RUN_STATES)[number]
/** States that no transition leaves. */
export const ENDED: readonly RunState[] = ['succeeded', 'failed', 'rejected', 'cancelled']

/** A run as `GET /v1/runs` shows it; times are RFC 3339 in UTC. */
export type Run = RunAnswer

/** As a driver gives it: big integers as text, times as dates. */
export type StoredRun = Omit<Run, 'labels_known'> & {
  labels_known: number | string
  predictions_known: number | string
  /** When its job was started; null where none was. */
  launched_at: Date | null
  token_hashes?: string[]
}

/**
 * Records the state a run has come to, in the transaction that brought it there: in the audit log,
 * and through the outbox in ClickHouse and in the topic of runs.
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

/** Columns that are the launcher's own. */
const OWN_COLUMNS = [
  'place',
  'first_attempt_at',
  'claimed_until',
  'claim',
  'job_state',
  'job_due_at',
  'job_failures',
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
    labels_known: Number(row.labels_known),
    window_end: iso(row.window_end),
    decided_at: iso(row.decided_at)!,
    next_attempt_at: iso(row.next_attempt_at ?? null),
    created_at: iso(row.created_at)!,
    updated_at: iso(row.updated_at)!,
  }
}

/** A retraining run as the control database keeps it and as others are told of it. */
import { enqueueMessage, enqueueRow } from '../../../lib/postgres/outbox.ts'
import type { Sql } from '../../../lib/postgres/port.ts'
import { TOPICS } from '../../../schemas/topics.ts'
import { audit } from './audit-log.ts'

export type RunState =
  | 'awaiting_approval'
  | 'pending'
  | 'launched'
  | 'running'
  | 'succeeded'
  | 'failed'
  | 'rejected'
  | 'cancelled'
export const ENDED: readonly RunState[] = ['succeeded', 'failed', 'rejected', 'cancelled']

export interface Run {
  run_id: string
  model_id: string
  policy: string
  cause: string
  state: RunState
  reason: string
  message: string
  window_end: string | null
  decided_at: string
  approvals: string[]
  approvals_needed: number
  labels_known: number
  new_version: string
  attempts: number
  revision: number
  created_at: string
  updated_at: string
}

/** As a driver gives it: big integers as text, times as dates. */
export type StoredRun = Omit<Run, 'labels_known'> & {
  labels_known: number | string
  token_hashes?: string[]
}

/** Tells of the state a run has come to, in the transaction that brought it there: audit log, ClickHouse, topic. */
export async function tellRun(
  tx: Sql,
  row: StoredRun,
  actor: string,
  detail: Record<string, unknown>,
): Promise<void> {
  const run = plain(row)
  await audit(tx, new Date(row.updated_at), actor, `run.${run.state}`, run.run_id, {
    model_id: run.model_id,
    policy: run.policy,
    reason: run.reason,
    ...detail,
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

/** A row with its times as RFC 3339 text and its big integers as numbers. */
export function plain(row: StoredRun): Run {
  const iso = (value: string | Date | null) =>
    value === null ? null : new Date(value).toISOString()
  const { token_hashes: _secret, ...rest } = row
  const run = rest as typeof rest & { place?: unknown; next_attempt_at?: unknown }
  delete run.place
  return {
    ...run,
    labels_known: Number(row.labels_known),
    window_end: iso(row.window_end),
    decided_at: iso(row.decided_at)!,
    created_at: iso(row.created_at)!,
    updated_at: iso(row.updated_at)!,
  }
}

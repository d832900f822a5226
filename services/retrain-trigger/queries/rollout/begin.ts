/** Where a rollout begins, and what is read of its steps. */
import type { Sql } from '../../../../lib/postgres/port.ts'
import { newRollout, type StepLaunch, type StepTerms } from '../../decide/rollout.ts'
import { toRun, type Run, type StoredRun } from '../run-record.ts'
import { transition } from '../run-transitions.ts'

/** Begins to give a candidate its traffic, of a run whose job has succeeded or that is accepted. */
export async function beginRollout(
  tx: Sql,
  {
    runId,
    terms,
    reason,
    evidence = {},
  }: { runId: string; terms: StepTerms; reason: string; evidence?: object },
  at: Date,
): Promise<Run> {
  const from = ['succeeded', 'validating'] as const
  await transition(
    tx,
    { runId, actor: 'policy', from, to: 'promoting', detail: { message: reason }, evidence },
    at,
  )
  const [row] = await tx.query<StoredRun>(
    'update runs set rollout = $2::jsonb, look_at = $3 where run_id = $1 returning *',
    [runId, JSON.stringify(newRollout(terms, at.getTime())), at],
  )
  return toRun(row!)
}

/** Reads where the launch of a step stands; undefined where there is none. */
export async function readStepLaunch(
  sql: Sql,
  stepRun: string | null,
): Promise<StepLaunch | undefined> {
  if (stepRun === null) return undefined
  const [row] = await sql.query<Pick<StoredRun, 'state' | 'message' | 'launched_at'>>(
    'select state, message, launched_at from runs where run_id = $1',
    [stepRun],
  )
  if (!row) return undefined
  const { state, message, launched_at: at } = row
  return { state, message, launchedAt: at === null ? undefined : new Date(at).getTime() }
}

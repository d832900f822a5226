/** Runs whose candidate is validated, or whose promotion is watched. */
import { appendAudit } from '../../../lib/postgres/audit-log.ts'
import type { Sql } from '../../../lib/postgres/port.ts'
import { durationMs } from '../../../lib/runtime/durations.ts'
import type { Acceptance, Repair } from '../../../schemas/http/runs/run-outcomes.ts'
import type { Reported } from '../decide/acceptance.ts'
import type { Ledger } from './ledger.ts'
import { toRun, type Run, type RunTerms, type StoredRun } from './run-record.ts'
import { beginRollout } from './rollout/begin.ts'
import { transition } from './run-transitions.ts'

/** Runs that one look takes; the others follow in the next. */
const MAX_RUNS = 50
const WATCHED_WITHIN = '60d'

/** A run that is due to be looked at. */
export interface RunToLookAt {
  run: Run
  terms: RunTerms
  reported: Reported | undefined
  /** How far events had come when it was promoted, epoch milliseconds. */
  promotedStreamAt: number | undefined
}

/** Reads the runs that are due to be looked at, those that have waited longest first. */
export async function readRunsToLookAt(sql: Sql, at: Date): Promise<RunToLookAt[]> {
  const rows = await sql.query<StoredRun>(
    `select * from runs where look_at <= $1 and state in ('validating', 'succeeded', 'promoting', 'promoted') order by look_at, run_id limit ${MAX_RUNS}`,
    [at],
  )
  return rows.map((row) => ({
    run: toRun(row),
    terms: row.terms,
    reported: row.reported ?? undefined,
    promotedStreamAt: row.promoted_stream_at
      ? new Date(row.promoted_stream_at).getTime()
      : undefined,
  }))
}

/** Has a run looked at again, epoch milliseconds; what is known of it stays. */
export async function lookAgain(sql: Sql, runId: string, atMs: number): Promise<void> {
  await sql.query('update runs set look_at = $2 where run_id = $1 and look_at is not null', [
    runId,
    new Date(atMs),
  ])
}

/** Keeps how far events had come when a run was promoted. */
export async function keepStreamTime(sql: Sql, runId: string, atMs: number): Promise<void> {
  await sql.query(
    'update runs set promoted_stream_at = coalesce(promoted_stream_at, $2) where run_id = $1',
    [runId, new Date(atMs)],
  )
}

/**
 * Begins to watch a promotion, of a run that metric results have caused; another has nothing that
 * could be held against what was before.
 */
export async function beginWatch(tx: Sql, runId: string, at: Date): Promise<Run> {
  const [row] = await tx.query<StoredRun>(
    'update runs set promoted_at = $2 where run_id = $1 returning *',
    [runId, at],
  )
  if (row!.triggers.length === 0) return toRun(row!)
  const within = durationMs(row!.terms.watch?.within ?? WATCHED_WITHIN)
  const watching: Repair = {
    outcome: 'watching',
    reason: 'not looked at yet',
    metrics: [],
    evaluated_at: at.toISOString(),
    until: new Date(at.getTime() + within).toISOString(),
  }
  const [watched] = await tx.query<StoredRun>(
    'update runs set repair = $2::jsonb, look_at = $3 where run_id = $1 returning *',
    [runId, JSON.stringify(watching), at],
  )
  return toRun(watched!)
}

/**
 * Records what is known of a candidate; a decision ends the validation of its run, and one that
 * another process or a person has ended meanwhile stays as it is.
 */
export const recordAcceptance = (
  { postgres, now }: Ledger,
  runId: string,
  acceptance: Acceptance,
  lookAtMs: number,
): Promise<Run | undefined> =>
  postgres.transaction(async (tx) => {
    const at = new Date(now())
    const { decision, reason, requirements } = acceptance
    const [row] = await tx.query<StoredRun>(
      `update runs set acceptance = $2::jsonb, look_at = $3 where run_id = $1 and state = 'validating' returning *`,
      [runId, JSON.stringify(acceptance), decision === 'waiting' ? new Date(lookAtMs) : null],
    )
    if (!row || decision === 'waiting') return row && toRun(row)
    const { promote } = row.terms
    if (decision === 'promoted' && promote)
      return beginRollout(tx, { runId, terms: promote, reason, evidence: { requirements } }, at)
    const move = { runId, from: ['validating'], to: decision, actor: 'policy' } as const
    await transition(tx, { ...move, detail: { message: reason }, evidence: { requirements } }, at)
    return decision === 'promoted' ? beginWatch(tx, runId, at) : undefined
  })

/** Records what a promotion has come to; an outcome closes the watch, and is told in the audit log. */
export const recordRepair = (
  { postgres, now }: Ledger,
  run: Pick<Run, 'run_id' | 'model_id' | 'policy'>,
  repair: Repair,
  lookAtMs: number,
): Promise<void> =>
  postgres.transaction(async (tx) => {
    const { outcome, reason, metrics } = repair
    const isOpen = outcome === 'watching'
    const rows = await tx.query(
      `update runs set repair = $2::jsonb, look_at = $3 where run_id = $1
         and state in ('succeeded', 'promoted') and look_at is not null returning run_id`,
      [run.run_id, JSON.stringify(repair), isOpen ? new Date(lookAtMs) : null],
    )
    if (rows.length === 0 || isOpen) return
    await appendAudit(tx, {
      at: new Date(now()),
      actor: 'policy',
      action: `run.outcome.${outcome}`,
      subject: run.run_id,
      detail: { model_id: run.model_id, policy: run.policy, message: reason, metrics },
    })
  })

/** The ledger of retraining runs: one row per cause, every change of state in one transaction with its audit entry. */
import { Problem } from '../../../lib/runtime/errors.ts'
import type { Postgres, Sql } from '../../../lib/postgres/port.ts'
import { audit } from './audit-log.ts'
import { decisionLedger } from './decision-ledger.ts'
import { plain, tellRun, type Run, type RunState, type StoredRun } from './run-record.ts'

export function runLedger(db: Postgres, now: () => number) {
  const at = () => new Date(now())

  /** Moves a run on, if its state allows; one winner among concurrent callers. */
  async function move(
    tx: Sql,
    runId: string,
    from: readonly RunState[],
    to: RunState,
    actor: string,
    detail: { message?: string; new_version?: string } = {},
  ): Promise<Run> {
    const [row] = await tx.query<StoredRun>(
      `update runs set state = $2, revision = revision + 1, updated_at = $3,
         new_version = case when $4 <> '' then $4 else new_version end, message = case when $5 <> '' then $5 else message end
       where run_id = $1 and state = any($6) returning *`,
      [runId, to, at(), detail.new_version ?? '', detail.message ?? '', from],
    )
    if (!row) {
      const [current] = await tx.query<{ state: string }>(
        'select state from runs where run_id = $1',
        [runId],
      )
      if (!current) throw new Problem(404, 'unknown_run', `there is no run ${runId}`)
      throw new Problem(
        409,
        'wrong_state',
        `the run is ${current.state}, and ${to} follows only on ${from.join(', ')}`,
      )
    }
    await tellRun(tx, row, actor, detail)
    return plain(row)
  }

  return {
    ...decisionLedger(db, now),

    list: async (modelId: string | undefined, limit: number): Promise<Run[]> =>
      (
        await db.query<StoredRun>(
          'select * from runs where ($1::text is null or model_id = $1) order by created_at desc, run_id limit $2',
          [modelId ?? null, limit],
        )
      ).map(plain),

    get: async (runId: string): Promise<Run | undefined> => {
      const [row] = await db.query<StoredRun>('select * from runs where run_id = $1', [runId])
      return row && plain(row)
    },

    approve: (runId: string, actor: string) =>
      db.transaction(async (tx) => {
        const [run] = await tx.query<StoredRun>('select * from runs where run_id = $1 for update', [
          runId,
        ])
        if (!run) throw new Problem(404, 'unknown_run', `there is no run ${runId}`)
        if (run.state !== 'awaiting_approval')
          throw new Problem(409, 'wrong_state', `the run is ${run.state}: nothing to approve`)
        if (run.approvals.includes(actor))
          throw new Problem(
            409,
            'already_approved',
            `${actor} has approved this run; another person is needed`,
          )
        const [row] = await tx.query<StoredRun>(
          'update runs set approvals = array_append(approvals, $2), revision = revision + 1, updated_at = $3 where run_id = $1 returning *',
          [runId, actor, at()],
        )
        await audit(tx, at(), actor, 'run.approve', runId, { model_id: run.model_id })
        if (row!.approvals.length < run.approvals_needed) return plain(row!)
        return move(tx, runId, ['awaiting_approval'], 'pending', actor)
      }),

    reject: (runId: string, actor: string, message: string) =>
      db.transaction((tx) =>
        move(tx, runId, ['awaiting_approval'], 'rejected', actor, { message }),
      ),
    cancel: (runId: string, actor: string, message: string) =>
      db.transaction((tx) =>
        move(
          tx,
          runId,
          ['awaiting_approval', 'pending', 'launched', 'running'],
          'cancelled',
          actor,
          { message },
        ),
      ),

    /** A job reports; `running` may be said again, and an end is final. */
    report: (
      runId: string,
      state: 'running' | 'succeeded' | 'failed',
      actor: string,
      detail: { message?: string; new_version?: string },
    ) =>
      db.transaction((tx) =>
        move(tx, runId, ['pending', 'launched', 'running'], state, actor, detail),
      ),

    launched: (runId: string) =>
      db.transaction((tx) => move(tx, runId, ['pending'], 'launched', 'launcher')),

    /** Runs whose launch is due, oldest first, at most two of a policy: none waits behind another's many. */
    toLaunch: async (): Promise<Run[]> =>
      (
        await db.query<StoredRun>(
          `select * from (select *, row_number() over (partition by model_id, policy order by created_at, run_id) as place from runs
             where state = 'pending' and (next_attempt_at is null or next_attempt_at <= $1)) as due
           where place <= 2 order by created_at, run_id limit 200`,
          [at()],
        )
      ).map(plain),

    /** Adds the hash of a token by which the run's job may report. */
    addToken: async (runId: string, hash: string) => {
      await db.query(
        'update runs set token_hashes = array_append(token_hashes, $2) where run_id = $1',
        [runId, hash],
      )
    },

    tokenHashes: async (runId: string): Promise<readonly string[]> => {
      const [row] = await db.query<{ token_hashes: string[] }>(
        'select token_hashes from runs where run_id = $1',
        [runId],
      )
      return row?.token_hashes ?? []
    },

    postpone: async (runId: string, untilMs: number) => {
      await db.query(
        'update runs set attempts = attempts + 1, next_attempt_at = $2 where run_id = $1',
        [runId, new Date(untilMs)],
      )
    },

    /** Command runs that a process before this one had begun. */
    inFlight: async (): Promise<Run[]> =>
      (await db.query<StoredRun>(`select * from runs where state in ('launched', 'running')`)).map(
        plain,
      ),

    states: () =>
      db.query<{ model_id: string; state: RunState; n: number }>(
        'select model_id, state, count(*)::int as n from runs group by model_id, state',
      ),
  }
}
export type RunLedger = ReturnType<typeof runLedger>

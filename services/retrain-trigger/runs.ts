/** The ledger of retraining runs: one row per cause, every change of state in one transaction with its audit entry. */
import { randomUUID } from 'node:crypto'
import { Problem } from '../../lib/errors.ts'
import { leaveMessage, leaveRow } from '../../lib/outbox.ts'
import type { Postgres, Sql } from '../../lib/postgres.ts'
import type { RetrainPolicy } from '../../schemas/model.ts'
import { TOPICS } from '../../schemas/topics.ts'
import { audit } from './audit.ts'
import type { Decision, PastRun } from './decide.ts'

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
const APPROVALS = { none: 0, one: 1, two: 2 } as const

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
type StoredRun = Omit<Run, 'labels_known'> & {
  labels_known: number | string
  token_hashes?: string[]
}

export interface NewRun {
  modelId: string
  policy: Pick<RetrainPolicy, 'name' | 'approval'>
  cause: string
  reason: string
  windowEnd: number | undefined
  decidedAt: number
  labelsKnown: number
  /** Who asked for it: a person’s name or key, or `policy`. */
  actor?: string
}

export interface DecisionRecord {
  modelId: string
  policy: string
  cause: string
  decision: Decision
  windowEnd: number | undefined
  revision: number
}

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
    await tell(tx, row, actor, detail)
    return plain(row)
  }

  async function tell(tx: Sql, row: StoredRun, actor: string, detail: Record<string, unknown>) {
    const run = plain(row)
    await audit(tx, at(), actor, `run.${run.state}`, run.run_id, {
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
    await leaveRow(tx, 'retrain_runs_log', {
      ...event,
      message: run.message,
      new_version: run.new_version,
    })
    await leaveMessage(tx, TOPICS.retrain.topic, run.model_id, event)
  }

  async function historyOf(
    sql: Sql,
    modelId: string,
    policy: string,
  ): Promise<(PastRun & { labelsKnown: number })[]> {
    const rows = await sql.query<StoredRun>(
      `select * from runs where model_id = $1 and policy = $2 and state not in ('rejected', 'cancelled') order by decided_at`,
      [modelId, policy],
    )
    return rows.map(plain).map((run) => ({
      decidedAt: Date.parse(run.decided_at),
      windowEnd: run.window_end === null ? undefined : Date.parse(run.window_end),
      promoted: run.state === 'succeeded',
      open: !ENDED.includes(run.state),
      labelsKnown: run.labels_known,
    }))
  }

  async function record(
    tx: Sql,
    answer: DecisionRecord,
    newRun: NewRun | undefined,
  ): Promise<Run | undefined> {
    const { modelId, policy, cause, decision, windowEnd, revision } = answer
    await tx.query(
      `insert into decisions (model_id, policy, cause, action, reason, window_end, evidence_revision, at) values ($1, $2, $3, $4, $5, $6, $7, $8)
       on conflict (model_id, policy, cause) do update set action = excluded.action, reason = excluded.reason, evidence_revision = excluded.evidence_revision, at = excluded.at
       where decisions.action = 'none'`,
      [
        modelId,
        policy,
        cause,
        decision.action,
        decision.reason,
        windowEnd === undefined ? null : new Date(windowEnd),
        revision,
        at(),
      ],
    )
    if (!newRun) return undefined
    const needed = APPROVALS[newRun.policy.approval]
    const [row] = await tx.query<StoredRun>(
      `insert into runs (run_id, model_id, policy, cause, state, reason, window_end, decided_at, labels_known, approvals_needed, created_at, updated_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) on conflict (model_id, policy, cause) do nothing returning *`,
      [
        randomUUID(),
        newRun.modelId,
        newRun.policy.name,
        newRun.cause,
        needed > 0 ? 'awaiting_approval' : 'pending',
        newRun.reason,
        newRun.windowEnd === undefined ? null : new Date(newRun.windowEnd),
        new Date(newRun.decidedAt),
        newRun.labelsKnown,
        needed,
        at(),
      ],
    )
    if (!row) return undefined
    await tell(tx, row, newRun.actor ?? 'policy', {})
    return plain(row)
  }

  return {
    /** Records what a policy answered, and with it the run, once per cause. */
    decided: (answer: DecisionRecord, newRun: NewRun | undefined): Promise<Run | undefined> =>
      db.transaction((tx) => record(tx, answer, newRun)),

    /**
     * Decides about several causes of one policy at once: one run at most, and no other caller decides in between.
     *
     * @returns the run, and why there is none
     */
    decideTogether: (
      asked: Omit<NewRun, 'cause' | 'reason'>,
      causes: readonly { cause: string; reason: string }[],
      heldBack: (runs: readonly PastRun[]) => string | undefined,
    ): Promise<{ run: Run } | { reason: string }> =>
      db.transaction(async (tx) => {
        const { modelId, policy, windowEnd } = asked
        await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
          JSON.stringify([modelId, policy.name]),
        ])
        const known = await tx.query<{ cause: string }>(
          `select cause from decisions where model_id = $1 and policy = $2 and action = 'launch' and cause = any($3::text[])`,
          [modelId, policy.name, causes.map(({ cause }) => cause)],
        )
        const fresh = causes.filter(({ cause }) => !known.some((row) => row.cause === cause))
        const [first] = fresh
        if (!first) return { reason: 'this alert has already launched a run' }
        const held = heldBack(await historyOf(tx, modelId, policy.name))
        const more = fresh.length > 1 ? ` (and ${fresh.length - 1} more alerts)` : ''
        const reason = held === undefined ? `${first.reason}${more}` : `${held} (${first.reason})`
        const action = held === undefined ? 'launch' : 'none'
        const answer = {
          modelId,
          policy: policy.name,
          decision: { action, reason },
          windowEnd,
          revision: 0,
        } as const
        const run = await record(
          tx,
          { ...answer, cause: first.cause },
          held === undefined ? { ...asked, cause: first.cause, reason } : undefined,
        )
        for (const { cause } of fresh.slice(1)) await record(tx, { ...answer, cause }, undefined)
        return run ? { run } : { reason }
      }),

    decisions: async (modelId: string, policy?: string) =>
      (
        await db.query<{
          policy: string
          cause: string
          action: string
          reason: string
          window_end: Date | null
          evidence_revision: number
          at: Date
        }>(
          `select policy, cause, action, reason, window_end, evidence_revision, at from decisions
           where model_id = $1 and ($2::text is null or policy = $2) order by window_end nulls last, at`,
          [modelId, policy ?? null],
        )
      ).map((row) => ({
        ...row,
        window_end: row.window_end && new Date(row.window_end).toISOString(),
        at: new Date(row.at).toISOString(),
      })),

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

    history: (modelId: string, policy: string) => historyOf(db, modelId, policy),

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

/** A row with its times as RFC 3339 text and its big integers as numbers. */
function plain(row: StoredRun): Run {
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

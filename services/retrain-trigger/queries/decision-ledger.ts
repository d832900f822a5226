/** What policies and people decide, once per cause, and the runs that follow from it. */
import { randomUUID } from 'node:crypto'
import type { Postgres, Sql } from '../../../lib/postgres/port.ts'
import type { RetrainPolicy } from '../../../schemas/model.ts'
import type { Decision, PastRun } from '../decide/decide.ts'
import { ENDED, plain, tellRun, type Run, type StoredRun } from './run-record.ts'

const APPROVALS = { none: 0, one: 1, two: 2 } as const

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

type LaunchedRun = PastRun & { labelsKnown: number }

async function historyOf(sql: Sql, modelId: string, policy: string): Promise<LaunchedRun[]> {
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

export function decisionLedger(db: Postgres, now: () => number) {
  const at = () => new Date(now())

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
    await tellRun(tx, row, newRun.actor ?? 'policy', {})
    return plain(row)
  }

  /** Works with the history of one policy while no other caller, here or in another process, decides about it. */
  const deciding = <T>(
    modelId: string,
    policy: string,
    work: (tx: Sql, runs: readonly PastRun[]) => Promise<T>,
  ): Promise<T> =>
    db.transaction(async (tx) => {
      await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
        JSON.stringify([modelId, policy]),
      ])
      return work(tx, await historyOf(tx, modelId, policy))
    })

  return {
    /** Records what was answered for a policy, and with it the run, once per cause. */
    decided: (answer: DecisionRecord, newRun: NewRun | undefined): Promise<Run | undefined> =>
      db.transaction((tx) => record(tx, answer, newRun)),

    /**
     * Decides about one cause of a policy by its history, and records it: of two callers at the same moment the second sees
     * the run of the first.
     */
    decide: (
      answer: Omit<DecisionRecord, 'decision'>,
      by: (runs: readonly PastRun[]) => Decision,
      newRun: Omit<NewRun, 'cause' | 'reason' | 'modelId' | 'windowEnd'>,
    ): Promise<Run | undefined> =>
      deciding(answer.modelId, answer.policy, (tx, runs) => {
        const { modelId, cause, windowEnd } = answer
        const decision = by(runs)
        const { action, reason } = decision
        const run = { ...newRun, modelId, cause, reason, windowEnd }
        return record(tx, { ...answer, decision }, action === 'launch' ? run : undefined)
      }),

    /** Takes back what was answered for a cause that launched nothing. */
    forget: async (modelId: string, policy: string, cause: string): Promise<void> => {
      await db.query(
        `delete from decisions where model_id = $1 and policy = $2 and cause = $3 and action = 'none'`,
        [modelId, policy, cause],
      )
    },

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
      deciding(asked.modelId, asked.policy.name, async (tx, runs) => {
        const { modelId, policy, windowEnd } = asked
        const known = await tx.query<{ cause: string }>(
          `select cause from decisions where model_id = $1 and policy = $2 and action = 'launch' and cause = any($3::text[])`,
          [modelId, policy.name, causes.map(({ cause }) => cause)],
        )
        const fresh = causes.filter(({ cause }) => !known.some((row) => row.cause === cause))
        const [first] = fresh
        if (!first) return { reason: 'this alert has already launched a run' }
        const held = heldBack(runs)
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

    /** What one policy has answered for each window: by cause, whether it launched and on which revision. */
    answers: async (
      modelId: string,
      policy: string,
    ): Promise<ReadonlyMap<string, { launched: boolean; revision: number }>> => {
      const rows = await db.query<{ cause: string; launched: boolean; revision: number }>(
        `select cause, action = 'launch' as launched, evidence_revision as revision from decisions
         where model_id = $1 and policy = $2 and cause like 'window:%'`,
        [modelId, policy],
      )
      return new Map(rows.map((row) => [row.cause, row]))
    },

    /** Decisions about a model, the newest `limit` of them, newest first. */
    decisions: async (modelId: string, limit: number) =>
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
           where model_id = $1 order by at desc, window_end desc, policy, cause limit $2`,
          [modelId, limit],
        )
      ).map((row) => ({
        ...row,
        window_end: row.window_end && new Date(row.window_end).toISOString(),
        at: new Date(row.at).toISOString(),
      })),

    /** The runs of a policy that were neither rejected nor cancelled, oldest first. */
    history: (modelId: string, policy: string) => historyOf(db, modelId, policy),
  }
}

/** What policies and people decide, once per cause, and the runs that follow from it. */
import { randomUUID } from 'node:crypto'
import { durationMs } from '../../../lib/runtime/durations.ts'
import type { Trigger } from '../../../schemas/http/runs/run-outcomes.ts'
import type { Sql } from '../../../lib/postgres/port.ts'
import type { RetrainPolicy } from '../../../schemas/model-retrain.ts'
import type { Decision, GroundedDecision, PastRun } from '../decide/decide.ts'
import { codeSha256 } from './code-version.ts'
import { readLaunchedCauses } from './decisions.ts'
import type { Ledger } from './ledger.ts'
import { recordTransition, toRun, type Run, type RunTerms, type StoredRun } from './run-record.ts'
import { readHistory } from './runs.ts'

const APPROVALS = { none: 0, one: 1, two: 2 } as const

/** What of a policy its runs depend on. */
export type DecidedPolicy = Pick<
  RetrainPolicy,
  'name' | 'approval' | 'approval_expires' | 'dry_run' | 'promote'
> &
  Omit<RunTerms, 'promote'>

/** A run that a decision asks for; times are epoch milliseconds. */
export interface NewRun {
  modelId: string
  policy: DecidedPolicy
  cause: string
  reason: string
  windowEnd: number | undefined
  decidedAt: number
  /** Labelled outcomes and predictions at that time. */
  labelsKnown: number
  predictionsKnown?: number
  /** Who asked for it: a person’s name or key, or `policy`. */
  actor?: string
  /** What its decision was made of, for the audit log. */
  grounds?: object | undefined
  /** SHA-256 of the model file that it was decided with. */
  modelFile: string
  /** The metric results that it is about. */
  triggers?: readonly Trigger[]
  /** When the window that gave the evidence was evaluated. */
  detectedAt?: number | undefined
}

/** What a policy answered for one cause; `windowEnd` is in epoch milliseconds. */
export interface DecisionRecord {
  modelId: string
  policy: string
  cause: string
  decision: Decision
  windowEnd: number | undefined
  /** Revision of the window that the decision saw; 0 where it saw none. */
  revision: number
}

/** Records what was answered for a policy, and with it the run, once per cause. */
export const recordDecision = (
  { postgres, now }: Ledger,
  answer: DecisionRecord,
  newRun: NewRun | undefined,
): Promise<Run | undefined> =>
  postgres.transaction((tx) => record(tx, answer, newRun, new Date(now())))

/**
 * Decides about one cause of a policy by its history, and records it: of two callers at the same
 * moment the second sees the run of the first.
 */
export const decideByHistory = (
  ledger: Ledger,
  answer: Omit<DecisionRecord, 'decision'>,
  by: (runs: readonly PastRun[]) => GroundedDecision,
  newRun: Omit<NewRun, 'cause' | 'reason' | 'modelId' | 'windowEnd'>,
): Promise<Run | undefined> =>
  whileAlone(ledger, answer.modelId, answer.policy, (tx, runs) => {
    const { modelId, cause, windowEnd } = answer
    const { grounds, ...decision } = by(runs)
    const { action, reason } = decision
    const run = { ...newRun, modelId, cause, reason, windowEnd, grounds }
    const at = new Date(ledger.now())
    return record(tx, { ...answer, decision }, action === 'launch' ? run : undefined, at)
  })

/** Takes back what was answered for a cause that launched nothing. */
export async function forgetDecision(
  sql: Sql,
  modelId: string,
  policy: string,
  cause: string,
): Promise<void> {
  await sql.query(
    `delete from decisions where model_id = $1 and policy = $2 and cause = $3 and action = 'none'`,
    [modelId, policy, cause],
  )
}

/**
 * Decides about several causes of one policy at once: one run at most, and no other caller decides
 * in between.
 *
 * @returns the run, or why there is none
 */
export const decideTogether = (
  ledger: Ledger,
  asked: Omit<NewRun, 'cause' | 'reason'>,
  causes: readonly { cause: string; reason: string }[],
  heldBack: (runs: readonly PastRun[]) => string | undefined,
): Promise<{ run: Run } | { reason: string }> =>
  whileAlone(ledger, asked.modelId, asked.policy.name, async (tx, runs) => {
    const { modelId, windowEnd } = asked
    const policy = asked.policy.name
    const names = causes.map(({ cause }) => cause)
    const known = await readLaunchedCauses(tx, modelId, policy, names)
    const fresh = causes.filter(({ cause }) => !known.has(cause))
    const [first] = fresh
    if (!first) return { reason: 'this alert has already launched a run' }
    const held = heldBack(runs)
    const more = fresh.length > 1 ? ` (and ${fresh.length - 1} more alerts)` : ''
    const reason = held === undefined ? `${first.reason}${more}` : `${held} (${first.reason})`
    const decision = { action: held === undefined ? 'launch' : 'none', reason } as const
    const newRun = held === undefined ? { ...asked, cause: first.cause, reason } : undefined
    const answer = { modelId, policy, decision, windowEnd, revision: 0 }
    const at = new Date(ledger.now())
    const run = await record(tx, { ...answer, cause: first.cause }, newRun, at)
    for (const { cause } of fresh.slice(1)) await record(tx, { ...answer, cause }, undefined, at)
    return run ? { run } : { reason }
  })

/**
 * Works with the history of one policy while no other caller, here or in another process, decides
 * about it.
 */
const whileAlone = <T>(
  { postgres }: Ledger,
  modelId: string,
  policy: string,
  work: (tx: Sql, runs: readonly PastRun[]) => Promise<T>,
): Promise<T> =>
  postgres.transaction(async (tx) => {
    await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
      JSON.stringify([modelId, policy]),
    ])
    return work(tx, await readHistory(tx, modelId, policy))
  })

async function record(
  tx: Sql,
  answer: DecisionRecord,
  newRun: NewRun | undefined,
  at: Date,
): Promise<Run | undefined> {
  await upsertDecision(tx, answer, at)
  if (!newRun) return undefined
  const row = await insertRun(tx, newRun, at)
  if (!row) return undefined
  await recordTransition(tx, row, newRun.actor ?? 'policy', {
    configuration: row.configuration,
    ...(newRun.grounds && { grounds: newRun.grounds }),
  })
  return toRun(row)
}

/** Writes what was answered for a cause; a cause that has launched a run keeps its answer. */
const upsertDecision = (
  tx: Sql,
  { modelId, policy, cause, decision, windowEnd, revision }: DecisionRecord,
  at: Date,
) =>
  tx.query(
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
      at,
    ],
  )

/** Nobody approves what nobody has looked at for so long. */
const APPROVAL_EXPIRES = '7d'

/** Writes a run; nothing comes back where its cause has one. */
async function insertRun(tx: Sql, newRun: NewRun, at: Date): Promise<StoredRun | undefined> {
  const { modelId, policy, cause, reason, windowEnd, decidedAt, labelsKnown } = newRun
  const { actor = 'policy', predictionsKnown = 0, triggers = [], detectedAt } = newRun
  const needed = APPROVALS[policy.approval]
  const state = policy.dry_run ? 'proposed' : needed > 0 ? 'awaiting_approval' : 'queued'
  const expiresMs = durationMs(policy.approval_expires ?? APPROVAL_EXPIRES)
  const { accept, validation, watch, dataset, targets, promote, escalate } = policy
  const { launch: _launch, ...steps } = promote ?? {}
  const [row] = await tx.query<StoredRun>(
    `insert into runs (run_id, model_id, policy, cause, state, reason, window_end, decided_at, labels_known, approvals_needed, requested_by, created_at, updated_at,
       predictions_known, message, queued_at, approval_expires_at, detected_at, terms, triggers, configuration)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $12, $11, $11, $13, $14, $15, $16, $17, $18::jsonb, $19::jsonb, $20::jsonb)
     on conflict (model_id, policy, cause) do nothing returning *`,
    [
      randomUUID(),
      modelId,
      policy.name,
      cause,
      state,
      reason,
      windowEnd === undefined ? null : new Date(windowEnd),
      new Date(decidedAt),
      labelsKnown,
      needed,
      at,
      actor,
      predictionsKnown,
      state === 'proposed' ? 'dry run: nothing is launched' : '',
      state === 'queued' ? at : null,
      state === 'awaiting_approval' ? new Date(at.getTime() + expiresMs) : null,
      detectedAt === undefined ? null : new Date(detectedAt),
      JSON.stringify({
        accept,
        validation,
        watch,
        dataset,
        targets,
        escalate,
        ...(promote && { promote: steps }),
      }),
      JSON.stringify(triggers),
      JSON.stringify({ model_file_sha256: newRun.modelFile, code_sha256: codeSha256() }),
    ],
  )
  return row
}

/**
 * How the traffic of a candidate moves on: each change is one transaction that holds the run, writes
 * the run that launches the step, once, and tells the audit log.
 */
import { randomUUID } from 'node:crypto'
import { appendAudit } from '../../../../lib/postgres/audit-log.ts'
import type { Sql } from '../../../../lib/postgres/port.ts'
import { Problem } from '../../../../lib/runtime/errors.ts'
import type { Rollout, RolloutStep } from '../../../../schemas/http/runs/rollout.ts'
import { pauseAfter } from '../../decide/rollout-looks.ts'
import type { Move } from '../../decide/rollout.ts'
import { markToCancel } from '../jobs.ts'
import type { Ledger } from '../ledger.ts'
import { recordTransition, toRun, type Run, type StoredRun } from '../run-record.ts'
import { beginWatch } from '../run-outcomes.ts'
import { transition } from '../run-transitions.ts'

/** Who moves it, why, and when. */
interface By {
  actor: string
  /** What a person said; '' leaves the reason of the move. */
  message: string
  at: Date
}

/**
 * Makes a move that was decided on a rollout as it was seen; one that has changed meanwhile, by
 * another process or a person, stays as it is.
 *
 * @returns the run, or undefined where it has changed
 */
export const applyMove = (
  { postgres, now }: Ledger,
  runId: string,
  seen: Rollout,
  move: Move,
): Promise<Run | undefined> =>
  postgres.transaction(async (tx) => {
    const row = await lockRun(tx, runId)
    if (row?.rollout?.turn !== seen.turn || !IN_ROLLOUT.includes(row.state)) return undefined
    return change(tx, row, move, { actor: 'policy', message: '', at: new Date(now()) })
  })

/**
 * Makes the move that a person asks for.
 *
 * @param choose the move by the run as it is, or why there is none
 * @throws {Problem} 404 where there is no such run, 409 where it has no steps, or none to make now
 */
export const moveByPerson = (
  { postgres, now }: Ledger,
  runId: string,
  { actor, message }: { actor: string; message: string },
  choose: (run: Run, rollout: Rollout) => Move | string,
): Promise<Run> =>
  postgres.transaction(async (tx) => {
    const row = await lockRun(tx, runId)
    if (!row) throw new Problem(404, 'unknown_run', `there is no run ${runId}`)
    if (!row.rollout || !IN_ROLLOUT.includes(row.state))
      throw new Problem(409, 'wrong_state', `the run is ${row.state}: no traffic is being moved`)
    const move = choose(toRun(row), row.rollout)
    if (typeof move === 'string') throw new Problem(409, 'wrong_state', move)
    return change(tx, row, move, { actor, message, at: new Date(now()) })
  })

/** States of a run whose traffic may move; one that is promoted may be taken back. */
const IN_ROLLOUT: readonly string[] = ['promoting', 'promoted']

async function lockRun(tx: Sql, runId: string): Promise<StoredRun | undefined> {
  const [row] = await tx.query<StoredRun>('select * from runs where run_id = $1 for update', [
    runId,
  ])
  return row
}

/** Makes a move of a run that is locked in this transaction. */
export async function change(tx: Sql, row: StoredRun, move: Move, by: By): Promise<Run> {
  const rollout = row.rollout!
  if (move.kind === 'stay') return keep(tx, row, move.rollout, lookAfter(row, move.rollout, by.at))
  const reason = [move.reason, by.message].filter((text) => text !== '').join(': ')
  const next: Rollout = { ...rollout, reason, turn: rollout.turn + 1 }
  if (move.kind === 'hold') return hold(tx, row, { ...next, ...holding(move) }, by)
  if (move.kind === 'step') return toStep(tx, row, { move, next }, by)
  if (move.kind === 'roll_back') return goBack(tx, row, next, by)
  return end(tx, row, { move, next }, by)
}

const holding = ({ severity, proposes }: Extract<Move, { kind: 'hold' }>) =>
  ({ state: 'held', severity, proposes }) as const

const lookAfter = ({ terms }: StoredRun, rollout: Rollout, at: Date): Date =>
  new Date(at.getTime() + pauseAfter(rollout, terms.promote?.at_least ?? '0s', at.getTime()))

async function keep(tx: Sql, row: StoredRun, rollout: Rollout, lookAt: Date | null): Promise<Run> {
  const [kept] = await tx.query<StoredRun>(
    'update runs set rollout = $2::jsonb, look_at = $3 where run_id = $1 returning *',
    [row.run_id, JSON.stringify(rollout), lookAt],
  )
  return toRun(kept!)
}

/** Keeps a change that was decided, and tells it as the run's message. */
async function keepChange(
  tx: Sql,
  row: StoredRun,
  rollout: Rollout,
  { at }: By,
): Promise<StoredRun> {
  const [kept] = await tx.query<StoredRun>(
    `update runs set rollout = $2::jsonb, look_at = $3, message = $4, revision = revision + 1, updated_at = $5
     where run_id = $1 returning *`,
    [row.run_id, JSON.stringify(rollout), lookAfter(row, rollout, at), rollout.reason, at],
  )
  return kept!
}

async function hold(tx: Sql, row: StoredRun, rollout: Rollout, by: By): Promise<Run> {
  const kept = await keepChange(tx, row, rollout, by)
  await appendAudit(tx, {
    at: by.at,
    actor: by.actor,
    action: 'run.held',
    subject: row.run_id,
    detail: { ...about(row), message: rollout.reason, share: rollout.share },
  })
  return toRun(kept)
}

const about = ({ model_id, policy }: StoredRun) => ({ model_id, policy })

async function toStep(
  tx: Sql,
  row: StoredRun,
  { move, next }: { move: Extract<Move, { kind: 'step' }>; next: Rollout },
  by: By,
): Promise<Run> {
  const share = next.steps[move.place]!
  const current = move.currentVersion
  const step = { action: 'step', share, current_version: current } as const
  const stepRun = await addStepRun(tx, row, { turn: next.turn, reason: next.reason, step }, by)
  const kept = await keepChange(
    tx,
    row,
    { ...begun(next, by.at, stepRun), state: 'moving', place: move.place, ...versionsOf(step) },
    by,
  )
  return toRun(kept)
}

const versionsOf = ({
  share,
  current_version,
}: Pick<RolloutStep, 'share' | 'current_version'>) => ({
  share,
  current_version,
})

/** A step that begins: nothing is known of it. */
const begun = (rollout: Rollout, at: Date, stepRun: string): Rollout => ({
  ...rollout,
  step_run: stepRun,
  begun_at: at.toISOString(),
  served_at: null,
  served_stream_at: null,
  until: null,
  proposes: null,
  severity: null,
  verdict: null,
})

/** Gives the traffic back by a launch of its own; where none was moved there is none to give back. */
async function goBack(tx: Sql, row: StoredRun, next: Rollout, by: By): Promise<Run> {
  if (next.step_run === null) {
    const move = { kind: 'rolled_back', reason: next.reason } as const
    return end(tx, row, { move, next }, by)
  }
  await callOff(tx, next.step_run, by)
  const current = next.current_version
  const step = { action: 'roll_back', share: 0, current_version: current } as const
  const stepRun = await addStepRun(tx, row, { turn: next.turn, reason: next.reason, step }, by)
  // What was known of the step says why it is taken back.
  const { verdict } = next
  const back = { ...begun(next, by.at, stepRun), state: 'going_back', share: 0, verdict } as const
  return toRun(await keepChange(tx, row, back, by))
}

/** Calls off the launch of a step that has not ended. */
async function callOff(tx: Sql, stepRun: string, { actor, at }: By): Promise<void> {
  const [own] = await tx.query<{ state: Run['state'] }>(
    'select state from runs where run_id = $1 for update',
    [stepRun],
  )
  if (!own || !UNDER_WAY.includes(own.state)) return
  await markToCancel(tx, stepRun, at.getTime())
  const move = { runId: stepRun, actor, from: UNDER_WAY, to: 'cancelled' } as const
  await transition(tx, { ...move, detail: { message: 'the traffic is given back' } }, at)
}

const UNDER_WAY: readonly Run['state'][] = ['queued', 'launching', 'running']

async function end(
  tx: Sql,
  row: StoredRun,
  { move, next }: { move: Extract<Move, { kind: 'promote' | 'rolled_back' }>; next: Rollout },
  { actor, at }: By,
): Promise<Run> {
  const isBack = move.kind === 'rolled_back'
  const ended = {
    ...next,
    state: isBack ? 'back' : 'done',
    proposes: null,
    severity: null,
  } as const
  await keep(tx, row, ended, null)
  const to = isBack ? 'rolled_back' : 'promoted'
  const from = isBack ? (['promoting', 'promoted'] as const) : (['promoting'] as const)
  const detail = { message: next.reason }
  const run = await transition(tx, { runId: row.run_id, actor, from, to, detail }, at)
  return isBack ? run : beginWatch(tx, row.run_id, at)
}

/**
 * Adds the run that launches a step: its cause is the turn of the rollout, so that there is one,
 * however many processes make the move.
 */
async function addStepRun(
  tx: Sql,
  row: StoredRun,
  about: { turn: number; reason: string; step: Omit<RolloutStep, 'of' | 'new_version'> },
  { actor, at }: By,
): Promise<string> {
  const { turn, reason, step } = about
  const own: RolloutStep = { of: row.run_id, new_version: row.new_version, ...step }
  const [added] = await tx.query<StoredRun>(
    `insert into runs (run_id, model_id, policy, cause, state, reason, window_end, decided_at, requested_by, created_at, updated_at, queued_at, configuration, step)
     values ($1, $2, $3, $4, 'queued', $5, $6, $7, $8, $9, $9, $9, $10::jsonb, $11::jsonb) returning *`,
    [
      randomUUID(),
      row.model_id,
      row.policy,
      `step:${row.run_id}:${turn}`,
      reason,
      row.window_end,
      row.decided_at,
      actor,
      at,
      JSON.stringify(row.configuration),
      JSON.stringify(own),
    ],
  )
  await recordTransition(tx, added!, actor, { message: reason })
  return added!.run_id
}

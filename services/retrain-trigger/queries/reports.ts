/** What a job says of its run, and what follows on its success. */
import type { Sql } from '../../../lib/postgres/port.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import { durationMs } from '../../../lib/runtime/durations.ts'
import type { Acceptance } from '../../../schemas/http/runs/run-outcomes.ts'
import type { Reported } from '../decide/acceptance.ts'
import type { Ledger } from './ledger.ts'
import { beginRollout } from './rollout/begin.ts'
import { HAS_SUCCEEDED, recordTransition, toRun, type Run, type StoredRun } from './run-record.ts'
import { beginWatch } from './run-outcomes.ts'
import { transition, type TransitionDetail } from './run-transitions.ts'

/** What a job says of its run. */
export interface RunReport extends TransitionDetail {
  state: 'running' | 'succeeded' | 'failed' | 'timed_out'
  /** Metrics of its candidate, and of the version that serves, by `family.metric`. */
  metrics?: Readonly<Record<string, number>>
  current_metrics?: Readonly<Record<string, number>>
}

const VALIDATED_WITHIN = '7d'

/**
 * Records a job's report; an end is final, and may be reported again: the answer is the same, and a
 * version that was not told before is taken. A run whose policy accepts candidates by metrics is
 * validated after its success.
 *
 * @throws {Problem} 404 where there is no such run, 409 where it is not queued, launching or running
 */
export const reportRun = (
  { postgres, now }: Ledger,
  runId: string,
  actor: string,
  { state, metrics = {}, current_metrics: current = {}, ...detail }: RunReport,
): Promise<Run> =>
  postgres.transaction(async (tx) => {
    const at = new Date(now())
    const [row] = await tx.query<StoredRun>('select * from runs where run_id = $1 for update', [
      runId,
    ])
    if (row) await keepReported(tx, row, { candidate: metrics, current }, at)
    if (row && isToldAgain(row, state)) return toldAgain(tx, row, actor, { detail, at })
    const move = { runId, actor, from: ['queued', 'launching', 'running'], to: state } as const
    const run = await transition(tx, { ...move, detail }, at)
    return state === 'succeeded' && !run.step ? afterSuccess(tx, row!, run, at) : run
  })

/** Whether a run has ended so already; whoever refused it before its launch told of no job. */
const isToldAgain = (row: StoredRun, state: RunReport['state']): boolean =>
  state === 'succeeded'
    ? HAS_SUCCEEDED.includes(row.state) || (row.state === 'rejected' && row.launched_at !== null)
    : state !== 'running' && row.state === state

/** Takes the version of a job that has told of its success before. */
async function toldAgain(
  tx: Sql,
  row: StoredRun,
  actor: string,
  { detail, at }: { detail: TransitionDetail; at: Date },
): Promise<Run> {
  const version = detail.new_version ?? ''
  if (version === '' || row.new_version === version) return toRun(row)
  if (row.new_version !== '')
    throw new Problem(
      409,
      'another_version',
      `the run has made version ${row.new_version}, and is now said to have made ${version}`,
    )
  const [completed] = await tx.query<StoredRun>(
    `update runs set new_version = $2, revision = revision + 1, updated_at = $3,
       look_at = case when state = 'promoting' then $3 else look_at end where run_id = $1 returning *`,
    [row.run_id, version, at],
  )
  await recordTransition(tx, completed!, actor, detail)
  return toRun(completed!)
}

/** Adds what was reported of a candidate that is not decided about yet, and has it looked at. */
async function keepReported(
  tx: Sql,
  { run_id: runId, state, reported }: StoredRun,
  { candidate, current }: Reported,
  at: Date,
): Promise<void> {
  const isOpen = ['queued', 'launching', 'running', 'validating'].includes(state)
  if (!isOpen || Object.keys(candidate).length + Object.keys(current).length === 0) return
  const all: Reported = {
    candidate: { ...reported?.candidate, ...candidate },
    current: { ...reported?.current, ...current },
  }
  await tx.query(
    `update runs set reported = $2::jsonb, look_at = case when state = 'validating' then $3 else look_at end where run_id = $1`,
    [runId, JSON.stringify(all), at],
  )
}

/** Begins to validate the candidate, or to watch what its policy takes as it comes. */
async function afterSuccess(tx: Sql, { terms }: StoredRun, run: Run, at: Date): Promise<Run> {
  const { run_id: runId } = run
  if (terms.accept === undefined)
    return terms.promote
      ? beginRollout(tx, { runId, terms: terms.promote, reason: '' }, at)
      : beginWatch(tx, runId, at)
  const within = durationMs(terms.validation?.within ?? VALIDATED_WITHIN)
  const waiting: Acceptance = {
    decision: 'waiting',
    reason: 'not looked at yet',
    requirements: [],
    evaluated_at: at.toISOString(),
    until: new Date(at.getTime() + within).toISOString(),
  }
  await tx.query('update runs set acceptance = $2::jsonb, look_at = $3 where run_id = $1', [
    runId,
    JSON.stringify(waiting),
    at,
  ])
  const move = { runId, from: ['succeeded'], to: 'validating', actor: 'policy' } as const
  return transition(tx, move, at)
}

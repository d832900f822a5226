/** What is asked about runs in the control database. */
import type { Sql } from '../../../lib/postgres/port.ts'
import type { SeenCanary } from '../decide/condition-tests.ts'
import type { PastRun } from '../decide/decide.ts'
import type { StepTerms } from '../decide/rollout.ts'
import { ENDED, toRun, type Run, type RunState, type StoredRun } from './run-record.ts'

/** Reads runs of these models, or of all where undefined, newest first. */
export async function listRuns(
  sql: Sql,
  models: readonly string[] | undefined,
  limit: number,
): Promise<Run[]> {
  const rows = await sql.query<StoredRun>(
    'select * from runs where step is null and ($1::text[] is null or model_id = any($1)) order by created_at desc, run_id limit $2',
    [models ?? null, limit],
  )
  return rows.map(toRun)
}

/** Reads runs of a model that were decided on windows of a span, by the ends of these. */
export async function readModelRuns(
  sql: Sql,
  { modelId, from, to }: { modelId: string; from: number; to: number },
  limit: number,
): Promise<Run[]> {
  const rows = await sql.query<StoredRun>(
    `select * from runs where model_id = $1 and step is null and window_end between $2 and $3
     order by window_end, run_id limit $4`,
    [modelId, new Date(from), new Date(to), limit],
  )
  return rows.map(toRun)
}

/** Reads one run; undefined where there is none of that id. */
export async function readRun(sql: Sql, runId: string): Promise<Run | undefined> {
  const [row] = await sql.query<StoredRun>('select * from runs where run_id = $1', [runId])
  return row && toRun(row)
}

/** Reads the rules of a run's rollout; undefined where it has none, or there is no such run. */
export async function readStepTerms(sql: Sql, runId: string): Promise<StepTerms | undefined> {
  const [row] = await sql.query<Pick<StoredRun, 'terms'>>(
    'select terms from runs where run_id = $1',
    [runId],
  )
  return row?.terms.promote
}

/**
 * Reads runs whose launch is due and that no process has claimed, oldest first: at most two of a
 * policy, so that none waits behind another's many, and 200 in all.
 */
export async function readDueRuns(sql: Sql, at: Date): Promise<Run[]> {
  const rows = await sql.query<StoredRun>(
    `select * from (select *, row_number() over (partition by model_id, policy order by created_at, run_id) as place from runs
       where state = 'queued' and (next_attempt_at is null or next_attempt_at <= $1)
         and (claimed_until is null or claimed_until <= $1)) as due
     where place <= 2 order by created_at, run_id limit 200`,
    [at],
  )
  return rows.map(toRun)
}

/**
 * Reads runs whose job is under way, has no system that could be asked after it, and is claimed by
 * no process any more.
 */
export async function readUnclaimedInFlight(sql: Sql, at: Date): Promise<Run[]> {
  const rows = await sql.query<StoredRun>(
    `select * from runs where state in ('launching', 'running') and job_id is null
       and (claimed_until is null or claimed_until <= $1)`,
    [at],
  )
  return rows.map(toRun)
}

/**
 * Reads the hashes of the tokens by which a run's job may report; none where there is no such run.
 */
export async function readTokenHashes(sql: Sql, runId: string): Promise<readonly string[]> {
  const [row] = await sql.query<{ token_hashes: string[] }>(
    'select token_hashes from runs where run_id = $1',
    [runId],
  )
  return row?.token_hashes ?? []
}

/** A run as later decisions about its policy see it. */
export type EarlierRun = PastRun & { labelsKnown: number; predictionsKnown: number }

/** Reads the runs of a policy, whatever became of them, oldest decision first. */
export async function readHistory(
  sql: Sql,
  modelId: string,
  policy: string,
): Promise<EarlierRun[]> {
  const rows = await sql.query<StoredRun>(
    'select * from runs where model_id = $1 and policy = $2 and step is null order by decided_at',
    [modelId, policy],
  )
  return rows.map((row) => {
    const run = toRun(row)
    const windowEnd = run.window_end === null ? undefined : Date.parse(run.window_end)
    const { state } = run
    return {
      cause: run.cause,
      decidedAt: windowEnd ?? Date.parse(run.decided_at),
      createdAt: Date.parse(run.created_at),
      windowEnd,
      promoted: state === 'succeeded' || state === 'promoted',
      open: !ENDED.includes(state),
      proposed: state === 'proposed',
      launched: state === 'succeeded' || state === 'proposed' || row.launched_at !== null,
      failed: FAILED.includes(state) || (state === 'rejected' && row.launched_at !== null),
      labelsKnown: run.labels_known,
      predictionsKnown: Number(row.predictions_known),
    }
  })
}

/** States of runs that ended without a new version, through no decision before their launch. */
const FAILED: readonly RunState[] = ['failed', 'timed_out', 'rolled_back']

/**
 * Reads what is known of the newest candidate of a model that gets its traffic by steps, and was
 * held against another version; undefined where there is none.
 */
export async function readCanary(sql: Sql, modelId: string): Promise<SeenCanary | undefined> {
  const [row] = await sql.query<Pick<StoredRun, 'run_id' | 'new_version' | 'rollout'>>(
    `select run_id, new_version, rollout from runs
     where model_id = $1 and step is null and rollout->'verdict'->>'decision' is not null
     order by created_at desc, run_id limit 1`,
    [modelId],
  )
  const { verdict, place, share } = row?.rollout ?? {}
  if (!row || !verdict) return undefined
  const { run_id, new_version: version } = row
  return { run_id, version, decision: verdict.decision, place: place!, share: share! }
}

/** What policies and alerts read from ClickHouse. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { sliceName, type LatestResult } from '../decide/decide.ts'

/** An evaluated window and its newest revision. */
export interface WindowRevision {
  /** Epoch milliseconds. */
  windowEnd: number
  revision: number
}

/** A row of `active_alarms` of a model as a whole; times are `YYYY-MM-DD hh:mm:ss.mmm` in UTC. */
export interface ActiveAlarm {
  model_id: string
  family: string
  metric: string
  subject: string
  /** `alarm` or `warning`. */
  verdict: string
  reason: string
  reference: string
  value: number | null
  threshold: number | null
  /** Names the alert episode it belongs to, by its model and the end of its first window; '' outside of one. */
  episode_id: string
  window_start: string
  window_end: string
}

/** The queries of one connection; each throws what ClickHouse throws unless it says otherwise. */
export interface PolicyQueries {
  /** Every evaluated window of a model as a whole with its newest revision, by end. */
  windows: (modelId: string) => Promise<WindowRevision[]>
  /** How many revisions of windows each of the models has; models without one are left out. */
  revisions: (modelIds: readonly string[]) => Promise<ReadonlyMap<string, number>>
  /**
   * Verdicts of a model as a whole and of its slices, in windows that end from `since` to `until`,
   * both included, epoch milliseconds; without `until` there is no end.
   */
  results: (modelId: string, since: number, until?: number) => Promise<LatestResult[]>
  /** How many predictions of a model have a label. */
  labelledOutcomes: (modelId: string) => Promise<number>
  /** The greatest sequence in the copy of the audit log; undefined when the store cannot be asked. */
  lastAudited: () => Promise<number | undefined>
  /** Active alarms and warnings of each model as a whole; snoozed ones are left out. */
  activeAlarms: () => Promise<ActiveAlarm[]>
}

/** Binds the queries to a connection. */
export const policyQueries = (db: ClickHouse): PolicyQueries => ({
  windows: (modelId) => readWindows(db, modelId),
  revisions: (modelIds) => countRevisions(db, modelIds),
  results: (modelId, since, until) => readResults(db, modelId, since, until),
  labelledOutcomes: (modelId) => countLabelled(db, modelId),
  lastAudited: () => readLastAudited(db),
  activeAlarms: () => readActiveAlarms(db),
})

async function readWindows(db: ClickHouse, modelId: string): Promise<WindowRevision[]> {
  const rows = await db.query<{ end: string; revision: number }>(
    `SELECT toUnixTimestamp64Milli(window_end) AS end, max(revision) AS revision FROM window_revisions
     WHERE model_id = {model:String} AND model_version = '' AND variant = '' AND slice_key = ''
     GROUP BY window_end ORDER BY window_end`,
    { model: modelId },
  )
  return rows.map((row) => ({ windowEnd: Number(row.end), revision: row.revision }))
}

async function countRevisions(
  db: ClickHouse,
  modelIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (modelIds.length === 0) return new Map()
  const rows = await db.query<{ model_id: string; n: string }>(
    'SELECT model_id, count() AS n FROM window_revisions WHERE model_id IN {models:Array(String)} GROUP BY model_id',
    { models: modelIds },
  )
  return new Map(rows.map((row) => [row.model_id, Number(row.n)]))
}

interface ResultRow {
  end: string
  family: string
  metric: string
  subject: string
  slice_key: string
  slice_value: string
  verdict: LatestResult['verdict']
}

async function readResults(
  db: ClickHouse,
  modelId: string,
  since: number,
  until = Number.MAX_SAFE_INTEGER,
): Promise<LatestResult[]> {
  const rows = await db.query<ResultRow>(
    `SELECT toUnixTimestamp64Milli(window_end) AS end, family, metric, subject, slice_key, slice_value, verdict
     FROM verdicts_latest
     WHERE model_id = {model:String} AND model_version = '' AND variant = '' AND convention = 'plumbline'
       AND toUnixTimestamp64Milli(window_end) BETWEEN {since:Int64} AND {until:Int64} AND verdict != 'none'`,
    { model: modelId, since, until },
  )
  return rows.map(({ end, slice_key, slice_value, ...row }) => ({
    ...row,
    windowEnd: Number(end),
    slice: slice_key === '' ? '' : sliceName(slice_key, slice_value),
  }))
}

async function countLabelled(db: ClickHouse, modelId: string): Promise<number> {
  const [row] = await db.query<{ n: string }>(
    `SELECT count() AS n FROM outcome_revisions FINAL WHERE model_id = {model:String} AND name = 'label' AND isNotNull(label)`,
    { model: modelId },
  )
  return Number(row?.n ?? 0)
}

async function readLastAudited(db: ClickHouse): Promise<number | undefined> {
  try {
    const [row] = await db.query<{ n: string }>('SELECT max(sequence) AS n FROM audit_log')
    return Number(row?.n ?? 0)
  } catch {
    return undefined
  }
}

const readActiveAlarms = (db: ClickHouse): Promise<ActiveAlarm[]> =>
  db.query<ActiveAlarm>(
    `SELECT model_id, family, metric, subject, severity AS verdict, reason, reference, value, threshold, episode_id, window_start, window_end
     FROM active_alarms
     WHERE NOT is_snoozed AND model_version = '' AND variant = '' AND slice_key = ''
     ORDER BY model_id, family, metric, subject, reference`,
  )

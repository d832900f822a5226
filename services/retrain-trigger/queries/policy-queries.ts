/** What policies read from ClickHouse. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { ID_SEPARATOR } from '../../../schemas/fields.ts'
import { sliceName, type LatestResult } from '../decide/condition-tests.ts'

/** An evaluated window and its newest revision. */
export interface WindowRevision {
  /** Epoch milliseconds. */
  windowEnd: number
  revision: number
  /** When that revision was made, epoch milliseconds. */
  computedAt: number
}

/**
 * Which windows of a model are asked about: those that end from `since` to `until`, both included,
 * epoch milliseconds.
 */
export interface ResultsQuestion {
  modelId: string
  /** Versions, and '' for the model as a whole. */
  versions: readonly string[]
  since: number
  /** No end unless given. */
  until?: number | undefined
}

/** Which values are asked for. */
export interface ValuesQuestion extends ResultsQuestion {
  /** As `family/metric`. */
  metrics: readonly string[]
  /** The name of the baseline. */
  baseline: string
}

/** The queries of one connection; each throws what ClickHouse throws unless it says otherwise. */
export interface PolicyQueries {
  /** Every evaluated window of a model as a whole with its newest revision, by end. */
  windows: (modelId: string) => Promise<WindowRevision[]>
  /** How many revisions of windows each of the models has; models without one are left out. */
  revisions: (modelIds: readonly string[]) => Promise<ReadonlyMap<string, number>>
  /** Verdicts of a model and of its slices. */
  results: (question: ResultsQuestion) => Promise<LatestResult[]>
  /**
   * Values of metrics, by `family/metric`, of a model and of its slices: against its baseline where
   * they are against a reference.
   */
  values: (question: ValuesQuestion) => Promise<LatestResult[]>
  /** Results and values as a decision saw them: in the newest revisions up to those it saw. */
  seen: (question: SeenQuestion) => Promise<Record<'results' | 'values', LatestResult[]>>
  /** How many predictions of a model have a label. */
  labelledOutcomes: (modelId: string) => Promise<number>
  /** How many predictions of a model have come. */
  predictions: (modelId: string) => Promise<number>
  /** When the newest event of a model came, epoch milliseconds; undefined where none has. */
  lastReceived: (modelId: string) => Promise<number | undefined>
  /**
   * The greatest sequence in the copy of the audit log; undefined when the store cannot be asked.
   */
  lastAudited: () => Promise<number | undefined>
  /**
   * Hashes of these entries in the copy of the audit log, by sequence; none when the store cannot be
   * asked.
   */
  auditedHashes: (sequences: readonly number[]) => Promise<ReadonlyMap<number, string>>
}

/** Binds the queries to a connection. */
export const policyQueries = (db: ClickHouse): PolicyQueries => ({
  windows: (modelId) => readWindows(db, modelId),
  revisions: (modelIds) => countRevisions(db, modelIds),
  results: (question) => readResults(db, question),
  values: (question) => readValues(db, question),
  seen: (question) => readSeen(db, question),
  labelledOutcomes: (modelId) => countLabelled(db, modelId),
  predictions: (modelId) => countPredictions(db, modelId),
  lastReceived: (modelId) => readLastReceived(db, modelId),
  lastAudited: () => readLastAudited(db),
  auditedHashes: (sequences) => readAuditedHashes(db, sequences),
})

async function readWindows(db: ClickHouse, modelId: string): Promise<WindowRevision[]> {
  const rows = await db.query<{ end: string; revision: number; at: string }>(
    `SELECT toUnixTimestamp64Milli(window_end) AS end, max(revision) AS revision, toUnixTimestamp64Milli(max(computed_at)) AS at FROM window_revisions
     WHERE model_id = {model:String} AND model_version = '' AND variant = '' AND slice_key = ''
     GROUP BY window_end ORDER BY window_end`,
    { model: modelId },
  )
  return rows.map((row) => ({
    windowEnd: Number(row.end),
    revision: row.revision,
    computedAt: Number(row.at),
  }))
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

type ResultRow = Omit<LatestResult, 'windowEnd' | 'slice' | 'version'> & {
  end: string
  slice_key: string
  slice_value: string
  model_version: string
}

const RESULT_COLUMNS = `toUnixTimestamp64Milli(window_end) AS end, family, metric, subject, slice_key, slice_value, model_version, verdict, value, revision`
const OF_WINDOWS = `model_id = {model:String} AND model_version IN {versions:Array(String)} AND variant = '' AND convention = 'plumbline'
  AND toUnixTimestamp64Milli(window_end) BETWEEN {since:Int64} AND {until:Int64}`

const resultOf = ({ end, slice_key, slice_value, model_version, ...row }: ResultRow) => ({
  ...row,
  windowEnd: Number(end),
  slice: slice_key === '' ? '' : sliceName(slice_key, slice_value),
  version: model_version,
})

const parametersOf = ({ modelId, versions, since, until }: ResultsQuestion) => ({
  model: modelId,
  versions,
  since,
  until: until ?? Number.MAX_SAFE_INTEGER,
})

async function readResults(db: ClickHouse, question: ResultsQuestion): Promise<LatestResult[]> {
  const rows = await db.query<ResultRow>(
    `SELECT ${RESULT_COLUMNS} FROM verdicts_latest WHERE ${OF_WINDOWS} AND verdict != 'none'`,
    parametersOf(question),
  )
  return rows.map(resultOf)
}

/** Revisions of windows that were seen; the slice as {@link sliceName} joins it. */
export interface SeenQuestion extends ValuesQuestion {
  seen: readonly { end: number; version: string; slice: string; revision: number }[]
}

const SEEN_KEY = `concat(toString(toUnixTimestamp64Milli(window_end)), '\u0001', model_version, '\u0001', if(slice_key = '', '', concat(slice_key, {separator:String}, slice_value)))`
/** Rows as they were when these revisions were the newest. */
const AS_SEEN = `revision <= transform(${SEEN_KEY}, {keys:Array(String)}, {revisions:Array(UInt32)}, toUInt32(0))`
const COHORT = 'window_end, family, metric, subject, slice_key, slice_value, model_version'

/**
 * Reads verdicts and values as a decision saw them: in the newest revisions up to those it saw. What
 * is not of a window it saw is left out.
 */
async function readSeen(
  db: ClickHouse,
  question: SeenQuestion,
): Promise<{ results: LatestResult[]; values: LatestResult[] }> {
  const { seen, metrics, baseline } = question
  if (seen.length === 0) return { results: [], values: [] }
  const parameters = {
    ...parametersOf(question),
    separator: ID_SEPARATOR,
    keys: seen.map(({ end, version, slice }) => `${end}\u0001${version}\u0001${slice}`),
    revisions: seen.map(({ revision }) => revision),
  }
  // The order of `verdicts_latest` among rows of one revision.
  const results = await db.query<ResultRow>(
    `SELECT * FROM (SELECT ${RESULT_COLUMNS} FROM verdicts WHERE ${OF_WINDOWS} AND ${AS_SEEN}
       ORDER BY revision DESC, computed_at DESC, indexOf(['none', 'ok', 'incomplete', 'warning', 'alarm'], verdict) DESC, verdict_id DESC
       LIMIT 1 BY window_start, ${COHORT}, reference) WHERE verdict != 'none'`,
    parameters,
  )
  if (metrics.length === 0) return { results: results.map(resultOf), values: [] }
  const values = await db.query<ResultRow>(
    `SELECT ${RESULT_COLUMNS} FROM (SELECT * FROM window_metrics WHERE ${OF_WINDOWS} AND ${AS_SEEN}
       ORDER BY revision DESC LIMIT 1 BY window_start, ${COHORT}, method, reference)
     WHERE ${IS_COMPARED}
     ORDER BY ${BEST_FIRST} LIMIT 1 BY ${COHORT}`,
    { ...parameters, metrics, baseline },
  )
  return { results: results.map(resultOf), values: values.map(resultOf) }
}

const IS_COMPARED = `concat(family, '/', metric) IN {metrics:Array(String)}
       AND (reference IN ('', {baseline:String}) OR metric IN ('skew', 'missing_skew')) AND isNotNull(value)`
const BEST_FIRST = `method = 'observed' DESC, reference != '' DESC, method`

/**
 * The observed value counts before other methods, and a value against the baseline before one
 * without a reference.
 */
async function readValues(db: ClickHouse, question: ValuesQuestion): Promise<LatestResult[]> {
  const { metrics, baseline } = question
  if (metrics.length === 0) return []
  const rows = await db.query<ResultRow>(
    `SELECT ${RESULT_COLUMNS} FROM window_metrics_latest
     WHERE ${OF_WINDOWS} AND ${IS_COMPARED} ORDER BY ${BEST_FIRST} LIMIT 1 BY ${COHORT}`,
    { ...parametersOf(question), metrics, baseline },
  )
  return rows.map(resultOf)
}

async function countLabelled(db: ClickHouse, modelId: string): Promise<number> {
  const [row] = await db.query<{ n: string }>(
    `SELECT count() AS n FROM outcome_revisions FINAL WHERE model_id = {model:String} AND name = 'label' AND isNotNull(label)`,
    { model: modelId },
  )
  return Number(row?.n ?? 0)
}

async function countPredictions(db: ClickHouse, modelId: string): Promise<number> {
  const [row] = await db.query<{ n: string }>(
    'SELECT sum(events) AS n FROM event_counts WHERE model_id = {model:String} AND NOT shadow',
    { model: modelId },
  )
  return Number(row?.n ?? 0)
}

async function readLastReceived(db: ClickHouse, modelId: string): Promise<number | undefined> {
  const [row] = await db.query<{ at: string }>(
    'SELECT toUnixTimestamp64Milli(max(received_at)) AS at FROM watermarks WHERE model_id = {model:String}',
    { model: modelId },
  )
  const at = Number(row?.at ?? 0)
  return at > 0 ? at : undefined
}

async function readLastAudited(db: ClickHouse): Promise<number | undefined> {
  try {
    const [row] = await db.query<{ n: string }>('SELECT max(sequence) AS n FROM audit_log')
    return Number(row?.n ?? 0)
  } catch {
    return undefined
  }
}

async function readAuditedHashes(
  db: ClickHouse,
  sequences: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  if (sequences.length === 0) return new Map()
  try {
    const rows = await db.query<{ sequence: string; hash: string }>(
      `SELECT sequence, any(hash) AS hash FROM audit_log
       WHERE sequence IN {sequences:Array(UInt64)} GROUP BY sequence`,
      { sequences },
    )
    return new Map(rows.map(({ sequence, hash }) => [Number(sequence), hash]))
  } catch {
    return new Map()
  }
}

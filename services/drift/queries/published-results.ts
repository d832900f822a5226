/** What earlier evaluations of a window wrote: a restatement is compared with it. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { RESULT_COLUMNS, resultKey, type MetricResult } from '../data/metric-results.ts'
import { COHORT_KEY, sqlTime } from '../data/cohort.ts'

/** What was published of a cohort. */
export interface PublishedResults {
  /** The newest revision that was begun. */
  revision: number
  /** Results of the newest complete window; empty where none is. */
  results: Map<string, MetricResult>
}

/** Model and cohort whose results are read. */
type Whose = [modelId: string, key: string]

/** 64-bit integers come as strings. */
type Counted = 'n_reference' | 'n_current' | 'n_labelled'
type ResultRow = Omit<MetricResult, Counted> & Record<Counted, string> & { whose: Whose }

const OF_WINDOW = `model_id IN {models:Array(String)} AND window_start = {start:DateTime64(3, 'UTC')} AND window_end = {end:DateTime64(3, 'UTC')}`
const WHOSE = `(model_id, ${COHORT_KEY}) AS whose`

/**
 * What was published of one window, a map by cohort for each question, in their order: the results
 * of the newest complete revision, and the newest revision that was begun, which a crash may have
 * cut off.
 *
 * @param asked the same window of any models
 */
export async function publishedResults(
  db: ClickHouse,
  asked: readonly { modelId: string; window: Window }[],
): Promise<Map<string, PublishedResults>[]> {
  const { window } = asked[0]!
  const params = {
    models: asked.map(({ modelId }) => modelId),
    start: sqlTime(window.start),
    end: sqlTime(window.end),
  }
  // A revision that changed nothing has no results, and has had its number all the same.
  const revisions = await db.query<{
    whose: Whose
    begun: number
    complete: number
  }>(
    `SELECT whose, max(revision) AS begun, maxIf(revision, is_complete) AS complete FROM (
           SELECT ${WHOSE}, revision, false AS is_complete FROM window_metrics WHERE ${OF_WINDOW}
           UNION ALL
           SELECT ${WHOSE}, revision, true AS is_complete FROM window_revisions WHERE ${OF_WINDOW}
         ) GROUP BY whose`,
    params,
  )
  const complete = revisions.filter((row) => row.complete > 0)
  const results =
    complete.length === 0
      ? []
      : await db.query<ResultRow>(
          `SELECT ${WHOSE}, ${RESULT_COLUMNS.join(', ')} FROM window_metrics
               WHERE ${OF_WINDOW} AND revision <= arrayElement({revisions:Array(UInt32)}, indexOf({keys:Array(String)}, concat(whose.1, '\\x01', whose.2)))
               ORDER BY revision DESC LIMIT 1 BY whose, family, subject, metric, convention, method, reference`,
          {
            ...params,
            keys: complete.map(({ whose }) => whose.join('\u0001')),
            revisions: complete.map((row) => row.complete),
          },
        )
  const revisionsOf = Map.groupBy(revisions, ({ whose: [model] }) => model)
  const resultsOf = Map.groupBy(results, ({ whose: [model] }) => model)
  return asked.map(({ modelId }) => {
    const said = new Map<string, PublishedResults>(
      (revisionsOf.get(modelId) ?? []).map(({ whose: [, key], begun }) => [
        key,
        { revision: begun, results: new Map() },
      ]),
    )
    for (const { whose, ...columns } of resultsOf.get(modelId) ?? []) {
      const [, key] = whose
      // The result alone: it may be written again, under a revision of its own.
      const found: MetricResult = {
        ...columns,
        n_reference: Number(columns.n_reference),
        n_current: Number(columns.n_current),
        n_labelled: Number(columns.n_labelled),
      }
      said.get(key)?.results.set(resultKey(found), found)
    }
    return said
  })
}

/**
 * Reads the windows of which a revision was begun, for each question in the order of the windows.
 *
 * @param windows of any models, at least one
 */
export async function begunWindows(
  db: ClickHouse,
  asked: readonly { modelId: string }[],
  windows: readonly Window[],
): Promise<boolean[][]> {
  const isOne = `model_id IN {models:Array(String)} AND window_start IN {starts:Array(DateTime64(3, 'UTC'))}`
  const columns = 'model_id, window_start, window_end'
  const rows = await db.query<{ model: string; name: string }>(
    `SELECT DISTINCT model_id AS model, concat(toString(toUnixTimestamp64Milli(window_start)), '-', toString(toUnixTimestamp64Milli(window_end))) AS name
     FROM (SELECT ${columns} FROM window_metrics WHERE ${isOne} UNION ALL SELECT ${columns} FROM window_revisions WHERE ${isOne})`,
    {
      models: asked.map(({ modelId }) => modelId),
      starts: windows.map(({ start }) => sqlTime(start)),
    },
  )
  const found = new Set(rows.map(({ model, name }) => `${name} ${model}`))
  return asked.map(({ modelId }) =>
    windows.map(({ start, end }) => found.has(`${start}-${end} ${modelId}`)),
  )
}

/** The least adjusted p of each metric of past windows: what other budgets would have done. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { Family } from '../../data/metric-results.ts'
import type { TestedWindow } from '../../evaluate/would-have-alarmed.ts'

/** Windows that are read, at most: the newest. */
const MAX_WINDOWS = 10_000

/**
 * Adjusted p of the last days of a model's own time, over all its cohorts, one entry a window, in
 * the order of time.
 */
export async function testedWindows(
  db: ClickHouse,
  modelId: string,
  days: number,
): Promise<TestedWindow[]> {
  const rows = await db.query<{
    start: string
    end: string
    tested: [family: Family, metric: string, p: number][]
  }>(
    `WITH (SELECT max(window_end) FROM window_revisions WHERE model_id = {model:String}) AS newest
     SELECT toUnixTimestamp64Milli(window_start) AS start, toUnixTimestamp64Milli(window_end) AS end, groupArray((family, metric, least)) AS tested
     FROM (SELECT window_start, window_end, family, metric, min(p) AS least
       FROM (SELECT window_start, window_end, family, metric, argMax(p_adjusted, revision) AS p FROM window_metrics
         WHERE model_id = {model:String} AND convention = 'plumbline' AND p_adjusted IS NOT NULL AND window_start >= newest - toIntervalDay({days:UInt16})
         GROUP BY window_start, window_end, family, metric, subject, slice_key, slice_value, model_version, variant, method, reference)
       GROUP BY window_start, window_end, family, metric)
     GROUP BY window_start, window_end ORDER BY window_end DESC, window_start DESC LIMIT ${MAX_WINDOWS}`,
    { model: modelId, days },
  )
  return rows
    .map(({ start, end, tested }) => ({
      start: Number(start),
      end: Number(end),
      tested: tested.map(([family, metric, p]) => ({ family, metric, p })),
    }))
    .toReversed()
}

/** Changes with each evaluation of a model: how many there were, and when the last one was. */
export async function lastEvaluated(db: ClickHouse, modelId: string): Promise<string> {
  const [row] = await db.query<{ stamp: string }>(
    `SELECT concat(toString(count()), ' ', toString(max(computed_at))) AS stamp FROM window_revisions WHERE model_id = {model:String}`,
    { model: modelId },
  )
  return row!.stamp
}

/** The reference that verdicts of drift came from in a model's newest window. */
export interface NewestBaseline {
  reference: string
  kind: string
  /** Why there was no verdict, such as `learning, window 3 of 8`; '' where there was one. */
  reason: string
}

/** Undefined where nothing was compared yet. */
export async function newestBaseline(
  db: ClickHouse,
  modelId: string,
): Promise<NewestBaseline | undefined> {
  const [row] = await db.query<NewestBaseline>(
    `SELECT reference, reference_kind AS kind, if(verdict = 'none', reason, '') AS reason FROM window_metrics_latest
     WHERE model_id = {model:String} AND model_version = '' AND variant = '' AND slice_key = '' AND family = 'drift' AND metric = 'psi' AND convention = 'plumbline'
       AND reference_kind NOT IN ('', 'table') AND (verdict != 'none' OR startsWith(reason, 'learning, ') OR reason = 'part of the reference')
       AND (window_start, window_end) IN (SELECT window_start, window_end FROM cohort_newest_windows WHERE model_id = {model:String} AND model_version = '' AND variant = '' AND slice_key = '')
     LIMIT 1`,
    { model: modelId },
  )
  return row
}

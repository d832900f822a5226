/** What was published of the cohorts of one window. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import { sqlTime } from '../../data/cohort.ts'
import { KNOWN, knownBy, ONE_RESULT } from '../known-by.ts'
import type { CohortResult } from '../../evaluate/cohorts/cohort-table.ts'

/** Which window and metrics are asked for. */
export interface CohortResultsQuestion {
  modelId: string
  /** Windows that end by this time, RFC 3339; '' for the newest. */
  to: string
  metrics: readonly string[]
  /** What was known by this time, epoch milliseconds. */
  asOf: number
}

/** Windows that are listed. */
const MAX_WINDOWS = 60
/** Rows of one window: cohorts by metrics. */
const MAX_ROWS = 10_000
const WHOLE = `model_id = {model:String} AND model_version = '' AND variant = '' AND slice_key = ''`
const BY_TIME = `({to:String} = '' OR window_end <= parseDateTime64BestEffortOrZero({to:String}, 3, 'UTC'))`
const SEARCHED = `metric IN ('worst_cohort_gap', 'cohort_gap')`

/** A window with results. */
interface ListedWindow {
  start: string
  end: string
}

/** The newest windows; those where the model as a whole has a value of `first` go before others. */
async function newestWindows(
  db: ClickHouse,
  { modelId, to, metrics, asOf }: CohortResultsQuestion,
): Promise<ListedWindow[]> {
  const rows = await db.query<ListedWindow>(
    `SELECT start, end FROM (
       SELECT window_start AS start, window_end AS end, max(metric IN {metrics:Array(String)} AND family = 'performance' AND isNotNull(value)) AS is_labelled
       FROM window_metrics WHERE ${WHOLE} AND ${KNOWN} AND ${BY_TIME} AND subject = '' AND family IN ('performance', 'operations')
       GROUP BY start, end ORDER BY end DESC, start DESC LIMIT ${MAX_WINDOWS})
     ORDER BY {to:String} = '' AND is_labelled DESC, end DESC, start DESC`,
    { model: modelId, to, metrics, ...knownBy(asOf) },
  )
  return rows
}

/**
 * The window that is asked for, with every cohort of it: the newest one by `to`, or unasked the
 * newest one with labels.
 *
 * @returns `windows` from the newest back; no `window` where none was evaluated
 */
export async function cohortResults(
  db: ClickHouse,
  question: CohortResultsQuestion,
): Promise<{ window: ListedWindow | undefined; windows: string[]; results: CohortResult[] }> {
  const listed = await newestWindows(db, question)
  const windows = listed.map(({ end }) => end).toSorted((a, b) => (a < b ? 1 : -1))
  const [window] = listed
  if (!window) return { window: undefined, windows, results: [] }
  const sql = (time: string) => sqlTime(Date.parse(time))
  const rows = await db.query<
    Omit<CohortResult, 'n_current' | 'n_labelled'> & Record<'n_current' | 'n_labelled', string>
  >(
    `SELECT model_version, variant, slice_key, slice_value, family, subject, metric, value, ci_low, ci_high, baseline_value, p_adjusted, verdict, reason, n_current, n_labelled
     FROM (SELECT * FROM window_metrics
       WHERE model_id = {model:String} AND window_start = {start:DateTime64(3, 'UTC')} AND window_end = {end:DateTime64(3, 'UTC')} AND ${KNOWN}
       ORDER BY revision DESC LIMIT 1 BY ${ONE_RESULT})
     WHERE convention = 'plumbline' AND method IN ('observed', 'weighted')
       AND ((subject = '' AND family IN ('performance', 'operations') AND metric IN {metrics:Array(String)})
         OR (model_version = '' AND variant = '' AND slice_key = '' AND family = 'performance' AND ${SEARCHED}))
     ORDER BY n_current DESC, slice_key, slice_value, model_version, variant, metric
     LIMIT 1 BY model_version, variant, slice_key, slice_value, family, subject, metric
     LIMIT ${MAX_ROWS}`,
    {
      model: question.modelId,
      start: sql(window.start),
      end: sql(window.end),
      metrics: [...question.metrics, 'throughput_per_s', 'label_coverage'],
      ...knownBy(question.asOf),
    },
  )
  const results = rows.map((row) => ({
    ...row,
    n_current: Number(row.n_current),
    n_labelled: Number(row.n_labelled),
  }))
  return { window, windows, results }
}

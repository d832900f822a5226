/** What pages and callers are shown of evaluated windows. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { WindowMetric } from '../../../schemas/http/metric-results.ts'
import { sqlTime } from '../data/cohort.ts'
import { MIN_CELL } from '../evaluate/thresholds.ts'
import { KNOWN, knownBy, ONE_RESULT } from './known-by.ts'

/** Rows of one answer; of more, those of the newest windows. */
const MAX_ROWS = 20_000

/** Which metric results are asked for; an empty text does not narrow, but for the cohort. */
export interface MetricsFilter {
  modelId: string
  from: string
  to: string
  sliceKey: string
  sliceValue: string
  family: string
  /** One metric, or several with commas between. */
  metric: string
  subject: string | undefined
  /** One version, `*` for each, '' for the total. */
  modelVersion: string
  /** One variant, `*` for each, '' for the total. */
  variant: string
  /** Whether only the newest window of each number is read. */
  newest: boolean
  /** What was known by this time, epoch milliseconds. */
  asOf: number
}

/** What is known goes before what is not. */
const NEWEST = `) ORDER BY isNull(value), window_end DESC, window_start DESC
  LIMIT 1 BY model_version, variant, family, subject, metric, convention, method, reference`

/** Metric results as they stood at a time, by window; small groups of fairness are left out. */
export const windowMetrics = (db: ClickHouse, filter: MetricsFilter): Promise<WindowMetric[]> =>
  db.query<WindowMetric>(
    `SELECT * FROM (${filter.newest ? 'SELECT * FROM (' : ''}SELECT * FROM (SELECT * FROM window_metrics
         WHERE model_id = {model:String} AND slice_key = {key:String} AND slice_value = {value:String} AND ${KNOWN}
           AND ({from:String} = '' OR window_end > parseDateTime64BestEffortOrZero({from:String}, 3, 'UTC'))
           AND ({to:String} = '' OR window_start < parseDateTime64BestEffortOrZero({to:String}, 3, 'UTC'))
           AND ({family:String} = '' OR family = {family:String}) AND ({metric:String} = '' OR has(splitByChar(',', {metric:String}), metric))
           AND ({any_subject:UInt8} OR subject = {subject:String})
           AND ({version:String} = '*' OR model_version = {version:String}) AND ({variant:String} = '*' OR variant = {variant:String})
         ORDER BY revision DESC LIMIT 1 BY ${ONE_RESULT})
       WHERE NOT (n_current < ${MIN_CELL} AND family = 'fairness') AND NOT (isNull(value) AND verdict = 'none')
         ORDER BY window_end DESC LIMIT ${MAX_ROWS}${filter.newest ? NEWEST : ''}) ORDER BY window_end, family, metric, subject`,
    {
      model: filter.modelId,
      key: filter.sliceKey,
      value: filter.sliceValue,
      from: filter.from,
      to: filter.to,
      family: filter.family,
      metric: filter.metric,
      any_subject: filter.subject === undefined ? 1 : 0,
      subject: filter.subject ?? '',
      version: filter.modelVersion,
      variant: filter.variant,
      ...knownBy(filter.asOf),
    },
  )

/** Models of one look; of more, those that were evaluated last. */
const MAX_MODELS = 10_000

/**
 * What was evaluated since a time: of each model a text that changes with every further revision.
 *
 * @param since epoch milliseconds
 */
export async function evaluatedSince(db: ClickHouse, since: number): Promise<Map<string, string>> {
  const rows = await db.query<{ model_id: string; stamp: string }>(
    `SELECT model_id, concat(toString(max(computed_at)), ' ', toString(count())) AS stamp FROM window_revisions
     WHERE computed_at > {since:DateTime64(3, 'UTC')} GROUP BY model_id ORDER BY max(computed_at) DESC LIMIT ${MAX_MODELS}`,
    { since: sqlTime(since) },
  )
  return new Map(rows.map(({ model_id: id, stamp }) => [id, stamp]))
}

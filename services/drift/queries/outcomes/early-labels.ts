/** Performance of earlier windows at an age at which labels were still to come, and once mature. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { Window } from '../../../../lib/models/windows.ts'
import { ALL, COHORT_KEY, keyOf, sqlTime, type Cohort } from '../../data/cohort.ts'
import { earlyLabelsOf, type EarlyLabels, type EarlyRow } from '../../data/past-metrics.ts'
import { NOW_CAST } from '../../evaluate/estimates/now-cast.ts'

/** Revisions of a window at one age that are read, the newest ones. */
const MAX_REVISIONS = 5
/** Cohorts of a window that are now-cast, the first ones: all, versions, variants, frequent values. */
const MAX_COHORTS = 50

/** Which windows of which cohorts are asked for. */
export interface EarlyLabelsQuestion {
  modelId: string
  /** The look, a share of the label horizon below 1. */
  maturity: number
  /** No two of them overlap. */
  windows: readonly Window[]
  /** Those of the window that is evaluated, in their order. */
  cohorts: readonly Cohort[]
}

/**
 * Reads them by cohort, as `keyOf` names it; one that was never measured at this age is left out,
 * but for the model as a whole.
 *
 * @throws what ClickHouse throws
 */
export async function earlyLabels(
  db: ClickHouse,
  { modelId, maturity, windows, cohorts }: EarlyLabelsQuestion,
): Promise<ReadonlyMap<string, EarlyLabels>> {
  const whole = [keyOf(ALL), new Map()] as const
  if (windows.length === 0) return new Map([whole])
  const rows = await db.query<EarlyRow>(
    `SELECT ${COHORT_KEY} AS key, metric, toUnixTimestamp64Milli(window_start) AS start, toUnixTimestamp64Milli(window_end) AS end, revision, value, n_current, n_labelled, label_maturity, completeness
     FROM window_metrics
     WHERE model_id = {model:String} AND window_start IN {starts:Array(DateTime64(3, 'UTC'))} AND window_end IN {ends:Array(DateTime64(3, 'UTC'))}
       AND ${COHORT_KEY} IN {cohorts:Array(String)} AND family = 'performance' AND subject = '' AND convention = 'plumbline'
       AND method IN ('observed', 'weighted') AND metric IN {metrics:Array(String)}
       AND isNotNull(value) AND n_labelled > 0 AND completeness > 0 AND (label_maturity = 1 OR abs(label_maturity - {maturity:Float64}) < 1e-6)
     ORDER BY revision DESC LIMIT ${MAX_REVISIONS} BY window_start, window_end, key, metric, label_maturity`,
    {
      model: modelId,
      maturity,
      cohorts: cohorts.slice(0, MAX_COHORTS).map(keyOf),
      metrics: [...NOW_CAST.keys()],
      starts: windows.map(({ start }) => sqlTime(start)),
      ends: windows.map(({ end }) => sqlTime(end)),
    },
  )
  return new Map([whole, ...earlyLabelsOf(rows)])
}

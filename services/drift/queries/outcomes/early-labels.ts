/** Performance of earlier windows at an age at which labels were still to come, and once mature. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { Window } from '../../../../lib/models/windows.ts'
import { sqlTime } from '../../data/cohort.ts'
import { earlyLabelsOf, type EarlyLabels, type EarlyRow } from '../../data/past-metrics.ts'
import { NOW_CAST } from '../../evaluate/estimates/now-cast.ts'

/** Revisions of a window at one age that are read, the newest ones. */
const MAX_REVISIONS = 5

/**
 * Reads them of the model as a whole.
 *
 * @param asked `maturity` is the look, a share of the label horizon below 1; of `windows` no two
 *   overlap
 * @throws what ClickHouse throws
 */
export async function earlyLabels(
  db: ClickHouse,
  { modelId, maturity, windows }: { modelId: string; maturity: number; windows: readonly Window[] },
): Promise<EarlyLabels> {
  if (windows.length === 0) return new Map()
  const rows = await db.query<EarlyRow>(
    `SELECT metric, toUnixTimestamp64Milli(window_start) AS start, toUnixTimestamp64Milli(window_end) AS end, revision, value, n_current, n_labelled, label_maturity, completeness
     FROM window_metrics
     WHERE model_id = {model:String} AND window_start IN {starts:Array(DateTime64(3, 'UTC'))} AND window_end IN {ends:Array(DateTime64(3, 'UTC'))}
       AND model_version = '' AND variant = '' AND slice_key = '' AND family = 'performance' AND subject = '' AND convention = 'plumbline'
       AND method IN ('observed', 'weighted') AND metric IN {metrics:Array(String)}
       AND isNotNull(value) AND n_labelled > 0 AND completeness > 0 AND (label_maturity = 1 OR abs(label_maturity - {maturity:Float64}) < 1e-6)
     ORDER BY revision DESC LIMIT ${MAX_REVISIONS} BY window_start, window_end, metric, label_maturity`,
    {
      model: modelId,
      maturity,
      metrics: [...NOW_CAST.keys()],
      starts: windows.map(({ start }) => sqlTime(start)),
      ends: windows.map(({ end }) => sqlTime(end)),
    },
  )
  return earlyLabelsOf(rows)
}

/** What producers that number their events say of what they emitted. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { Window } from '../../../../lib/models/windows.ts'
import { sqlTime } from '../../data/cohort.ts'

/** Whether producers of each model number their events, in the order of `models`. */
export async function areNumbered(db: ClickHouse, models: readonly string[]): Promise<boolean[]> {
  const rows = await db.query<{ model: string }>(
    'SELECT DISTINCT model_id AS model FROM producer_counts WHERE model_id IN {models:Array(String)}',
    { models },
  )
  const numbered = new Set(rows.map((row) => row.model))
  return models.map((model) => numbered.has(model))
}

/**
 * The share of the events that producers say they emitted which came; null where no event of the
 * window says so. What is missing up to a time is (greatest - least + 1 - received) by then; a gap
 * belongs to the window of the event after it.
 */
export async function completeness(
  db: ClickHouse,
  modelId: string,
  window: Window,
): Promise<number | null> {
  const [row] = await db.query<{ received: string; missing: string }>(
    `SELECT sum(received_within) AS received, sum(greatest(missing_by_end - missing_by_start, 0)) AS missing FROM (
           SELECT producer, sumIf(received, step >= {from:DateTime64(3, 'UTC')}) AS received_within,
             toInt64(max(highest) - min(lowest) + 1) - toInt64(sum(received)) AS missing_by_end,
             if(countIf(step < {from:DateTime64(3, 'UTC')}) = 0, 0,
               toInt64(maxIf(highest, step < {from:DateTime64(3, 'UTC')}) - minIf(lowest, step < {from:DateTime64(3, 'UTC')}) + 1)
                 - toInt64(sumIf(received, step < {from:DateTime64(3, 'UTC')}))) AS missing_by_start
           FROM producer_counts WHERE model_id = {model:String} AND step < {to:DateTime64(3, 'UTC')}
           GROUP BY producer HAVING received_within > 0)`,
    { model: modelId, from: sqlTime(window.start), to: sqlTime(window.end) },
  )
  const received = Number(row?.received ?? 0)
  return received === 0 ? null : received / (received + Number(row?.missing ?? 0))
}

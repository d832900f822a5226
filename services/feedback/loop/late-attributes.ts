/**
 * Restates the windows of predictions whose attributes came later.
 *
 * Drift joins attributes when it reads a window, so attributes that come first need nothing. Later
 * ones wait in a queue, filled by the insert that stores them, until the time buckets of their
 * predictions are marked as changed. A bucket that is marked twice, after a crash, evaluates its
 * window once more, with the same results.
 */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'

/** The join of attributes with predictions that came before them. */
export interface LateAttributes {
  /**
   * @returns the models whose windows are to be restated, and whether there may be more to do at
   * once
   */
  resolve: () => Promise<{ models: string[]; more: boolean }>
}

/** Events of one round: their ids are a parameter, which ClickHouse limits in size. */
const BATCH = 1000

/** Makes a join that keeps nothing in memory: its queue is in ClickHouse. */
export function lateAttributes(db: ClickHouse): LateAttributes {
  return {
    resolve: async () => {
      const waiting = await db.query<{ subject_id: string; prediction_id: string; place: string }>(
        `SELECT subject_id, prediction_id, place FROM attributes_waiting_log
         GROUP BY subject_id, prediction_id, place HAVING sum(sign) > 0 ORDER BY subject_id, prediction_id, place LIMIT ${BATCH}`,
      )
      if (waiting.length === 0) return { models: [], more: false }
      const changed = await db.query<{ model_id: string; step: string; changes: string }>(CHANGED, {
        subjects: idsOf(
          waiting.filter((row) => row.prediction_id === ''),
          'subject_id',
        ),
        predictions: idsOf(
          waiting.filter((row) => row.prediction_id !== ''),
          'prediction_id',
        ),
      })
      await db.insertRows('outcome_changes', changed)
      await db.insertRows(
        'attributes_waiting_log',
        waiting.map((row) => ({ ...row, sign: -1 })),
      )
      return {
        models: [...new Set(changed.map((row) => row.model_id))],
        more: waiting.length === BATCH,
      }
    },
  }
}

const idsOf = <K extends string>(rows: readonly Record<K, string>[], key: K) => [
  ...new Set(rows.map((row) => row[key])),
]

/**
 * SQL of the time buckets of the described predictions; ids are found through `prediction_times`.
 */
const CHANGED = `
SELECT model_id, toStartOfInterval(predicted_at, INTERVAL 1 MINUTE, 'UTC') AS step, count() AS changes FROM (
  SELECT model_id, predicted_at FROM predictions WHERE subject_id IN {subjects:Array(String)}
  UNION ALL
  SELECT model_id, predicted_at FROM prediction_times WHERE id_hash IN arrayMap(id -> sipHash64(id), {predictions:Array(String)})
) GROUP BY model_id, step`

/** Metrics of labels that wait for their prediction, of bounded cardinality. */
import { smallest } from '../../../lib/stats/samples/extremes.ts'
import { Gauge, type Registry } from 'prom-client'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'

/** Models with a series of their own; all others share one. */
const NAMED = 20
const OTHER = 'other'

/** Metrics that are as old as the last `refresh`. */
export interface WaitingMetrics {
  /** Reads the queue anew; its cost grows with what waits. */
  refresh: () => Promise<void>
}

/**
 * Registers `plumbline_labels_waiting{model_id}`, the 20 models with the most by name and the rest
 * as `other`, and
 * `plumbline_labels_waiting_oldest_seconds`, the age of the oldest of all, 0 where none waits.
 */
export function waitingMetrics(
  db: ClickHouse,
  registry: Registry,
  now: () => number,
): WaitingMetrics {
  const registers = [registry]
  const waiting = new Gauge({
    name: 'plumbline_labels_waiting',
    help: `Labels whose prediction has not come: of the ${NAMED} models with the most, and of all others together.`,
    labelNames: ['model_id'],
    registers,
  })
  const oldest = new Gauge({
    name: 'plumbline_labels_waiting_oldest_seconds',
    help: 'For how long the oldest label has waited for its prediction.',
    registers,
  })
  return {
    refresh: async () => {
      const rows = await db.query<{ model: string; labels: string; since: string }>(
        `SELECT if(place <= {named:UInt32}, model_id, '${OTHER}') AS model, sum(of_model) AS labels, toUnixTimestamp64Milli(min(first)) AS since FROM (
           SELECT model_id, of_model, first, row_number() OVER (ORDER BY of_model DESC, model_id) AS place FROM (
             SELECT model_id, count() AS of_model, min(since) AS first FROM labels_waiting_log FINAL WHERE sign = 1 GROUP BY model_id))
         GROUP BY model`,
        { named: NAMED },
      )
      waiting.reset()
      for (const { model, labels } of rows) waiting.set({ model_id: model }, Number(labels))
      const since = rows.map((row) => Number(row.since))
      oldest.set(since.length === 0 ? 0 : Math.max(0, (now() - smallest(since)) / 1000))
    },
  }
}

/** What Prometheus is told of messages. */
import { Counter, Gauge } from 'prom-client'
import type { Postgres } from '../../../lib/postgres/port.ts'
import type { Metrics } from '../../../lib/runtime/metrics.ts'
import { countWaiting } from '../queries/deliveries.ts'

const OUTCOMES = ['delivered', 'failed', 'retried'] as const
/** Counts one message: delivered or given up, or a try that is made again. */
export type CountDelivery = (receiver: string, outcome: (typeof OUTCOMES)[number]) => void

/**
 * Registers the metrics of deliveries.
 *
 * @returns what counts, and what makes the counters of new receivers, from 0: the first failure is
 *   an increase too
 */
export function deliveryMetrics(
  { registry }: Metrics,
  postgres: Postgres,
  now: () => number,
): { count: CountDelivery; begin: (receivers: readonly string[]) => void } {
  const registers = [registry]
  const deliveries = new Counter({
    name: 'plumbline_alert_deliveries_total',
    help: 'Messages to receivers by what became of them: delivered, failed (refused or given up), retried (a try that is made again).',
    labelNames: ['receiver', 'outcome'],
    registers,
  })
  const waiting = new Gauge({
    name: 'plumbline_alert_deliveries_waiting',
    help: 'Messages that wait to be delivered, by receiver.',
    labelNames: ['receiver'],
    registers,
  })
  new Gauge({
    name: 'plumbline_alert_oldest_waiting_seconds',
    help: 'Age of the oldest message that waits to be delivered, by receiver.',
    labelNames: ['receiver'],
    registers,
    collect: async function () {
      this.reset()
      waiting.reset()
      for (const { receiver, waiting: n, oldest } of await countWaiting(postgres)) {
        waiting.set({ receiver }, n)
        this.set({ receiver }, Math.max(0, (now() - new Date(oldest).getTime()) / 1000))
      }
    },
  })
  return {
    count: (receiver, outcome) => deliveries.inc({ receiver, outcome }),
    begin: (receivers) => {
      for (const receiver of receivers)
        for (const outcome of OUTCOMES) deliveries.inc({ receiver, outcome }, 0)
    },
  }
}

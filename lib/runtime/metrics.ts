import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

/** The metrics more than one service writes; each service adds its own to `registry`. */
export interface Metrics {
  registry: Registry
  /** Every event ends in exactly one outcome: accepted, stored, rejected, dead_letter, duplicate, shed. */
  events: Counter<'service' | 'topic' | 'outcome' | 'reason'>
  lag: Gauge<'topic' | 'partition'>
  ingestDelaySeconds: Histogram
  batchRows: Histogram<'topic'>
  insertSeconds: Histogram<'topic'>
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  return {
    registry,
    events: new Counter({
      name: 'plumbline_events_total',
      help: 'Events by the one place where each ended.',
      labelNames: ['service', 'topic', 'outcome', 'reason'],
      registers,
    }),
    lag: new Gauge({
      name: 'plumbline_consumer_lag',
      help: 'Messages of a partition that are not stored yet.',
      labelNames: ['topic', 'partition'],
      registers,
    }),
    ingestDelaySeconds: new Histogram({
      name: 'plumbline_ingest_delay_seconds',
      help: 'Time from the log to ClickHouse, of the oldest message of a batch.',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers,
    }),
    batchRows: new Histogram({
      name: 'plumbline_batch_rows',
      help: 'Messages of one insert.',
      labelNames: ['topic'],
      buckets: [1, 10, 100, 1000, 10_000, 100_000],
      registers,
    }),
    insertSeconds: new Histogram({
      name: 'plumbline_insert_seconds',
      help: 'Duration of one insert.',
      labelNames: ['topic'],
      registers,
    }),
  }
}

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

/** The metrics more than one service writes; each service adds its own to `registry`. */
export interface Metrics {
  registry: Registry
  /**
   * Events of the log by the one place where each ended: stored, duplicate, dead_letter, lost
   * (never read), set_aside. Their sum over outcomes is how many events of a topic this process has
   * dealt with.
   */
  events: Counter<'service' | 'topic' | 'outcome' | 'reason'>
  /** Events at HTTP endpoints by the answer: accepted (now in the log), rejected, shed, ignored. */
  endpointEvents: Counter<'service' | 'topic' | 'outcome' | 'reason'>
  /** Fields of stored events that no schema names; they are not kept. */
  unknownFields: Counter<'service' | 'topic'>
  /**
   * Events of the log whose key is another than our own endpoints give them (`other`), or that have
   * none (`none`).
   */
  unexpectedKeys: Counter<'service' | 'topic' | 'key'>
  lag: Gauge<'topic' | 'partition'>
  ingestDelaySeconds: Histogram
  batchRows: Histogram<'topic'>
  insertSeconds: Histogram<'topic'>
}

/** Makes the metrics with a registry of their own, which holds those of the process too. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  return {
    registry,
    events: new Counter({
      name: 'plumbline_events_total',
      help: 'Events of the log by the one place where each ended: stored, duplicate, dead_letter, lost, set_aside.',
      labelNames: ['service', 'topic', 'outcome', 'reason'],
      registers,
    }),
    endpointEvents: new Counter({
      name: 'plumbline_endpoint_events_total',
      help: 'Events at HTTP endpoints by their answer: accepted, rejected, shed, ignored. An accepted one is in the log and counted there once more, as plumbline_events_total.',
      labelNames: ['service', 'topic', 'outcome', 'reason'],
      registers,
    }),
    unknownFields: new Counter({
      name: 'plumbline_unknown_fields_total',
      help: 'Fields of stored events that no schema names; they are not kept.',
      labelNames: ['service', 'topic'],
      registers,
    }),
    unexpectedKeys: new Counter({
      name: 'plumbline_unexpected_keys_total',
      help: 'Events of the log with another key than model and id (other), or none: a repeat of one that lies in another partition counts twice.',
      labelNames: ['service', 'topic', 'key'],
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

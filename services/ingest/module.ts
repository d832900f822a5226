import type { ClickHouse } from '../../lib/clickhouse.ts'
import type { EventLog } from '../../lib/event-log.ts'
import { createHints, modelsOf } from '../../lib/hints.ts'
import type { Http } from '../../lib/http.ts'
import type { Logger } from '../../lib/log.ts'
import type { Metrics } from '../../lib/metrics.ts'
import { messageOf } from '../../lib/errors.ts'
import type { Module } from '../../lib/modules.ts'
import { createSink, type SinkParts } from '../../lib/sink.ts'
import { TOPICS } from '../../schemas/topics.ts'
import type { IngestConfig } from './config.ts'
import { ingestRoutes } from './routes.ts'
import { PREDICTION_MAPPINGS } from './rows.ts'

export interface IngestDeps {
  http: Http
  eventLog: EventLog
  clickhouse: (role: string) => ClickHouse
  sinkParts: SinkParts
  metrics: Metrics
  log: Logger
  now: () => number
}

export const GROUP = 'plumbline-ingest'

/** Predictions: HTTP -> log, and log -> ClickHouse. */
export function ingest(deps: IngestDeps, config: IngestConfig): Module[] {
  const { eventLog, metrics, log } = deps
  const topic = TOPICS.predictions.topic
  ingestRoutes(deps.http, eventLog, metrics, config)
  const sink = createSink({
    ...deps.sinkParts,
    service: 'ingest',
    mappings: PREDICTION_MAPPINGS,
    clickhouse: deps.clickhouse('ingest'),
  })
  const hints = createHints(eventLog, (error) =>
    log.warn({ error: messageOf(error) }, 'hint not sent'),
  )
  const consumer = eventLog.ranges({
    topic,
    group: GROUP,
    mapping: sink.mapping,
    store: sink.store,
    lastEpoch: sink.lastEpoch,
    committed: (range) => hints.send(modelsOf(range)),
    lag: (partition, messages) => metrics.lag.set({ topic, partition }, messages),
  })
  return [consumer, { name: 'ingest hints', stop: async () => hints.stop() }]
}

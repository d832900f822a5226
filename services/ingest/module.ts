import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import type { EventLog, OffsetRange } from '../../lib/event-log/port.ts'
import { createWakeUps, modelsOf } from '../../lib/event-log/wake-ups.ts'
import type { Http } from '../../lib/http/server.ts'
import type { Logger } from '../../lib/runtime/log.ts'
import type { Metrics } from '../../lib/runtime/metrics.ts'
import { messageOf } from '../../lib/runtime/errors.ts'
import { declaredCodes, type Models } from '../../lib/models/model-files.ts'
import type { Module } from '../../lib/runtime/modules.ts'
import type { SinkOptions, SinkParts } from '../../lib/sink/sink.ts'
import { connectionPool } from '../../lib/clickhouse/connection-pool.ts'
import { sinkConsumer } from '../../lib/sink/consumer.ts'
import { pollLoop, type PollLoop } from '../../lib/runtime/poll-loop.ts'
import type { MessageReader } from '../../lib/events/decode-message.ts'
import { TOPICS } from '../../schemas/topics.ts'
import type { IngestConfig } from './config.ts'
import { cloudEventRoutes } from './http/cloud-event-routes.ts'
import { otlpRoutes } from './http/otlp-routes.ts'
import {
  INFERENCE_MAPPINGS,
  kserveReader,
  mlserverReader,
  pairHalves,
} from './loop/pair-inferences.ts'
import { ingestRoutes } from './http/event-routes.ts'
import { predictionMappings } from './data/prediction-rows.ts'

export interface IngestDeps {
  http: Http
  eventLog: EventLog
  clickhouse: (role: string) => ClickHouse
  sinkParts: SinkParts
  metrics: Metrics
  models: Models
  log: Logger
  now: () => number
}

const GROUP = 'plumbline-ingest'

/** Besides at once, when a half was stored. */
const PAIRING_POLL_MS = 2000
/** While no exchange is settled: only halves that stay alone, and what a killed process has left, come without a wake-up. */
const PAIRING_LONGEST_IDLE_MS = 10_000

/** Predictions: HTTP -> log, and log -> ClickHouse; and what model servers log, until it is predictions. */
export function ingest(deps: IngestDeps, config: IngestConfig): Module[] {
  const { eventLog, metrics, log } = deps
  ingestRoutes(deps.http, eventLog, metrics)
  cloudEventRoutes(deps.http, eventLog, metrics)
  otlpRoutes(deps.http, deps)
  const wakeUps = createWakeUps(eventLog, (error) =>
    log.warn({ error: messageOf(error) }, 'wake-up not sent'),
  )
  /** Stores a topic through a mapping, as a consumer group of its own. */
  const consumer = (
    topic: string,
    group: string,
    mappings: SinkOptions['mappings'],
    reader: MessageReader,
    committed: (range: OffsetRange) => void,
  ) =>
    sinkConsumer({
      ...deps.sinkParts,
      service: 'ingest',
      topic,
      group,
      mappings,
      reader,
      // As many as partitions are stored at the same time: a small insert does not wait for a large one of the other.
      clickhouse: connectionPool([deps.clickhouse(group), deps.clickhouse(group)]),
      eventLog,
      committed,
    })
  const pairs = pairing(deps, config.PLUMBLINE_PAIRING_SECONDS * 1000)
  const stored = () => pairs.wake()
  const [mlserverInputs, mlserverOutputs] = config.PLUMBLINE_MLSERVER_TOPICS?.split(',') ?? []
  return [
    consumer(
      TOPICS.predictions.topic,
      GROUP,
      predictionMappings((modelId) => declaredCodes(deps.models.get(modelId).features)),
      deps.sinkParts.reader,
      (range) => wakeUps.send(modelsOf(range)),
    ),
    consumer(
      TOPICS.inferenceLogs.topic,
      `${GROUP}-inference`,
      INFERENCE_MAPPINGS,
      kserveReader,
      stored,
    ),
    ...(mlserverInputs && mlserverOutputs
      ? [
          consumer(
            mlserverInputs,
            `${GROUP}-mlserver-in`,
            INFERENCE_MAPPINGS,
            mlserverReader('request'),
            stored,
          ),
          consumer(
            mlserverOutputs,
            `${GROUP}-mlserver-out`,
            INFERENCE_MAPPINGS,
            mlserverReader('response'),
            stored,
          ),
        ]
      : []),
    pairs.module,
    { name: 'ingest wake-ups', stop: async () => wakeUps.stop() },
  ]
}

/** Pairs what model servers log, at once when a half was stored: a wake-up during a round is followed by another round. */
function pairing(
  { eventLog, metrics, models, log, now, clickhouse }: IngestDeps,
  patienceMs: number,
): PollLoop {
  const parts = { db: clickhouse('pairing'), eventLog, metrics, models, now }
  return pollLoop({
    name: 'inference pairing',
    everyMs: PAIRING_POLL_MS,
    rest: 0,
    longestIdleMs: Math.min(PAIRING_LONGEST_IDLE_MS, patienceMs),
    step: async () => {
      const settled = await pairHalves(parts, patienceMs)
      return { more: settled > 0, isIdle: settled === 0 }
    },
    onError: (error) => log.warn({ error: messageOf(error) }, 'exchanges not paired, trying again'),
  })
}

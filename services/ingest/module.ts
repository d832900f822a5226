import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import type { EventLog } from '../../lib/event-log/port.ts'
import { createWakeUps } from '../../lib/event-log/wake-ups.ts'
import type { Http } from '../../lib/http/server.ts'
import type { Logger } from '../../lib/runtime/log.ts'
import type { Metrics } from '../../lib/runtime/metrics.ts'
import { messageOf } from '../../lib/runtime/errors.ts'
import { timeBucketMs } from '../../lib/models/windows.ts'
import { declaredCodes, type Models } from '../../lib/models/model-files.ts'
import { derivation } from '../../lib/models/derived/derived-fields.ts'
import type { PriceTable } from '../../lib/models/derived/price-table.ts'
import { liveRefusals } from '../../lib/models/expectations/refusal.ts'
import type { Module } from '../../lib/runtime/modules.ts'
import type { SinkParts } from '../../lib/sink/sink.ts'
import { connectionPool } from '../../lib/clickhouse/connection-pool.ts'
import { sinkConsumer, type SinkConsumerOptions } from '../../lib/sink/consumer.ts'
import { pollLoop, type PollLoop } from '../../lib/runtime/poll-loop.ts'
import type { LiveReading } from '../../lib/runtime/reload/live-reading.ts'
import type { Privacy } from '../../lib/events/privacy/redactor.ts'
import { createValidator } from '../../lib/events/validator.ts'
import { PredictionV1 } from '../../schemas/events/prediction.v1.ts'
import type { MessageReader } from '../../lib/events/decode-message.ts'
import { TOPICS } from '../../schemas/topics.ts'
import type { IngestConfig } from './config.ts'
import { cloudEventRoutes } from './http/cloud-event-routes.ts'
import { otlpRoutes } from './http/otlp-routes.ts'
import {
  inferenceMapping,
  inferenceMappings,
  kserveReader,
  mlserverReader,
  pairHalves,
} from './loop/pair-inferences.ts'
import { ingestRoutes } from './http/event-routes.ts'
import {
  predictionMapping,
  predictionMappings,
  type PredictionRules,
} from './data/prediction-rows.ts'
import { changingConsumers } from '../../lib/sources/changing-consumers.ts'
import { consumingOf, type SourceConsumerOptions } from '../../lib/sources/consumer.ts'
import type { LiveSources } from '../../lib/sources/live-sources.ts'
import type { Source } from '../../lib/sources/source-files.ts'

/**
 * The parts of the process that ingest is built on; `clickhouse` gives a connection of its own to
 * each role.
 */
export interface IngestDeps {
  http: Http
  eventLog: EventLog
  clickhouse: (role: string) => ClickHouse
  sinkParts: SinkParts
  metrics: Metrics
  models: Models
  sources: LiveSources
  prices: Pick<LiveReading<PriceTable>, 'inForce'>
  privacy: Privacy
  log: Logger
  now: () => number
}

const GROUP = 'plumbline-ingest'

/** Pairing runs this often besides each time a half was stored. */
const PAIRING_POLL_MS = 2000
/**
 * While no exchange is settled: only halves that stay alone, and what a killed process has left,
 * come without a wake-up.
 */
const PAIRING_LONGEST_IDLE_MS = 10_000

/**
 * Predictions: HTTP -> log, and log -> ClickHouse; and what model servers log, until it is
 * predictions.
 */
export function ingest(deps: IngestDeps, config: IngestConfig): Module[] {
  const { eventLog, metrics, log, models, privacy } = deps
  const refusalOf = liveRefusals(models)
  const endpoint = { eventLog, metrics, log, privacy, refusalOf }
  ingestRoutes(deps.http, endpoint)
  cloudEventRoutes(deps.http, endpoint)
  otlpRoutes(deps.http, endpoint)
  const wakeUps = createWakeUps(eventLog, (error) =>
    log.warn({ error: messageOf(error) }, 'wake-up not sent'),
  )
  const pairs = pairing(deps, config.PLUMBLINE_PAIRING_SECONDS * 1000)
  const rules = { ...rulesIn(deps, refusalOf), privacy }
  return [
    consumer(deps, {
      topic: TOPICS.predictions.topic,
      group: GROUP,
      mappings: predictionMappings(rules),
      committed: (_range, models) => wakeUps.send(models),
    }),
    ...inferenceConsumers(deps, config, () => pairs.wake()),
    sourceConsumers(deps, rules, {
      predictions: (models) => wakeUps.send(models),
      inferences: () => pairs.wake(),
    }),
    pairs.module,
    { name: 'ingest wake-ups', stop: async () => wakeUps.stop() },
  ]
}

/** What model files say about how predictions are stored, of sources too. */
const rulesIn = (
  { models, prices }: Pick<IngestDeps, 'models' | 'prices'>,
  refusalOf: PredictionRules['refusalOf'],
): PredictionRules => ({
  codesOf: (modelId) => declaredCodes(models.get(modelId).features),
  refusalOf,
  bucketOf: (modelId) => timeBucketMs(models.get(modelId).windows),
  derive: derivation({
    descriptorsOf: (modelId) => models.get(modelId).descriptors,
    prices: () => prices.inForce().value,
  }),
})

/** Consumers of topics of the user's own: predictions, and what model servers log. */
function sourceConsumers(
  { sources, sinkParts, clickhouse, eventLog, privacy }: IngestDeps,
  rules: PredictionRules,
  stored: { predictions: (models: ReadonlySet<string>) => void; inferences: () => void },
): Module {
  const pools = new Map<string, ClickHouse>()
  const poolOf = (role: string) => {
    const pool = pools.get(role) ?? connectionPool([clickhouse(role), clickhouse(role)])
    pools.set(role, pool)
    return pool
  }
  const optionsOf = (
    source: Source,
    of: Pick<SourceConsumerOptions, 'type' | 'mappingOf' | 'committed'>,
  ): SourceConsumerOptions => ({
    ...sinkParts,
    ...of,
    source,
    service: 'ingest',
    clickhouse: poolOf(`source-${source.name}-${of.type}`),
    eventLog,
  })
  return changingConsumers('sources of ingest', sources, (inForce) => [
    ...consumingOf(inForce, 'prediction', (source) =>
      optionsOf(source, {
        type: 'prediction',
        mappingOf: (version) => predictionMapping(version, rules),
        committed: (_range, of) => stored.predictions(of),
      }),
    ),
    ...consumingOf(inForce, 'inference', (source) =>
      optionsOf(source, {
        type: 'inference',
        mappingOf: (version) => inferenceMapping(version, privacy),
        committed: stored.inferences,
      }),
    ),
  ])
}

/** Stores a topic through a mapping, as a consumer group of its own. */
function consumer(
  { sinkParts, clickhouse, eventLog }: IngestDeps,
  options: Pick<SinkConsumerOptions, 'topic' | 'group' | 'mappings' | 'committed'> &
    Partial<Pick<SinkConsumerOptions, 'reader'>>,
): Module {
  const { group } = options
  return sinkConsumer({
    ...sinkParts,
    ...options,
    service: 'ingest',
    // Two connections, one for each partition that is stored at the same time: a small insert does
    // not wait for a large one.
    clickhouse: connectionPool([clickhouse(group), clickhouse(group)]),
    eventLog,
  })
}

/**
 * Consumers of what model servers log: KServe's topic, and MLServer's two where they are
 * configured.
 */
function inferenceConsumers(deps: IngestDeps, config: IngestConfig, stored: () => void): Module[] {
  const mappings = inferenceMappings(deps.privacy)
  const inferences = (topic: string, group: string, reader: MessageReader) =>
    consumer(deps, { topic, group, reader, mappings, committed: stored })
  const kserve = inferences(TOPICS.inferenceLogs.topic, `${GROUP}-inference`, kserveReader)
  const [inputs, outputs] = config.PLUMBLINE_MLSERVER_TOPICS?.split(',') ?? []
  if (!inputs || !outputs) return [kserve]
  return [
    kserve,
    inferences(inputs, `${GROUP}-mlserver-in`, mlserverReader('request')),
    inferences(outputs, `${GROUP}-mlserver-out`, mlserverReader('response')),
  ]
}

/**
 * Pairs what model servers log, at once when a half was stored; a wake-up during a round is kept
 * for the next.
 */
function pairing(
  { eventLog, metrics, models, privacy, log, now, clickhouse }: IngestDeps,
  patienceMs: number,
): PollLoop {
  const validator = createValidator(PredictionV1, privacy)
  const parts = { db: clickhouse('pairing'), eventLog, metrics, models, validator, now }
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

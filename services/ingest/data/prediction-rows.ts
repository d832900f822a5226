/** Turns predictions on the wire into rows and counts. */
import Type from 'typebox'
import type { Column } from '../../../lib/clickhouse/native/column.ts'
import { eventTime } from '../../../lib/events/fields.ts'
import type { OffsetRange } from '../../../lib/event-log/port.ts'
import {
  eventMapping,
  type EventMapping,
  type EventMappingOptions,
  type RangeTables,
} from '../../../lib/sink/mapping.ts'
import { eventRows } from '../../../lib/sink/rows.ts'
import { NO_PRIVACY, type Privacy } from '../../../lib/events/privacy/redactor.ts'
import { predictionIdentity, predictionKey, type Event } from '../../../lib/events/validator.ts'
import { fieldGetter, FlatRecord, perShape } from '../../../lib/events/flat-record.ts'
import * as native from '../../../lib/clickhouse/native/block.ts'
import { PredictionV1 } from '../../../schemas/events/prediction.v1.ts'
import { predictionCounts, type BucketOf } from '../../../lib/sink/counts/prediction-counts.ts'
import { senderCounts, type SenderCounts } from '../../../lib/sink/counts/sender-counts.ts'
import type { TableRows } from '../../../lib/sink/table-rows.ts'
import type { Derive } from '../../../lib/models/derived/derived-fields.ts'
import type { RefusalOf } from '../../../lib/models/expectations/refusal.ts'
import { TIME_BUCKET_MS } from '../../../lib/models/windows.ts'
import { producerCounts } from './producer-counts.ts'
import { refusalCounts } from './refusal-counts.ts'

/** What model files say about how predictions are stored, by model id. */
export interface PredictionRules {
  /** Subjects whose numbers are categories; none unless given. */
  codesOf?: (modelId: string) => ReadonlySet<string>
  /** Why an event is refused; none is unless given. */
  refusalOf?: RefusalOf | undefined
  /** The time bucket of the counts, in milliseconds; 15 minutes unless given. */
  bucketOf?: BucketOf
  /** What of an event is kept; all of it unless given. */
  privacy?: Privacy
  /** What is added to an event; nothing unless given. */
  derive?: Derive
}

const privacyIn = ({ privacy = NO_PRIVACY }: PredictionRules): Privacy => privacy

/** What all mappings of predictions say. */
const common = (rules: PredictionRules) => ({
  service: 'ingest',
  schema: PredictionV1,
  privacy: privacyIn(rules),
  seenIn: { table: 'predictions', identity: `concat(model_id, '\\x1f', prediction_id)` },
  identity: predictionIdentity,
  derive: rules.derive,
  tables: () => predictionTables(rules),
})

/** What mappings before version 5 say: a time to first token was a field that nobody knew. */
const beforeFirstTokens = (rules: PredictionRules) => ({
  ...common(rules),
  schema: Type.Omit(PredictionV1, ['time_to_first_token_ms']),
  derive: (event: Event) => {
    const known = withoutFirstToken(event)
    return rules.derive?.(known) ?? known
  },
})

/**
 * Newest first. A release that changes what a message becomes adds a mapping and keeps those before
 * it: version 4 knew no time to first token; version 3 refused no event for an expectation of its
 * model; version 2 refused messages with a key of their own; version 1 joined model and id by a
 * slash too, so that two predictions could have one identity.
 */
export const predictionMappings = (rules: PredictionRules = {}) =>
  [
    predictionMapping('predictions-5', rules, { key: 'identity' }),
    eventMapping({
      ...beforeFirstTokens(rules),
      version: 'predictions-4',
      key: 'identity',
      refusalOf: rules.refusalOf,
    }),
    eventMapping({ ...beforeFirstTokens(rules), version: 'predictions-3', key: 'identity' }),
    eventMapping({
      ...beforeFirstTokens(rules),
      version: 'predictions-2',
      key: 'identity',
      refusesOtherKeys: true,
    }),
    eventMapping({
      ...beforeFirstTokens(rules),
      version: 'predictions-1',
      seenIn: { table: 'predictions', identity: `concat(model_id, '/', prediction_id)` },
      identity: predictionKey,
      key: 'identity',
      refusesOtherKeys: true,
    }),
  ] as const

/**
 * A mapping of predictions under a name of its own.
 *
 * @param keys the key that messages are expected to have; any unless given
 */
export const predictionMapping = (
  version: string,
  rules: PredictionRules = {},
  keys: Pick<EventMappingOptions, 'key'> = {},
): EventMapping => eventMapping({ ...common(rules), version, ...keys, refusalOf: rules.refusalOf })

/** Those of models without a file. */
export const PREDICTION_MAPPINGS = predictionMappings()

const DICTIONARIES = new Set(['model_id', 'model_version', 'variant'])
/**
 * Events further in the future than this do not move the watermark: a producer's clock is wrong.
 */
const MAX_SKEW_MS = 300_000

const modelIdOf = fieldGetter('model_id')
const predictedAtOf = fieldGetter('predicted_at')
const producerOf = fieldGetter('producer')
const shadowOf = fieldGetter('shadow')
const firstTokenAt = perShape((names) => names.indexOf('time_to_first_token_ms'))

/** The event without its time to first token. */
function withoutFirstToken(event: Event): Event {
  const at = firstTokenAt.of(event.names)
  if (at === -1) return event
  return new FlatRecord(event.names, event.values.with(at, null), false)
}

function predictionTables({
  codesOf,
  bucketOf = () => TIME_BUCKET_MS,
}: PredictionRules): RangeTables {
  const rows = eventRows(PredictionV1, DICTIONARIES)
  const unknown = native.fixed('UInt16')
  rows.columns['unknown_fields'] = unknown
  const { model_id, prediction_id, predicted_at } = rows.columns as Times
  const times = { model_id, prediction_id, predicted_at }
  const counts = predictionCounts(codesOf, bucketOf)
  const producers = producerCounts(bucketOf)
  const refused = refusalCounts()
  const senders = senderCounts()
  const newest = watermarks()
  let topic = ''

  return {
    begin: (range) => {
      rows.begin(range)
      counts.begin()
      producers.begin()
      refused.begin()
      senders.begin()
      newest.begin()
      topic = range.topic
    },
    accept: (event, message, unknownFields) => {
      const at = eventTime(predictedAtOf(event))!
      const row = rows.rows
      const arrivedMs = rows.add(event, message)
      if (unknownFields > 0) unknown.set(row, Math.min(unknownFields, 0xffff))
      counts.add(event, at)
      producers.add(event, at)
      const modelId = modelIdOf(event) as string
      if (shadowOf(event) !== true) addSenders(senders, event, { modelId, topic, at })
      newest.move(modelId, at, arrivedMs)
    },
    repeat: (event) => {
      const at = eventTime(predictedAtOf(event))!
      counts.repeat(event, at)
      producers.repeat(event, at)
    },
    refuse: (event, rule) => refused.add(event, rule, eventTime(predictedAtOf(event))!),
    tables: (range) => [
      { table: 'predictions', ...rows.end(range), months: monthsOfRows(counts.months()) },
      { table: 'prediction_times', columns: times, rows: rows.rows },
      ...counts.tables(),
      producers.table(),
      refused.table(),
      senders.table(),
      newest.table(range),
    ],
  }
}

function addSenders(
  senders: SenderCounts,
  event: Event,
  { modelId, topic, at }: { modelId: string; topic: string; at: number },
): void {
  senders.add('source', modelId, topic, at)
  const producer = producerOf(event) as { id: string } | null | undefined
  if (producer) senders.add('producer', modelId, producer.id, at)
}

const monthsOfRows = (of: number[] | undefined) => of && { column: 'predicted_at', of }

type Times = Record<'model_id' | 'prediction_id' | 'predicted_at', Column<never>>

/** The newest event of each model. */
function watermarks() {
  const newest = new Map<string, { at: number; receivedAt: number }>()
  const columns = {
    model_id: native.lowCardinality(),
    topic: native.lowCardinality(),
    partition: native.lowCardinality(),
    newest: native.fixed("DateTime64(3, 'UTC')"),
    received_at: native.fixed("DateTime64(3, 'UTC')"),
  }
  return {
    begin: () => newest.clear(),
    move: (modelId: string, at: number, arrivedMs: number) => {
      if (at > arrivedMs + MAX_SKEW_MS) return
      const known = newest.get(modelId)
      if (!known) newest.set(modelId, { at, receivedAt: arrivedMs })
      else {
        known.at = Math.max(known.at, at)
        known.receivedAt = Math.max(known.receivedAt, arrivedMs)
      }
    },
    table: (range: OffsetRange): TableRows => {
      native.clear(columns)
      let row = 0
      for (const [modelId, { at, receivedAt }] of newest) {
        columns.model_id.set(row, modelId)
        columns.topic.set(row, range.topic)
        columns.partition.set(row, range.partition)
        columns.newest.set(row, at)
        columns.received_at.set(row, receivedAt)
        row++
      }
      return { table: 'watermarks', columns, rows: row }
    },
  }
}

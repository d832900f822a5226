/**
 * What model servers log of themselves: requests and responses, apart. Halves are stored like any
 * event, each exactly once; here they are paired, and each pair becomes predictions in the log. A
 * pair that is emitted twice, after a crash, carries the same ids, and counts once. A half that
 * stays alone becomes a dead letter.
 */
import { refusalText } from '../../../lib/events/rejections.ts'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { EventLog, LoggedMessage, OutgoingMessage } from '../../../lib/event-log/port.ts'
import { eventMapping, type EventMapping, type RangeTables } from '../../../lib/sink/mapping.ts'
import { eventRows } from '../../../lib/sink/rows.ts'
import type { Privacy } from '../../../lib/events/privacy/redactor.ts'
import { storable } from '../../../lib/events/stored-value.ts'
import { isObject } from '../../../lib/events/fields.ts'
import { predictionKey, type Validator } from '../../../lib/events/validator.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { MessageReader, ReadMessage } from '../../../lib/events/decode-message.ts'
import type { Metrics } from '../../../lib/runtime/metrics.ts'
import type { Models } from '../../../lib/models/model-files.ts'
import * as native from '../../../lib/clickhouse/native/block.ts'
import {
  binaryEvent,
  isStructured,
  structuredEvent,
  type CloudEvent,
} from '../../../lib/events/cloudevents.ts'
import { InferenceV1 } from '../../../schemas/events/inference.v1.ts'
import { ID_SEPARATOR } from '../../../schemas/fields.ts'
import { TOPICS } from '../../../schemas/topics.ts'
import { outputOf, predictionsOf, Unreadable } from '../wire-formats/inference.ts'

/** Newest first: version 1 knew exchanges by their id alone, whatever model they were of. */
export const inferenceMappings = (privacy: Privacy) =>
  [
    inferenceMapping('inference-2', privacy),
    eventMapping({
      version: 'inference-1',
      service: 'ingest',
      schema: InferenceV1,
      privacy,
      seenIn: { table: 'inference_halves', identity: `concat(exchange_id, '/', part)` },
      identity: (event) => `${event.get('exchange_id') as string}/${event.get('part') as string}`,
      tables: halves,
    }),
  ] as const

/** A mapping of halves under a name of its own. */
export function inferenceMapping(version: string, privacy: Privacy): EventMapping {
  return eventMapping({
    version,
    service: 'ingest',
    schema: InferenceV1,
    privacy,
    seenIn: {
      table: 'inference_halves',
      identity: `concat(model_id, '\\x1f', exchange_id, '\\x1f', part)`,
    },
    identity: (event) =>
      ['model_id', 'exchange_id', 'part'].map((name) => event.get(name)).join(ID_SEPARATOR),
    tables: halves,
  })
}

function halves(): RangeTables {
  const rows = eventRows(InferenceV1, new Set(['model_id']))
  const sign = native.fixed('Int8')
  rows.columns['sign'] = sign
  return {
    begin: rows.begin,
    accept: (event, message) => {
      sign.set(rows.rows, 1)
      rows.add(event, message)
    },
    repeat: () => {},
    tables: (range) => [{ table: 'inference_halves', ...rows.end(range) }],
  }
}

const TYPE = /(?:^|\.)inference\.(request|response)$/

/** Whether a CloudEvent is half of an exchange: KServe's and Seldon's types end alike. */
export const isInference = (event: CloudEvent) => TYPE.test(event.type)

/**
 * Reads CloudEvents of KServe's InferenceLogger, as the gateway forwards them or a broker delivers
 * them.
 */
export const kserveReader: MessageReader = {
  prepare: async () => {},
  read: (message, validator) => {
    const event = isStructured(message.headers?.['content-type'])
      ? structuredEvent(message.value.toString())
      : binaryEvent(message.headers ?? {}, 'ce_', message.value)
    if (event === undefined || event === 'invalid') return validator.refuse('invalid_envelope')
    return validator.value(halfOf(event, message.timestampMs))
  },
}

/**
 * The half of an exchange that a CloudEvent carries, as `inference.v1` has it; whether it is valid
 * is for its validator to say.
 *
 * @param arrivedMs stands for the time that an event without one was sent
 */
export function halfOf({ type, id, time, attributes: a, data }: CloudEvent, arrivedMs: number) {
  return {
    exchange_id: a['requestid'] ?? id,
    part: TYPE.exec(type)?.[1] ?? '',
    model_id: a['modelid'] ?? a['inferenceservicename'] ?? '',
    model_version: a['endpoint'],
    exchanged_at: time ?? new Date(arrivedMs),
    body: data.toString(),
  }
}

/** Reads MLServer's own topics: V2 JSON, the exchange in the record's key. */
export function mlserverReader(part: 'request' | 'response'): MessageReader {
  const read: ReadMessage = (message: LoggedMessage, validator) => {
    const headers = message.headers ?? {}
    let body: unknown
    try {
      body = JSON.parse(message.value.toString())
    } catch {
      return validator.refuse('invalid_json')
    }
    if (!isObject(body)) return validator.refuse('invalid_json')
    return validator.value({
      exchange_id: message.key.length > 0 ? message.key.toString() : body['id'],
      part,
      model_id: headers['mlserver-model'] ?? body['model_name'],
      model_version: headers['mlserver-version'] ?? body['model_version'] ?? '',
      // A time of the producer's: where it is none, or of another century, this half alone is
      // refused.
      exchanged_at: new Date(message.timestampMs),
      body: message.value.toString(),
    })
  }
  return { prepare: async () => {}, read }
}

interface ExchangeRow {
  model_id: string
  exchange_id: string
  request: string
  response: string
  /** Halves that are there, and were not settled yet. */
  parts: ('request' | 'response')[]
  model_version: string
  answered_at: string
  /** Milliseconds since its first half came. */
  age: string
}

/** Exchanges of one round. */
const BATCH = 500

/** What pairing needs. */
export interface PairingParts {
  db: ClickHouse
  eventLog: Pick<EventLog, 'append'>
  metrics: Metrics
  models: Models
  /** Validator of predictions, made with the privacy rules of their models. */
  validator: Validator
  now: () => number
}

/**
 * One round of pairing: emits what is complete, gives up what is older than `patienceMs`. What is
 * wrong with one exchange is that exchange's: it becomes a dead letter, and the round goes on.
 *
 * @returns how many exchanges it settled, at most a batch
 * @throws when a store or the log is away; the round comes again then, and what was emitted carries
 *   the same ids
 */
export async function pairHalves(parts: PairingParts, patienceMs: number): Promise<number> {
  const { db, now } = parts
  const rows = await db.query<ExchangeRow>(
    `SELECT model_id, exchange_id, anyIf(body, part = 'request' AND sign = 1) AS request, anyIf(body, part = 'response' AND sign = 1) AS response,
       arrayFilter((part, rest) -> rest > 0, ['request', 'response'], [sumIf(sign, part = 'request'), sumIf(sign, part = 'response')]) AS parts,
       max(model_version) AS model_version, max(exchanged_at) AS answered_at,
       {now:Int64} - toUnixTimestamp64Milli(min(received_at)) AS age
     FROM inference_halves GROUP BY model_id, exchange_id
     HAVING notEmpty(parts) AND (length(parts) = 2 OR age > {patience:Int64}) ORDER BY age DESC LIMIT ${BATCH}`,
    { now: now(), patience: patienceMs },
  )
  for (const row of rows) await settle(row, parts)
  await db.insertRows(
    'inference_halves',
    rows.flatMap(({ model_id, exchange_id, parts: settled }) =>
      settled.map((part) => ({ model_id, exchange_id, part, sign: -1 })),
    ),
  )
  return rows.length
}

async function settle(row: ExchangeRow, parts: PairingParts): Promise<void> {
  if (row.parts.length < 2) {
    const [alone] = row.parts
    const message = `a ${alone} whose other half did not come in time`
    return setAside(parts, row, [
      { value: row.request || row.response, reason: `orphan_${alone}`, message },
    ])
  }
  const { events, refused } = readExchange(row, parts)
  await setAside(parts, row, refused)
  await parts.eventLog.append(TOPICS.predictions.topic, events)
}

interface Refused {
  value: string
  reason: string
  message: string
}

/**
 * The predictions of an exchange as messages of the log, those that are valid; the others, and why.
 */
function readExchange(
  row: ExchangeRow,
  { models, validator }: Pick<PairingParts, 'models' | 'validator'>,
): { events: OutgoingMessage[]; refused: Refused[] } {
  const events: OutgoingMessage[] = []
  const refused: Refused[] = []
  try {
    const predictions = predictionsOf({
      exchangeId: row.exchange_id,
      modelId: row.model_id,
      modelVersion: row.model_version,
      answeredAt: row.answered_at,
      request: row.request,
      response: row.response,
      output: outputOf(models.get(row.model_id)),
    })
    for (const prediction of predictions) {
      const value = JSON.stringify(prediction)
      const verdict = storable(validator, validator.text(value), () => value)
      if (verdict.ok) events.push({ key: predictionKey(verdict.event), value: verdict.value })
      else
        refused.push({
          value,
          reason: verdict.rejection.code,
          message: `a row of the exchange is no prediction: ${refusalText(verdict.rejection)}`,
        })
    }
    return { events, refused }
  } catch (error) {
    // Whatever it is: nothing here depends on anything but the exchange.
    const message = error instanceof Unreadable ? error.message : `not read: ${messageOf(error)}`
    return {
      events: [],
      refused: [{ value: row.request, reason: 'unreadable_exchange', message }],
    }
  }
}

/** Longest value of a dead letter; it says so where it was longer. */
const MAX_VALUE = 65_536

async function setAside(
  { db, metrics, now }: PairingParts,
  row: ExchangeRow,
  refused: readonly Refused[],
): Promise<void> {
  const { topic } = TOPICS.inferenceLogs
  await db.insertRows(
    'dead_letters',
    refused.map(({ value, reason, message }) => ({
      topic,
      partition: '',
      offset: 0,
      key: row.exchange_id,
      value: value.slice(0, MAX_VALUE),
      reason,
      message:
        value.length > MAX_VALUE ? `${message} (cut from ${value.length} characters)` : message,
      service: 'ingest',
      received_at: new Date(now() - Number(row.age)).toISOString(),
      log_epoch: 'pairing',
    })),
    JSON.stringify([row.model_id, row.exchange_id]),
  )
  for (const { reason } of refused)
    metrics.events.inc({ service: 'ingest', topic, outcome: 'dead_letter', reason })
}

/**
 * What model servers log of themselves: requests and responses, apart. Halves are stored like any event, each exactly
 * once; here they are paired, and each pair becomes predictions in the log. A pair that is emitted twice, after a
 * crash, carries the same ids, and counts once. A half that stays alone becomes a dead letter.
 */
import type { ClickHouse } from '../../lib/clickhouse.ts'
import type { EventLog, LoggedMessage } from '../../lib/event-log.ts'
import { eventMapping, type RangeTables, type ReadMessage } from '../../lib/event-mapping.ts'
import { eventRows } from '../../lib/event-rows.ts'
import { predictionKey } from '../../lib/event-verdict.ts'
import { messageOf } from '../../lib/errors.ts'
import { Members } from '../../lib/members.ts'
import type { MessageReader } from '../../lib/message-reader.ts'
import type { Metrics } from '../../lib/metrics.ts'
import * as native from '../../lib/native-block.ts'
import {
  binaryEvent,
  isStructured,
  structuredEvent,
  type CloudEvent,
} from '../../lib/cloudevents.ts'
import { InferenceV1 } from '../../schemas/events/inference.v1.ts'
import { ID_SEPARATOR } from '../../schemas/fields.ts'
import { TOPICS } from '../../schemas/topics.ts'
import { predictionsOf, Unreadable } from './dialects/inference.ts'

/** Newest first: version 1 knew exchanges by their id alone, whatever model they were of. */
export const INFERENCE_MAPPINGS = [
  eventMapping({
    version: 'inference-2',
    service: 'ingest',
    schema: InferenceV1,
    seenIn: {
      table: 'inference_halves',
      identity: `concat(model_id, '\\x1f', exchange_id, '\\x1f', part)`,
    },
    identity: (event) =>
      ['model_id', 'exchange_id', 'part'].map((name) => event.get(name)).join(ID_SEPARATOR),
    tables: halves,
  }),
  eventMapping({
    version: 'inference-1',
    service: 'ingest',
    schema: InferenceV1,
    seenIn: { table: 'inference_halves', identity: `concat(exchange_id, '/', part)` },
    identity: (event) => `${event.get('exchange_id') as string}/${event.get('part') as string}`,
    tables: halves,
  }),
] as const

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

/** Reads CloudEvents of KServe's InferenceLogger, as the gateway forwards them or a broker delivers them. */
export const kserveReader: MessageReader = {
  prepare: async () => {},
  read: (message, judge) => {
    const event = isStructured(message.headers?.['content-type'])
      ? structuredEvent(message.value.toString())
      : binaryEvent(message.headers ?? {}, 'ce_', message.value)
    if (event === undefined || event === 'invalid') return judge.refuse('invalid_envelope')
    const part = TYPE.exec(event.type)?.[1]
    const { attributes: a } = event
    return judge.value({
      exchange_id: a['requestid'] ?? event.id,
      part: part ?? '',
      model_id: a['modelid'] ?? a['inferenceservicename'] ?? '',
      model_version: a['endpoint'],
      exchanged_at: event.time ?? new Date(message.timestampMs).toISOString(),
      body: event.data.toString(),
    })
  },
}

/** Reads MLServer's own topics: V2 JSON, the exchange in the record's key. */
export function mlserverReader(part: 'request' | 'response'): MessageReader {
  const read: ReadMessage = (message: LoggedMessage, judge) => {
    const headers = message.headers ?? {}
    let body: Record<string, unknown> = {}
    try {
      body = JSON.parse(message.value.toString()) as Record<string, unknown>
    } catch {
      return judge.refuse('invalid_json')
    }
    return judge.value({
      exchange_id: message.key.length > 0 ? message.key.toString() : body['id'],
      part,
      model_id: headers['mlserver-model'] ?? body['model_name'],
      model_version: headers['mlserver-version'] ?? body['model_version'] ?? '',
      exchanged_at: new Date(message.timestampMs).toISOString(),
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
  model_version: string
  answered_at: string
  /** Milliseconds since its first half came. */
  age: string
}

const BATCH = 500

/** One round of pairing: emits what is complete, gives up what is older than `patienceMs`. Returns how many it settled. */
export async function pairHalves(
  db: ClickHouse,
  eventLog: Pick<EventLog, 'append'>,
  metrics: Metrics,
  patienceMs: number,
  now: () => number,
): Promise<number> {
  const rows = await db.query<ExchangeRow>(
    `SELECT model_id, exchange_id, anyIf(body, part = 'request' AND sign = 1) AS request, anyIf(body, part = 'response' AND sign = 1) AS response,
       max(model_version) AS model_version, max(exchanged_at) AS answered_at,
       {now:Int64} - toUnixTimestamp64Milli(min(received_at)) AS age
     FROM inference_halves GROUP BY model_id, exchange_id
     HAVING sum(sign) > 0 AND (request != '' AND response != '' OR age > {patience:Int64}) ORDER BY age DESC LIMIT ${BATCH}`,
    { now: now(), patience: patienceMs },
  )
  const topic = TOPICS.inferenceLogs.topic
  for (const row of rows) {
    const refuse = async (reason: string, message: string) => {
      await db.insertRows(
        'dead_letters',
        [
          {
            topic,
            partition: '',
            offset: 0,
            key: row.exchange_id,
            value: row.request || row.response,
            reason,
            message,
            service: 'ingest',
            received_at: new Date(now() - Number(row.age)).toISOString(),
            log_epoch: 'pairing',
          },
        ],
        `${row.model_id}${ID_SEPARATOR}${row.exchange_id}`,
      )
      metrics.events.inc({ service: 'ingest', topic, outcome: 'dead_letter', reason })
    }
    if (row.request === '' || row.response === '') {
      const alone = row.request === '' ? 'response' : 'request'
      await refuse(`orphan_${alone}`, `a ${alone} whose other half did not come in time`)
      continue
    }
    try {
      const events = predictionsOf({
        exchangeId: row.exchange_id,
        modelId: row.model_id,
        modelVersion: row.model_version,
        answeredAt: row.answered_at,
        request: row.request,
        response: row.response,
      })
      await eventLog.append(
        TOPICS.predictions.topic,
        events.map((event) => ({
          key: predictionKey(Members.of(event)),
          value: JSON.stringify(event),
        })),
      )
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      await refuse('unreadable_exchange', messageOf(error))
    }
  }
  await db.insertRows(
    'inference_halves',
    rows.flatMap(({ model_id, exchange_id, request, response }) =>
      [request && 'request', response && 'response']
        .filter((part) => part !== '')
        .map((part) => ({ model_id, exchange_id, part, sign: -1 })),
    ),
  )
  return rows.length
}

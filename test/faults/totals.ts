/**
 * What must hold after every fault: rows, ids and every count of them are the events that were
 * sent.
 */
import kafkajs, { type Producer } from 'kafkajs'
import { expect } from 'vitest'
import { TOPICS } from '../../schemas/topics.ts'
import { prediction, until } from '../servers/processes.ts'

type Query = (sql: string) => Promise<Record<string, unknown>[]>

const TOTALS = `SELECT (SELECT count() FROM predictions) AS rows, (SELECT uniqExact(model_id, prediction_id) FROM predictions) AS ids,
  (SELECT sum(events) FROM event_counts) AS events, (SELECT sum(count) FROM numeric_counts WHERE subject = 'x') AS numbers,
  (SELECT sum(count) FROM category_counts WHERE subject = 'color') AS categories, (SELECT count() FROM prediction_times) AS times,
  (SELECT sum(received) FROM producer_counts) AS sequenced, (SELECT count() FROM dead_letters) AS dead`

/** Waits until that much is stored, then compares everything. */
export async function expectTotals(query: Query, sent: number, poison = 0) {
  await until(`${sent} events and ${poison} dead letters are stored`, async () => {
    const [row] = await query(
      // A range's own row comes last: then all of it is there.
      `SELECT sum(rows) AS n FROM sink_ranges`,
    ).catch(() => [{ n: 0 }])
    return Number(row?.['n']) >= sent + poison
  })
  const n = String(sent)
  expect((await query(TOTALS))[0]).toEqual({
    rows: n,
    ids: n,
    events: n,
    numbers: n,
    categories: n,
    times: n,
    sequenced: n,
    dead: String(poison),
  })
  expect(
    await query(
      `SELECT producer, missing, duplicated FROM producer_completeness WHERE missing != 0 OR duplicated != 0`,
    ),
  ).toEqual([])
}

/**
 * Sends numbered events, each with a number, a category and its place in the producer's sequence.
 */
export async function faultProducer(brokers: string, from = 0, topicPrefix = '') {
  const topic = topicPrefix + TOPICS.predictions.topic
  const client = new kafkajs.Kafka({
    brokers: [brokers],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 30, maxRetryTime: 1000 },
  })
  const producer: Producer = client.producer({
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    idempotent: true,
    maxInFlightRequests: 1,
  })
  await producer.connect()
  let sent = from
  return {
    client,
    sent: () => sent,
    send: async (count: number) => {
      const messages = Array.from({ length: count }, (_, k) => {
        const i = sent + k
        const event = prediction(i, {
          model_id: 'm',
          features: { x: i, color: `c${i % 3}` },
          producer: { id: 'faults', sequence: i },
        })
        return { key: `m/${String(event['prediction_id'])}`, value: JSON.stringify(event) }
      })
      await producer.send({ topic, acks: -1, messages })
      sent += count
    },
    poison: async () => {
      await producer.send({
        topic,
        acks: -1,
        messages: [{ key: 'm/bad', value: 'garbage' }],
      })
    },
    stop: () => producer.disconnect(),
  }
}

/**
 * Topics that existed before, whose records have their producer's times: what counts as arrival is
 * when we read it.
 */
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startKafka, type LocalKafka } from '../../deploy/local/kafka.ts'
import { TOPICS } from '../../schemas/topics.ts'
import { temporaryDirectory } from '../harness.ts'
import { ask, prediction, startTarget, until, type Running } from '../servers/processes.ts'

const directory = temporaryDirectory()
const OLD = String(Date.UTC(2019, 4, 1))
const N = 20
const client = () =>
  new kafkajs.Kafka({ brokers: [kafka.brokers], logLevel: kafkajs.logLevel.NOTHING })
let kafka: LocalKafka
let plumbline: Running
/** Time of the clock that both sides share, before the first record was read. */
let begun: number
beforeAll(async () => {
  kafka = await startKafka({ directory: join(directory, 'kafka') })
  const admin = client().admin()
  await admin.connect()
  await admin.createTopics({
    waitForLeaders: true,
    topics: [TOPICS.predictions.topic, TOPICS.labels.topic].map((topic) => ({
      topic,
      numPartitions: 2,
      configEntries: [
        { name: 'message.timestamp.type', value: 'CreateTime' },
        // Kafka takes away what is older than a week unless told otherwise.
        { name: 'retention.ms', value: '-1' },
      ],
    })),
  })
  await admin.disconnect()
  begun = Date.now()
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_KAFKA_BROKERS: kafka.brokers,
    PLUMBLINE_LOG_LEVEL: 'error',
  })
})
afterAll(async () => {
  await plumbline?.stop()
  await kafka?.stop()
})

const row = async (sql: string) => (await ask(plumbline.clickhouseUrl, sql))[0]!

test('records of years ago: labels are joined, the model has a watermark, and all of it arrived now', async () => {
  const producer = client().producer({
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  const send = (topic: string, values: readonly unknown[]) =>
    producer.send({
      topic,
      messages: values.map((value) => ({ value: JSON.stringify(value), timestamp: OLD })),
    })
  const events = Array.from({ length: N }, (_, i) =>
    prediction(i, { model_id: 'kept', predicted_at: new Date(begun - 60_000 + i).toISOString() }),
  )
  await send(
    TOPICS.labels.topic,
    events.map(({ prediction_id }, i) => ({
      model_id: 'kept',
      label_id: `l-${i}`,
      prediction_id,
      label: '1',
      source: 'ground_truth',
      labelled_at: new Date(begun).toISOString(),
    })),
  )
  await send(TOPICS.predictions.topic, [...events, { model_id: 'kept' }])
  await producer.disconnect()
  await until('every label is joined', async () => {
    const { n } = await row(
      `SELECT uniqExact(prediction_id) AS n FROM outcomes WHERE model_id = 'kept'`,
    )
    return Number(n) === N
  })
  await until('the dead letter', async () => {
    const { n } = await row(`SELECT count() AS n FROM dead_letters WHERE reason = 'missing_field'`)
    return Number(n) === 1
  })
  const ended = Date.now()
  for (const sql of [
    `SELECT min(toUnixTimestamp64Milli(received_at)) AS a, max(toUnixTimestamp64Milli(received_at)) AS z FROM predictions`,
    `SELECT min(toUnixTimestamp64Milli(received_at)) AS a, max(toUnixTimestamp64Milli(received_at)) AS z FROM labels`,
    `SELECT min(toUnixTimestamp64Milli(received_at)) AS a, max(toUnixTimestamp64Milli(received_at)) AS z FROM watermarks`,
    `SELECT min(toUnixTimestamp64Milli(received_at)) AS a, max(toUnixTimestamp64Milli(received_at)) AS z FROM dead_letters`,
  ]) {
    const { a, z } = await row(sql)
    expect({ sql, isAfter: Number(a) >= begun, isBefore: Number(z) <= ended }).toEqual({
      sql,
      isAfter: true,
      isBefore: true,
    })
  }
  const { newest } = await row(
    `SELECT max(toUnixTimestamp64Milli(newest)) AS newest FROM watermarks WHERE model_id = 'kept'`,
  )
  expect(Number(newest)).toBe(begun - 60_000 + N - 1)
})

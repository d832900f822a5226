/** Topics of the user's own, on the real broker: waited for, read, counted, and read on. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startKafka, type LocalKafka } from '../../deploy/local/kafka.ts'
import { temporaryDirectory } from '../harness.ts'
import { ask, startTarget, until, type Running } from '../servers/processes.ts'

const directory = temporaryDirectory()
const TOPIC = 'bank.scores'
const SOURCE = `source: bank
kafka: { topic: ${TOPIC} }
format: json
events:
  - type: prediction
    each: $.rows
    fields:
      prediction_id: { template: "{$meta.partition}-{$meta.offset}-{$index}" }
      model_id: bank
      model_version: { path: $.model.version }
      predicted_at: { path: $.at, time: epoch_ms }
      score: $item.score
      attributes: { fields: { branch: $meta.headers.branch } }
`
let kafka: LocalKafka
let plumbline: Running
const client = () =>
  new kafkajs.Kafka({ brokers: [kafka.brokers], logLevel: kafkajs.logLevel.NOTHING })
const start = () =>
  startTarget('all', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_SOURCES_DIR: join(directory, 'sources'),
    PLUMBLINE_KAFKA_BROKERS: kafka.brokers,
    PLUMBLINE_LOG_LEVEL: 'error',
  })
beforeAll(async () => {
  mkdirSync(join(directory, 'sources'))
  writeFileSync(join(directory, 'sources/bank.yaml'), SOURCE)
  kafka = await startKafka({ directory: join(directory, 'kafka') })
  plumbline = await start()
})
afterAll(async () => {
  await plumbline?.stop()
  await kafka?.stop()
})

const ready = async () =>
  (await (await fetch(`${plumbline.url}/health/ready`)).json()) as { waiting?: string[] }
const row = async (sql: string) => (await ask(plumbline.clickhouseUrl, sql))[0]!
const stored = async () =>
  Number((await row(`SELECT count() AS n FROM predictions WHERE model_id = 'bank'`))['n'])

async function send(from: number, messages: number): Promise<void> {
  const producer = client().producer({
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  await producer.send({
    topic: TOPIC,
    messages: Array.from({ length: messages }, (_, i) => ({
      value: JSON.stringify({
        at: Date.now(),
        model: { version: 3 },
        rows: [{ score: 0.1 }, { score: 0.2 }, ...((from + i) % 10 === 0 ? [{ scor: 1 }] : [])],
      }),
      headers: { branch: 'north' },
    })),
  })
  await producer.disconnect()
}

test('a missing topic is waited for and told; then its messages are stored, once over a restart', async () => {
  await until('the source waits', async () => (await ready()).waiting !== undefined)
  expect((await ready()).waiting).toEqual([
    `plumbline-source-bank-prediction of bank/prediction waits: Kafka has no topic ${TOPIC}, or does not let us see it`,
  ])
  const admin = client().admin()
  await admin.connect()
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic: TOPIC, numPartitions: 2 }] })
  await admin.disconnect()
  await send(0, 100)
  await until('the events of 100 messages', async () => (await stored()) === 200)
  expect(await ready()).toEqual({ status: 'ready' })
  await plumbline.stop()
  await send(100, 50)
  plumbline = await start()
  await until('the events of 150 messages', async () => (await stored()) === 300)
  const { ids, branches } = await row(
    `SELECT uniqExact(prediction_id) AS ids, groupUniqArray(attributes['branch']) AS branches FROM predictions WHERE model_id = 'bank'`,
  )
  expect([ids, branches]).toEqual(['300', ['north']])
  const letters = () =>
    ask(
      plumbline.clickhouseUrl,
      `SELECT count() AS n, any(reason) AS reason, any(message) AS message, any(topic) AS topic FROM dead_letters`,
    )
  // The dead letters of a range follow its rows.
  await until('all dead letters', async () => (await letters())[0]?.['n'] === '15')
  expect(await letters()).toEqual([
    {
      n: '15',
      reason: 'unmapped',
      message:
        '1 of 3 events are refused, the first is [2]: no $item.score (score); did you mean scor?',
      topic: 'bank/prediction',
    },
  ])
  // A range that was stored and not yet committed is read again, and counted by its new process too.
  const isCounted = async () =>
    /plumbline_events_total\{service="ingest",topic="bank\/prediction",outcome="dead_letter",reason="unmapped"\} (5|1\d)\n/.test(
      await (await fetch(`${plumbline.url}/metrics`)).text(),
    )
  await until('the dead letters since the restart are counted', isCounted)
})

test('a changed mapping is taken without a restart, and a source that goes is read no more', async () => {
  const inForce = async () =>
    (
      (await (await fetch(`${plumbline.url}/v1/config`)).json()) as {
        sources: { files: { revision: string }[] }
      }
    ).sources.files
  const [before] = await inForce()
  writeFileSync(
    join(directory, 'sources/bank.yaml'),
    SOURCE.replace('model_id: bank', 'model_id: { template: "bank-{$.model.version}" }'),
  )
  plumbline.child.kill('SIGHUP')
  await until('the new mapping', async () => (await inForce())[0]?.revision !== before!.revision)
  await send(1, 9)
  const renamed = async () =>
    Number((await row(`SELECT count() AS n FROM predictions WHERE model_id = 'bank-3'`))['n'])
  // What the mapping before has begun it may still complete: each event is there once, in one of both.
  await until('the events of 9 messages', async () => (await stored()) + (await renamed()) === 318)
  expect(await renamed()).toBe(18)
  expect(await ready()).toEqual({ status: 'ready' })
  rmSync(join(directory, 'sources/bank.yaml'))
  plumbline.child.kill('SIGHUP')
  await until('no source', async () => (await inForce()).length === 0)
  const lag = async () =>
    (await (await fetch(`${plumbline.url}/metrics`)).text()).includes(
      'plumbline_consumer_lag{topic="bank/prediction"',
    )
  await until('nothing is behind', async () => !(await lag()))
  expect(await ready()).toEqual({ status: 'ready' })
})

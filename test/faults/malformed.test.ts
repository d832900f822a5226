/**
 * 100 000 malformed messages in every wire format, valid ones between them: nothing crashes, each ends
 * in one counted place.
 */
import { join } from 'node:path'
import fc from 'fast-check'
import kafkajs from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startKafka, type LocalKafka } from '../../deploy/local/kafka.ts'
import { TOPICS } from '../../schemas/topics.ts'
import { temporaryDirectory } from '../harness.ts'
import { ask, prediction, startTarget, until, type Running } from '../servers/processes.ts'

const MALFORMED = process.env['FAULTS'] === 'all' ? 100_000 : 10_000
const SEED = Number(process.env['FAULT_SEED'] ?? 20_261_121)
const topic = TOPICS.predictions.topic
const directory = temporaryDirectory()
let kafka: LocalKafka
let plumbline: Running
beforeAll(async () => {
  kafka = await startKafka({ directory: join(directory, 'kafka') })
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

interface Message {
  key: string | null
  value: Buffer | null
  headers?: Record<string, string>
}

const valid = (i: number) =>
  JSON.stringify(prediction(i, { model_id: 'valid', features: { x: i, color: 'red' } }))

/** Surely no event: each is broken in one of the ways of the field. */
const broken = (): fc.Arbitrary<Message> => {
  const base = prediction(1, { model_id: 'broken' })
  const text = JSON.stringify(base)
  const plain = (value: string | Buffer): Message => ({ key: null, value: Buffer.from(value) })
  const ceHeaders = { ce_specversion: '1.0', ce_id: '1', ce_source: 's', ce_type: 't' }
  return fc.oneof(
    // Raw bytes, Avro's and gzip's first byte among them.
    fc
      .uint8Array({ maxLength: 120 })
      .filter((b) => b[0] !== 123)
      .map((b) => plain(Buffer.from(b))),
    fc.uint8Array({ maxLength: 60 }).map((b) => plain(Buffer.from([0, ...b]))),
    // Cut off anywhere, or with one byte changed into one that breaks it.
    fc.nat({ max: text.length - 2 }).map((n) => plain(text.slice(0, n + 1))),
    fc
      .nat({ max: text.length - 1 })
      .map((n) => plain(`${text.slice(0, n)}\u0000${text.slice(n + 1)}`)),
    // A wrong value in a required field.
    fc
      .tuple(
        fc.constantFrom('prediction_id', 'model_id', 'model_version', 'predicted_at'),
        fc.jsonValue().filter((v) => typeof v !== 'string'),
      )
      .map(([name, value]) => plain(JSON.stringify({ ...base, [name]: value }))),
    fc
      .constantFrom('NaN', '1e999', '"0.5"', '[]', '-Infinity')
      .map((raw) => plain(`${text.slice(0, -1)},"score":${raw}}`)),
    fc
      .constantFrom('{"a":1,"a":2}', '{"a":[1]}', '[1]', '1', '{"a":{"b":1}}')
      .map((raw) => plain(`${text.slice(0, -1)},"features":${raw}}`)),
    fc
      .constantFrom('"__proto__":1,"__proto__":2', '"x":1,"x":1')
      .map((raw) => plain(`{${raw},${text.slice(1)}`)),
    fc.constant(plain('['.repeat(2000))),
    fc
      .nat(20)
      .map((n) =>
        plain(
          n === 0
            ? `${text.slice(0, -1)},"input_text":"${'x'.repeat(300_000)}"}`
            : '{"input_text":1}',
        ),
      ),
    // Envelopes.
    fc.constantFrom('ce_id', 'ce_source', 'ce_type', 'ce_specversion').map((name) => {
      const { [name as 'ce_id']: _, ...headers } = ceHeaders
      return { ...plain(text), headers }
    }),
    fc.string().map((value) => ({
      ...plain(value),
      headers: { 'content-type': 'application/cloudevents+json' },
    })),
    fc.constant({ ...plain('{"nothing":1}'), headers: ceHeaders }),
    // No value at all.
    fc.constantFrom<Message>({ key: 'k', value: null }, { key: 'k', value: Buffer.alloc(0) }),
  )
}

test(`${MALFORMED} malformed messages on Kafka (seed ${SEED}): as many dead letters, and every valid one between them`, async () => {
  const client = new kafkajs.Kafka({ brokers: [kafka.brokers], logLevel: kafkajs.logLevel.NOTHING })
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  const kinds = fc.sample(broken(), { numRuns: Math.min(MALFORMED, 10_000), seed: SEED })
  let sent = 0
  let good = 0
  while (sent < MALFORMED) {
    const batch = Array.from(
      { length: Math.min(25, MALFORMED - sent) },
      (_, i) => kinds[(sent + i) % kinds.length]!,
    )
    sent += batch.length
    const between = Array.from({ length: 2 }, () => ({
      key: null,
      value: Buffer.from(valid(good++)),
    }))
    await producer.send({
      topic,
      messages: [...batch.slice(0, 7), ...between, ...batch.slice(7)] as never,
    })
  }
  await producer.disconnect()
  await until(
    'everything is stored',
    async () =>
      Number(
        (
          await ask(
            plumbline.clickhouseUrl,
            `SELECT sum(rows) AS n FROM sink_ranges WHERE topic = '${topic}'`,
          )
        )[0]!['n'],
      ) >=
      sent + good,
    300_000,
  )
  expect(
    await ask(
      plumbline.clickhouseUrl,
      `SELECT (SELECT count() FROM predictions) AS rows, (SELECT uniqExact(prediction_id) FROM predictions WHERE model_id = 'valid') AS valid,
         (SELECT count() FROM dead_letters) AS dead, (SELECT countIf(reason = '' OR message = '') FROM dead_letters) AS untold`,
    ),
  ).toEqual([{ rows: String(good), valid: String(good), dead: String(sent), untold: '0' }])
  expect(plumbline.child.exitCode).toBeNull()
}, 600_000)

test('a partition that one producer floods with faults goes on for the others', async () => {
  const client = new kafkajs.Kafka({ brokers: [kafka.brokers], logLevel: kafkajs.logLevel.NOTHING })
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  const flood = () =>
    producer.send({
      topic,
      messages: Array.from({ length: 1500 }, () => ({
        key: 'flood/1',
        value: 'flood',
        partition: 0,
      })),
    })
  await flood()
  await flood()
  const others = Array.from({ length: 20 }, (_, i) => ({
    key: `others/p-${i}`,
    value: JSON.stringify(prediction(i, { model_id: 'others' })),
    partition: 0,
  }))
  await producer.send({ topic, messages: others })
  await flood()
  await producer.disconnect()
  const count = async (sql: string) => Number((await ask(plumbline.clickhouseUrl, sql))[0]!['n'])
  await until(
    'the events of the others are stored, and every fault is set aside',
    async () =>
      (await count(`SELECT count() AS n FROM predictions WHERE model_id = 'others'`)) === 20 &&
      (await count(`SELECT count() AS n FROM dead_letters WHERE key = 'flood/1'`)) === 4500,
  )
  const letters = await count('SELECT count() AS n FROM dead_letters')
  await until('every dead letter is counted', async () => {
    const metrics = await (await fetch(`${plumbline.url}/metrics`)).text()
    const counted = [
      ...metrics.matchAll(/plumbline_events_total\{[^}]*outcome="dead_letter"[^}]*\} (\d+)/g),
    ]
    return counted.reduce((sum, match) => sum + Number(match[1]), 0) === letters
  })
  expect((await fetch(`${plumbline.url}/health/ready`)).status).toBe(200)
})

test('malformed bodies at every HTTP door: a clear answer each, and never a 5xx', async () => {
  const doors = [
    ['/v1/predictions', 'application/json'],
    ['/v1/predictions', 'application/x-ndjson'],
    ['/v1/labels', 'application/json'],
    ['/v1/cloudevents', 'application/cloudevents+json'],
    ['/v1/cloudevents', 'application/cloudevents-batch+json'],
    ['/v1/cloudevents', 'application/json'],
    ['/v1/traces', 'application/json'],
    ['/v1/logs', 'application/json'],
  ] as const
  const bodies = fc.sample(
    fc.oneof(
      fc.json(),
      fc.uint8Array({ maxLength: 200 }).map((b) => Buffer.from(b)),
      fc.constantFrom(
        '',
        '[',
        '[}',
        '{"resourceSpans":[{"scopeSpans":[{"spans":[null]}]}]}',
        '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":7}]}]}]}',
        '[1,2,',
        '"',
        '[[[[',
        '{"specversion":"1.0","data":"\\ud800"}',
      ),
    ),
    { numRuns: MALFORMED / 50, seed: SEED },
  )
  const statuses = new Map<number, number>()
  for (const [i, body] of bodies.entries()) {
    const [path, type] = doors[i % doors.length]!
    const response = await fetch(`${plumbline.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': type, ...(i % 7 === 0 && { 'content-encoding': 'gzip' }) },
      body,
    })
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
    const text = await response.text()
    if (response.status >= 500)
      throw new Error(`${path} ${type} answered ${response.status} to ${String(body)}: ${text}`)
    if (response.status >= 400) expect((JSON.parse(text) as { detail: string }).detail).not.toBe('')
  }
  expect((await fetch(`${plumbline.url}/health/ready`)).status).toBe(200)
})

/** One event through every door: the same row, or the same reason why there is none. */
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import kafkajs, { type Message, type Producer } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startKafka, type LocalKafka } from '../../deploy/local/kafka.ts'
import { TOPICS } from '../../schemas/topics.ts'
import { temporaryDirectory } from '../harness.ts'
import {
  ask,
  post,
  prediction,
  runScript,
  startTarget,
  until,
  type Running,
} from '../servers/processes.ts'

const directory = temporaryDirectory()
let kafka: LocalKafka
let plumbline: Running
let producer: Producer
beforeAll(async () => {
  kafka = await startKafka({ directory: join(directory, 'kafka') })
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_KAFKA_BROKERS: kafka.brokers,
    PLUMBLINE_PAIRING_SECONDS: '1',
    PLUMBLINE_LOG_LEVEL: 'error',
  })
  producer = new kafkajs.Kafka({
    brokers: [kafka.brokers],
    logLevel: kafkajs.logLevel.NOTHING,
  }).producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
})
afterAll(async () => {
  await producer?.disconnect()
  await plumbline?.stop()
  await kafka?.stop()
})

interface Door {
  name: string
  /** Sends the event's text as this door takes it. */
  send: (text: string, id: string) => Promise<Response | void>
}

const JSON_TYPE = { 'content-type': 'application/json' }
const ENVELOPE = {
  specversion: '1.0',
  id: 'e',
  source: '/s',
  type: 'plumbline.prediction.v1',
  time: '2020-01-01T00:00:00Z',
}
const binary = (prefix: string) =>
  Object.fromEntries(Object.entries(ENVELOPE).map(([name, value]) => [`${prefix}${name}`, value]))
const structured = (text: string) => `${JSON.stringify(ENVELOPE).slice(0, -1)},"data":${text}}`

const http = (
  name: string,
  path: string,
  bodyOf: (text: string) => string | Buffer,
  headers: Record<string, string> = JSON_TYPE,
): Door => ({
  name,
  send: async (text) => post(`${plumbline.url}${path}`, bodyOf(text), headers),
})

const onKafka = (name: string, messageOf: (text: string) => Omit<Message, 'key'>): Door => ({
  name,
  send: async (text, id) => {
    const message = { key: `one/${id}`, ...messageOf(text) } as Message
    await producer.send({ topic: TOPICS.predictions.topic, messages: [message] })
  },
})

const CE = '/v1/cloudevents'
const DOORS: readonly Door[] = [
  http('one event', '/v1/predictions', (text) => text),
  http('a batch of one', '/v1/predictions', (text) => ` [ ${text} ] `),
  http('NDJSON', '/v1/predictions', (text) => `${text}\r\n\n`, {
    'content-type': 'application/x-ndjson',
  }),
  http('gzip', '/v1/predictions', (text) => gzipSync(text), {
    ...JSON_TYPE,
    'content-encoding': 'gzip',
  }),
  http('zstd', '/v1/predictions', (text) => zstdCompressSync(text), {
    ...JSON_TYPE,
    'content-encoding': 'zstd',
  }),
  http('a binary CloudEvent', CE, (text) => text, { ...JSON_TYPE, ...binary('ce-') }),
  http('a structured CloudEvent', CE, structured, {
    'content-type': 'application/cloudevents+json',
  }),
  http('a batch of CloudEvents', CE, (text) => `[${structured(text)}]`, {
    'content-type': 'application/cloudevents-batch+json',
  }),
  onKafka('Kafka', (text) => ({ value: text })),
  onKafka('a binary CloudEvent on Kafka', (text) => ({
    value: text,
    headers: { ...binary('ce_'), ...JSON_TYPE },
  })),
  onKafka('a structured CloudEvent on Kafka', (text) => ({
    value: structured(text),
    headers: { 'content-type': 'application/cloudevents+json' },
  })),
]

/** Everything that an event can say, with values at the edges of what JSON holds. */
const FULL = {
  ...prediction(1, { model_id: 'one' }),
  score: 0.30000000000000004,
  scores: { '0': 0.1, '1': 0.9 },
  features: { big: 9007199254740991, small: 5e-324, zero: -0, text: '\u{1f600}é"\\', gone: null },
  attributes: { sex: '2' },
  quantiles: { '0.1': 1.5, '0.9': 2.5 },
  target_time: '2026-02-01T00:00:00+01:00',
  decision: 'deny',
  group_id: 'g/1',
  position: 3,
  exposure_propensity: 0.5,
  propensity: 0.05,
  exploration: true,
  variant: 'b',
  request_id: 'r',
  shadow: false,
  latency_ms: 12.5,
  time_to_first_token_ms: 3.5,
  cost_usd: 0.002,
  input_tokens: 100,
  output_tokens: 20,
  status: 'ok',
  input_text: 'a\nb',
  output_text: '',
  embedding: [0.1, -0.2],
  attributions: { amount: 0.4 },
  subject_id: 's',
  trace_id: 't',
  sampling_fraction: 0.1,
  a_field_of_tomorrow: { deep: [1, 2] },
}

/**
 * Texts as they stand, so that spellings survive: each differs from the full event in one place.
 */
const REFUSED: readonly { code: string; from: string; to: string }[] = [
  { code: 'missing_field', from: '"model_version":"7",', to: '' },
  { code: 'invalid_field', from: '"score":0.30000000000000004', to: '"score":"0.3"' },
  { code: 'invalid_field', from: '"score":0.30000000000000004', to: '"score":1e400' },
  { code: 'invalid_field', from: '"decision":"deny"', to: '"decision":"maybe"' },
  { code: 'invalid_field', from: '"group_id":"g/1"', to: '"group_id":"g\\u0000"' },
  { code: 'repeated_key', from: '"sex":"2"', to: '"sex":"2","sex":"1"' },
]

const idsOf = (what: string) => DOORS.map((_, i) => `${what}-${i}`)
const textOf = (id: string) => JSON.stringify({ ...FULL, prediction_id: id })

test('what is accepted ends as one row, the same by every door', async () => {
  const ids = idsOf('good')
  for (const [i, door] of DOORS.entries()) {
    const answer = await door.send(textOf(ids[i]!), ids[i]!)
    if (answer) expect([answer.status, await answer.json()], door.name).toEqual([200, TAKEN])
  }
  const rows = () =>
    ask<Record<string, unknown>>(
      plumbline.clickhouseUrl,
      `SELECT * EXCEPT (${OWN.join(', ')}) FROM predictions WHERE startsWith(prediction_id, 'good-')`,
    )
  await until('every door’s event is stored', async () => (await rows()).length >= DOORS.length)
  const [first, ...others] = await rows()
  expect(first).toMatchObject({ model_id: 'one', score: 0.30000000000000004, unknown_fields: 1 })
  expect(others).toEqual(Array.from({ length: DOORS.length - 1 }, () => first))
})

test.each(REFUSED)('$code, $to: the same reason by every door', async ({ code, from, to }) => {
  const ids = idsOf(`bad-${REFUSED.findIndex((one) => one.to === to)}`)
  const said: Record<string, string> = {}
  for (const [i, door] of DOORS.entries()) {
    const text = textOf(ids[i]!).replace(from, to)
    expect(text).not.toBe(textOf(ids[i]!))
    const answer = await door.send(text, ids[i]!)
    if (answer) said[door.name] = codeOf((await answer.json()) as Refusal)
    else {
      await until('its dead letter', async () => (await letters(ids[i]!)).length > 0)
      said[door.name] = (await letters(ids[i]!)).map(({ reason }) => reason).join()
    }
  }
  expect(said).toEqual(Object.fromEntries(DOORS.map(({ name }) => [name, code])))
})

test('a model server’s exchange, V1 and V2, ends as the row of the event that says the same', async () => {
  const features = { amount: 12.5, country: 'DE' }
  const at = '2026-01-01T00:00:00.123Z'
  const said = { model_version: '7', predicted_at: at, prediction: '1', features }
  const event = { prediction_id: 'native', model_id: 'served', ...said }
  expect((await post(`${plumbline.url}/v1/predictions`, event)).status).toBe(200)
  const half = async (id: string, part: string, body: unknown) => {
    const answer = await post(`${plumbline.url}${CE}`, body, {
      ...JSON_TYPE,
      'ce-specversion': '1.0',
      'ce-id': id,
      'ce-source': '/s',
      'ce-type': `org.kubeflow.serving.inference.${part}`,
      'ce-time': at,
      'ce-inferenceservicename': 'served',
      'ce-endpoint': '7',
    })
    expect(answer.status).toBe(200)
  }
  await half('v1', 'request', { instances: [features] })
  await half('v1', 'response', { predictions: ['1'] })
  const tensor = (name: string, datatype: string, data: unknown[]) => ({
    name,
    datatype,
    shape: [1],
    data,
  })
  await half('v2', 'request', {
    inputs: [tensor('amount', 'FP64', [12.5]), tensor('country', 'BYTES', ['DE'])],
  })
  await half('v2', 'response', {
    model_version: '7',
    outputs: [tensor('predict', 'INT64', [1])],
  })
  const rows = async () =>
    ask(
      plumbline.clickhouseUrl,
      `SELECT prediction_id, model_version, prediction, score, features, toString(predicted_at) AS at
       FROM predictions WHERE model_id = 'served' ORDER BY prediction_id`,
    )
  await until('all three are stored', async () => (await rows()).length === 3)
  expect(await rows()).toEqual(
    ['native', 'v1', 'v2'].map((prediction_id) => ({
      prediction_id,
      model_version: '7',
      prediction: '1',
      score: null,
      features,
      at: '2026-01-01 00:00:00.123',
    })),
  )
})

const TAKEN = { accepted: 1, rejected: [] }
/** Columns that say which event a row is, where it lay in the log, and when it came. */
const OWN = ['prediction_id', 'received_at', 'log_epoch', 'topic', 'partition', 'offset']

interface Refusal {
  code: string
  rejected?: { code: string }[]
}
const codeOf = ({ code, rejected }: Refusal) => rejected?.[0]?.code ?? code

const letters = (id: string) =>
  ask<{ reason: string }>(
    plumbline.clickhouseUrl,
    `SELECT reason FROM dead_letters WHERE key = 'one/${id}'`,
  )

test('npm run audit reads the anchors of the topic, and misses an entry that one of them holds', async () => {
  const env = { PLUMBLINE_URL: plumbline.url, PLUMBLINE_KAFKA_BROKERS: kafka.brokers }
  const verify = () => runScript('audit.ts', ['verify'], env)
  await until('the log is anchored', async () =>
    verify().stdout.includes(`1 anchors of the topic ${TOPICS.auditAnchors.topic}`),
  )
  const later = { at: '2030-01-01T00:00:00.000Z', entries: 1000, hash: 'f'.repeat(64) }
  await producer.send({
    topic: TOPICS.auditAnchors.topic,
    messages: [{ key: 'later', value: JSON.stringify(later) }],
  })
  const { stdout, status } = verify()
  expect(stdout).toMatch(/^broken: entry \d+ is missing: the log ends there, and had 1000 entries/)
  expect(status).toBe(1)
})

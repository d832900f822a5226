/**
 * One planted person through every endpoint and wire format, of a model with privacy rules: nothing
 * of it is in the data folder, and none of it in a topic that we write.
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import kafkajs, { type Kafka } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startKafka, type LocalKafka } from '../../deploy/local/kafka.ts'
import { TOPICS } from '../../schemas/topics.ts'
import { temporaryDirectory } from '../harness.ts'
import { filesHolding } from '../live-files.ts'
import { otlpMessages } from '../planted/otlp-messages.ts'
import { plantedOtlp } from '../planted/planted-spans.ts'
import { ask, post, ROOT, startTarget, until, type Running } from '../servers/processes.ts'

const directory = temporaryDirectory()
const data = join(directory, 'data')
const AT = '2026-01-01T00:00:00Z'

/** What is planted; each is found by a rule of another kind. */
const PLANTED = {
  email: 'petra.planted@secret.example',
  phone: '+49 151 98765432',
  card: '4111111111111111',
  iban: 'DE89370400440532013000',
  name: 'Petra Pflanzmann',
  dropped: 'dropped-value-7351',
  subject: 'subject-of-7351',
}
const TEXT = Object.values(PLANTED).slice(0, 5).join(' | ')
/** Value of a model without rules: shows that the search finds what is there. */
const OPEN = 'nobody.hides@open.example'

const RULES = `
  drop: [salary, religion]
  hash: [subject_id]
  mask: [email, phone, card, iban, names]
  names: [${PLANTED.name}]
`
const FEATURES = { amount: 1, note: TEXT, salary: PLANTED.dropped }

let kafka: LocalKafka
let client: Kafka
let plumbline: Running

beforeAll(async () => {
  kafka = await startKafka({ directory: join(directory, 'kafka') })
  client = new kafkajs.Kafka({ brokers: [kafka.brokers], logLevel: kafkajs.logLevel.NOTHING })
  const admin = client.admin()
  await admin.connect()
  await admin.createTopics({
    topics: ['ml-in', 'ml-out'].map((topic) => ({ topic, numPartitions: 1 })),
  })
  await admin.disconnect()
  const models = join(directory, 'models')
  mkdirSync(models)
  writeFileSync(
    join(models, 'guarded.yaml'),
    `model_id: guarded\ntask: binary\nreview: { reviewers: 1, budget_per_day: 10000 }\nprivacy: ${RULES}`,
  )
  writeFileSync(join(directory, 'key'), 'a key of thirty-two bytes or more')
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: data,
    PLUMBLINE_MODELS_DIR: models,
    PLUMBLINE_PRIVACY_KEY_FILE: join(directory, 'key'),
    PLUMBLINE_KAFKA_BROKERS: kafka.brokers,
    PLUMBLINE_MLSERVER_TOPICS: 'ml-in,ml-out',
    PLUMBLINE_PAIRING_SECONDS: '2',
  })
}, 120_000)
afterAll(async () => {
  await plumbline?.stop('SIGKILL')
  await kafka?.stop()
})

const planted = (id: string, more: object = {}) => ({
  prediction_id: id,
  model_id: 'guarded',
  model_version: '1',
  predicted_at: new Date().toISOString(),
  prediction: '1',
  score: 0.5,
  features: FEATURES,
  attributes: { religion: PLANTED.dropped, note: TEXT },
  input_text: TEXT,
  output_text: JSON.stringify({ said: TEXT }),
  subject_id: PLANTED.subject,
  unheard_of: TEXT,
  ...more,
})
const label = (id: string) => ({
  label_id: `l-${id}`,
  model_id: 'guarded',
  prediction_id: id,
  subject_id: PLANTED.subject,
  label: '1',
  labelled_at: AT,
  source: 'ground_truth',
  comment: TEXT,
})
const attributes = (id: string) => ({
  subject_id: PLANTED.subject,
  prediction_id: id,
  attributes: { religion: PLANTED.dropped, note: TEXT },
  observed_at: AT,
})
const envelope = (id: string, type: string, value: unknown) => ({
  specversion: '1.0',
  id,
  source: `/users/${PLANTED.email}`,
  user: PLANTED.email,
  type,
  time: AT,
  inferenceservicename: 'guarded',
  data: value,
})

async function taken(path: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await post(`${plumbline.url}${path}`, body, headers)
  const text = await response.text()
  expect(response.status, `${path}: ${text}`).toBeLessThan(300)
  return JSON.parse(text || 'null') as { accepted?: number }
}

const count = async (sql: string) =>
  Number((await ask<{ n: string }>(plumbline.clickhouseUrl, sql))[0]!.n)
const arrived = (what: string, table: string, where: string, least: number) =>
  until(
    what,
    async () => (await count(`SELECT count() AS n FROM ${table} WHERE ${where}`)) >= least,
    60_000,
  )

const { spans, logs } = plantedOtlp(TEXT, PLANTED.subject)

async function throughHttp(): Promise<void> {
  // Hours that are over are drawn from for review.
  const earlier = new Date(Date.now() - 3 * 3_600_000).toISOString()
  await taken('/v1/predictions', planted('json', { predicted_at: earlier }))
  await taken('/v1/predictions', [planted('array')])
  await taken('/v1/predictions', `${JSON.stringify(planted('ndjson'))}\n`, {
    'content-type': 'application/x-ndjson',
  })
  await taken(
    '/v1/predictions',
    planted('open', {
      model_id: 'open',
      input_text: OPEN,
      features: { a: 1 },
      attributes: {},
      output_text: '',
      unheard_of: '',
      subject_id: 'x',
    }),
  )
  await taken('/v1/labels', label('json'))
  await taken('/v1/attributes', attributes('json'))
  const structured = { 'content-type': 'application/cloudevents+json' }
  await taken(
    '/v1/cloudevents',
    envelope('e1', 'plumbline.prediction.v1', planted('ce')),
    structured,
  )
  await taken(
    '/v1/cloudevents',
    [
      envelope('e2', 'plumbline.label.v1', label('ce')),
      envelope('e3', 'plumbline.attributes.v1', attributes('ce')),
    ],
    { 'content-type': 'application/cloudevents-batch+json' },
  )
  await taken('/v1/cloudevents', planted('binary'), {
    'ce-specversion': '1.0',
    'ce-id': 'e4',
    'ce-source': '/s',
    'ce-type': 'plumbline.prediction.v1',
  })
  for (const [part, body] of [
    ['request', { instances: [FEATURES] }],
    ['response', { predictions: [0.7] }],
  ] as const)
    await taken('/v1/cloudevents', body, {
      'ce-specversion': '1.0',
      'ce-id': 'kserve-1',
      'ce-source': `/users/${PLANTED.email}`,
      'ce-user': PLANTED.email,
      'ce-type': `org.kubeflow.serving.inference.${part}`,
      'ce-time': AT,
      'ce-inferenceservicename': 'guarded',
    })
  // A half that stays alone becomes a dead letter with its body.
  await taken(
    '/v1/cloudevents',
    envelope('alone', 'org.kubeflow.serving.inference.request', { instances: [FEATURES] }),
    structured,
  )
  await taken('/v1/traces', spans('0000000000000001'))
  const protobuf = { 'content-type': 'application/x-protobuf' }
  const response = await post(
    `${plumbline.url}/v1/traces`,
    otlpMessages().encode('traces', spans('0000000000000002')),
    protobuf,
  )
  expect(response.status).toBe(200)
  await taken('/v1/logs', logs)
  const reference = await fetch(`${plumbline.url}/v1/models/guarded/references/uploaded`, {
    method: 'PUT',
    headers: { 'content-type': 'application/x-ndjson' },
    body: `${JSON.stringify(planted('reference'))}\n`,
  })
  expect(reference.status, await reference.text()).toBe(201)
  const refused = await post(`${plumbline.url}/v1/predictions`, planted('bad', { score: TEXT }))
  expect(refused.status).toBe(400)
}

function throughImport(): void {
  const file = join(directory, 'capture.jsonl')
  writeFileSync(
    file,
    JSON.stringify({
      captureData: {
        endpointInput: {
          observedContentType: 'text/csv',
          mode: 'INPUT',
          data: `1,${PLANTED.dropped},${PLANTED.email}`,
          encoding: 'CSV',
        },
        endpointOutput: {
          observedContentType: 'text/csv',
          mode: 'OUTPUT',
          data: '0.25',
          encoding: 'CSV',
        },
      },
      eventMetadata: { eventId: 'sage', inferenceTime: AT },
      eventVersion: '0',
    }),
  )
  const run = spawnSync(
    process.execPath,
    [
      'scripts/import.ts',
      '--format',
      'sagemaker',
      '--model',
      'guarded',
      '--columns',
      'amount,salary,note',
      '--url',
      plumbline.url,
      file,
    ],
    { cwd: ROOT, encoding: 'utf8' },
  )
  expect(run.stdout, run.stderr).toContain('1 predictions')
}

/** What others write into topics: their bytes are theirs, what we keep of them is not. */
async function throughKafka(): Promise<void> {
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  const predictions = (value: string, key = 'guarded/kafka') =>
    producer.send({
      topic: TOPICS.predictions.topic,
      messages: [{ key, value, headers: { user: PLANTED.email } }],
    })
  await predictions(JSON.stringify(planted('kafka')))
  await predictions(JSON.stringify(planted('kafka-refused', { score: TEXT })))
  await predictions(`{"model_id":"guarded", ${TEXT}`)
  await predictions(`no JSON at all: ${TEXT} ${PLANTED.dropped}`, PLANTED.email)
  await predictions(`\u0000\u0000\u0000\u0000\u0001${TEXT}`)
  await producer.send({
    topic: TOPICS.labels.topic,
    messages: [{ key: PLANTED.subject, value: JSON.stringify(label('kafka')) }],
  })
  await producer.send({
    topic: TOPICS.attributes.topic,
    messages: [{ key: PLANTED.subject, value: JSON.stringify(attributes('kafka')) }],
  })
  await producer.send({
    topic: TOPICS.attributes.topic,
    messages: [
      {
        key: PLANTED.subject,
        value: JSON.stringify({ ...attributes('kafka-refused'), observed_at: TEXT }),
      },
    ],
  })
  const headers = { 'mlserver-model': 'guarded', 'mlserver-version': '1' }
  await producer.send({
    topic: 'ml-in',
    messages: [
      {
        key: 'ml-1',
        headers,
        value: JSON.stringify({
          inputs: [
            { name: 'note', shape: [1], datatype: 'BYTES', data: [TEXT] },
            { name: 'salary', shape: [1], datatype: 'BYTES', data: [PLANTED.dropped] },
          ],
        }),
      },
    ],
  })
  await producer.send({
    topic: 'ml-out',
    messages: [
      {
        key: 'ml-1',
        headers,
        value: JSON.stringify({
          outputs: [{ name: 'score', shape: [1], datatype: 'FP32', data: [0.5] }],
        }),
      },
    ],
  })
  await producer.disconnect()
}

async function throughReview(): Promise<void> {
  let task: { task_id: string; lease_id: string } | undefined
  await until('a task to review', async () => {
    const response = await post(`${plumbline.url}/v1/reviews/claim`, {
      reviewer: 'ann',
      model_id: 'guarded',
    })
    task = response.status === 200 ? ((await response.json()) as typeof task) : undefined
    return task !== undefined
  })
  await taken(`/v1/reviews/${task!.task_id}/submit`, {
    reviewer: 'ann',
    lease_id: task!.lease_id,
    label: '1',
    comment: TEXT,
  })
}

/** Every message of our own topics that came through us, not from a producer of the test. */
async function ownMessages(): Promise<string> {
  const consumer = client.consumer({ groupId: 'search' })
  await consumer.connect()
  await consumer.subscribe({
    topics: [TOPICS.deadLetters.topic, TOPICS.inferenceLogs.topic],
    fromBeginning: true,
  })
  let text = ''
  let letters = 0
  await consumer.run({
    eachMessage: async ({ topic, message }) => {
      if (topic === TOPICS.deadLetters.topic) letters++
      const headers = Object.entries(message.headers ?? {}).map(
        ([name, value]) => `${name}=${String(value)}`,
      )
      text += `${String(message.key)}\n${String(message.value)}\n${headers.join('\n')}\n`
    },
  })
  await until('the dead letters in their topic', async () => letters >= 5, 60_000)
  await consumer.disconnect()
  return text
}

test('nothing of a planted person is kept, through whatever endpoint or format it came', async () => {
  await throughHttp()
  throughImport()
  await throughKafka()
  await arrived('predictions', 'predictions', `model_id = 'guarded'`, 11)
  await arrived('labels', 'labels', `model_id = 'guarded'`, 3)
  await arrived('attributes', 'attributes', 'true', 3)
  await arrived('dead letters', 'dead_letters', 'true', 6)
  await throughReview()
  const messages = await ownMessages()
  const hashes = await ask<{ subject_id: string }>(
    plumbline.clickhouseUrl,
    `SELECT DISTINCT subject_id FROM predictions WHERE model_id = 'guarded' AND subject_id != '' UNION DISTINCT SELECT subject_id FROM attributes`,
  )
  expect(hashes).toEqual([{ subject_id: expect.stringMatching(/^hmac:[0-9a-f]{32}$/) as string }])
  expect(
    await ask(
      plumbline.clickhouseUrl,
      `SELECT input_text, features FROM predictions WHERE prediction_id = 'kafka'`,
    ),
  ).toEqual([
    {
      input_text: '[email] | [phone] | [card] | [iban] | [name]',
      features: { amount: 1, note: '[email] | [phone] | [card] | [iban] | [name]' },
    },
  ])
  expect(await plumbline.stop('SIGTERM')).toBe(0)
  const found = Object.values(PLANTED).flatMap((text) =>
    filesHolding(data, text).map((path) => `${text} in ${path}`),
  )
  expect(found).toEqual([])
  for (const text of Object.values(PLANTED)) {
    expect(messages).not.toContain(text)
    expect(plumbline.log()).not.toContain(text)
  }
  expect(filesHolding(data, OPEN)).not.toEqual([])
}, 300_000)

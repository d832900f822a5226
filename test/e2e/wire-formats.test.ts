/**
 * Sends one set of events in every wire format, through real clients, into one process of ours:
 * each arrives, or is refused with its reason.
 */
// oxlint-disable max-lines -- one process, one broker and one registry serve every wire format
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import avsc from 'avsc'
import { CloudEvent, HTTP } from 'cloudevents'
import kafkajs, { type Producer } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startKafka, type LocalKafka } from '../../deploy/local/kafka.ts'
import { startRegistry, type LocalRegistry } from '../../deploy/local/registry.ts'
import { schemaRegistry } from '../../lib/events/avro/schema-registry.ts'
import { TOPICS } from '../../schemas/topics.ts'
import { temporaryDirectory } from '../harness.ts'
import { ask, prediction, ROOT, startTarget, until, type Running } from '../servers/processes.ts'
import { tcpProxy, type TcpProxy } from '../servers/proxies.ts'

const directory = temporaryDirectory()
const topic = TOPICS.predictions.topic
let kafka: LocalKafka
let registry: LocalRegistry
let proxy: TcpProxy
let plumbline: Running
let producer: Producer

beforeAll(async () => {
  ;[kafka, registry] = await Promise.all([
    startKafka({ directory: join(directory, 'kafka') }),
    startRegistry(),
  ])
  proxy = await tcpProxy(Number(new URL(registry.url).port))
  const client = new kafkajs.Kafka({ brokers: [kafka.brokers], logLevel: kafkajs.logLevel.NOTHING })
  const admin = client.admin()
  await admin.connect()
  await admin.createTopics({
    topics: ['mlserver-input', 'mlserver-output'].map((name) => ({
      topic: name,
      numPartitions: 1,
    })),
  })
  await admin.disconnect()
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_KAFKA_BROKERS: kafka.brokers,
    PLUMBLINE_SCHEMA_REGISTRY_URL: registry.url.replace(/:\d+/, `:${proxy.port}`),
    PLUMBLINE_MLSERVER_TOPICS: 'mlserver-input,mlserver-output',
    PLUMBLINE_PAIRING_SECONDS: '3',
    PLUMBLINE_LOG_LEVEL: 'error',
  })
  producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
})
afterAll(async () => {
  await producer?.disconnect()
  await plumbline?.stop()
  proxy?.close()
  await registry?.stop()
  await kafka?.stop()
})

const rows = (where: string, columns = 'prediction_id, score') =>
  ask(
    plumbline.clickhouseUrl,
    `SELECT ${columns} FROM predictions WHERE ${where} ORDER BY prediction_id`,
  )

const arrived = (where: string, count: number) =>
  until(`${count} rows where ${where}`, async () => (await rows(where)).length >= count, 30_000)

const deadLetters = (where: string) =>
  ask(
    plumbline.clickhouseUrl,
    `SELECT reason, message, key FROM dead_letters WHERE ${where} ORDER BY reason`,
  )

const post = (path: string, body: string, headers: Record<string, string>) =>
  fetch(`${plumbline.url}${path}`, { method: 'POST', body, headers })

/** Confluent's wire format. */
function framed(id: number, datum: Buffer): Buffer {
  const header = Buffer.alloc(5)
  header.writeInt32BE(id, 1)
  return Buffer.concat([header, datum])
}

describe('Kafka', () => {
  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'JSON in batches of librdkafka (kcat), compressed by %s',
    async (codec) => {
      const lines = Array.from({ length: 50 }, (_, i) => {
        const event = prediction(i, {
          model_id: `kcat-${codec}`,
          output_text: 'again and '.repeat(20),
        })
        return `kcat-${codec}/${String(event['prediction_id'])}\t${JSON.stringify(event)}`
      })
      if (spawnSync('which', ['kcat']).status !== 0)
        throw new Error('kcat is not installed (Debian: apt-get install kcat)')
      execFileSync('kcat', ['-P', '-b', kafka.brokers, '-t', topic, '-K', '\t', '-z', codec], {
        input: lines.join('\n'),
      })
      await arrived(`model_id = 'kcat-${codec}'`, 50)
    },
  )

  test('Avro: our schema, a service owner’s own, and what cannot be read', async () => {
    const client = schemaRegistry(registry.url)
    const ours = readFileSync(join(ROOT, 'schemas/avro/prediction.v1.avsc'), 'utf8')
    const ourId = await client.register(`${topic}-value`, ours)
    const ourType = avsc.Type.forSchema(JSON.parse(ours) as avsc.Schema)
    const own: avsc.Schema = {
      type: 'record',
      name: 'Scored',
      fields: [
        { name: 'prediction_id', type: 'string' },
        { name: 'model_id', type: 'string' },
        { name: 'model_version', type: 'string' },
        { name: 'predicted_at', type: { type: 'long', logicalType: 'timestamp-micros' } },
        { name: 'score', type: 'float' },
        {
          name: 'features',
          type: { type: 'map', values: ['null', 'double', 'string', 'boolean'] },
        },
      ],
    } as avsc.Schema
    const ownId = await client.register('scored-value', JSON.stringify(own))
    const at = Date.UTC(2026, 0, 1, 0, 0, 0, 7)
    const full = {
      ...prediction(1, { model_id: 'avro' }),
      predicted_at: at,
      features: '{"x":1.5,"color":"red","gone":null}',
    }
    await producer.send({
      topic,
      messages: [
        { key: 'avro/p-1', value: framed(ourId, ourType.toBuffer(full)) },
        {
          value: framed(
            ownId,
            avsc.Type.forSchema(own).toBuffer({
              ...full,
              prediction_id: 'p-2',
              predicted_at: at * 1000,
              score: 0.5,
              features: { x: 1.5, color: 'red', gone: null },
            }),
          ),
        },
        { key: 'avro/unknown', value: framed(999_999, Buffer.from([0])) },
        { key: 'avro/broken', value: framed(ourId, Buffer.from([200, 200])) },
        {
          key: 'avro/twice',
          value: framed(ourId, ourType.toBuffer({ ...full, features: '{"a":1,"a":2}' })),
        },
      ],
    })
    await arrived(`model_id = 'avro'`, 2)
    expect(
      await rows(`model_id = 'avro'`, `prediction_id, toString(predicted_at) AS at, features`),
    ).toEqual(
      ['p-1', 'p-2'].map((prediction_id) => ({
        prediction_id,
        at: '2026-01-01 00:00:00.007',
        features: { x: 1.5, color: 'red', gone: null },
      })),
    )
    await until(
      'three dead letters',
      async () => (await deadLetters(`startsWith(key, 'avro/')`)).length === 3,
    )
    expect((await deadLetters(`startsWith(key, 'avro/')`)).map((row) => row['reason'])).toEqual([
      'invalid_avro',
      'repeated_key',
      'unknown_schema',
    ])
  })

  test('Avro that is not read says what it is, and numbers that are none are missing', async () => {
    const own = (fields: object[]) => ({
      type: 'record',
      name: 'Told',
      fields: [
        ...['prediction_id', 'model_id', 'model_version', 'predicted_at'].map((name) => ({
          name,
          type: 'string',
        })),
        ...fields,
      ],
    })
    const register = async (subject: string, body: object) => {
      const response = await fetch(`${registry.url}/subjects/${subject}/versions`, {
        method: 'POST',
        headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
        body: JSON.stringify(body),
      })
      if (!response.ok) throw new Error(await response.text())
      return ((await response.json()) as { id: number }).id
    }
    const avro = (subject: string, fields: object[], more: object = {}) =>
      register(subject, { schemaType: 'AVRO', schema: JSON.stringify(own(fields)), ...more })
    const inner = JSON.stringify({ type: 'record', name: 'Inner', fields: [] })
    await register('inner-value', { schemaType: 'AVRO', schema: inner })
    const ids = {
      references: await avro('refers-value', [{ name: 'inner', type: 'Inner' }], {
        references: [{ name: 'Inner', subject: 'inner-value', version: 1 }],
      }),
      json: await register('json-value', {
        schemaType: 'JSON',
        schema: '{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}',
      }),
      protobuf: await register('proto-value', {
        schemaType: 'PROTOBUF',
        schema: 'syntax = "proto3"; message Told { string prediction_id = 1; }',
      }),
      decimal: await avro('decimal-value', [
        { name: 'score', type: { type: 'bytes', logicalType: 'decimal', precision: 4, scale: 2 } },
      ]),
      long: await avro('long-value', [{ name: 'score', type: 'long' }]),
      nan: await avro('nan-value', [
        { name: 'score', type: 'double' },
        { name: 'features', type: { type: 'map', values: 'float' } },
      ]),
    }
    const text = (value: string) => Buffer.from([value.length * 2, ...Buffer.from(value)])
    const event = ['1', 'avro-told', '7', '2026-01-01T00:00:00Z'].map(text)
    const nan = Buffer.alloc(8)
    nan.writeDoubleLE(NaN)
    const infinity = Buffer.alloc(4)
    infinity.writeFloatLE(Infinity)
    const rest: Record<keyof typeof ids, Buffer> = {
      references: Buffer.alloc(0),
      json: Buffer.from('{}'),
      protobuf: Buffer.alloc(3),
      decimal: text('ab'),
      // 2^60, as a zigzag varint.
      long: Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20]),
      nan: Buffer.concat([nan, Buffer.from([2]), text('x'), infinity, Buffer.from([0])]),
    }
    await producer.send({
      topic,
      messages: Object.entries(ids).map(([name, id]) => ({
        key: name === 'nan' ? null : `avro-told/${name}`,
        value: framed(id, Buffer.concat([...event, rest[name as keyof typeof ids]])),
      })),
    })
    await arrived(`model_id = 'avro-told'`, 1)
    expect(await rows(`model_id = 'avro-told'`, 'score, features')).toEqual([
      { score: null, features: { x: null } },
    ])
    const letters = () =>
      ask(
        plumbline.clickhouseUrl,
        `SELECT key, reason, message FROM dead_letters WHERE startsWith(key, 'avro-told/') ORDER BY key`,
      )
    await until('five dead letters', async () => (await letters()).length === 5)
    const only = 'only AVRO without references is read'
    expect(await letters()).toEqual([
      {
        key: 'avro-told/decimal',
        reason: 'unsupported_schema',
        message: `schema ${ids.decimal} has score as the logical type decimal, which is not read: send a double, or a string`,
      },
      {
        key: 'avro-told/json',
        reason: 'unsupported_schema',
        message: `schema ${ids.json} is of type JSON: ${only}`,
      },
      {
        key: 'avro-told/long',
        reason: 'invalid_field',
        message:
          'score holds 1152921504606846976, a long beyond 2^53, which a number of an event cannot hold',
      },
      {
        key: 'avro-told/protobuf',
        reason: 'unsupported_schema',
        message: `schema ${ids.protobuf} is of type PROTOBUF: ${only}`,
      },
      {
        key: 'avro-told/references',
        reason: 'unsupported_schema',
        message: `schema ${ids.references} is of type AVRO with 1 reference: ${only}`,
      },
    ])
  })

  test('an incompatible schema is refused, with the registry’s own reason', async () => {
    const client = schemaRegistry(registry.url)
    const schema = (type: string) =>
      JSON.stringify({ type: 'record', name: 'r', fields: [{ name: 'a', type }] })
    const first = await client.register('strict-value', schema('string'))
    expect(await client.register('strict-value', schema('string'))).toBe(first)
    await expect(client.register('strict-value', schema('int'))).rejects.toThrow(
      /strict-value: 409 .+/,
    )
  })

  test('CloudEvents, binary and structured', async () => {
    const event = (id: string) =>
      JSON.stringify(prediction(0, { model_id: 'ce-kafka', prediction_id: id }))
    const envelope = { specversion: '1.0', id: 'e', source: '/s', type: 'plumbline.prediction.v1' }
    const headers = Object.fromEntries(Object.entries(envelope).map(([k, v]) => [`ce_${k}`, v]))
    await producer.send({
      topic,
      messages: [
        { value: event('binary'), headers: { ...headers, 'content-type': 'application/json' } },
        {
          value: `${JSON.stringify(envelope).slice(0, -1)},"data":${event('structured')}}`,
          headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
        },
        { key: 'ce-kafka/none', value: event('none'), headers: { ce_id: 'only' } },
      ],
    })
    await arrived(`model_id = 'ce-kafka'`, 2)
    expect((await rows(`model_id = 'ce-kafka'`)).map((row) => row['prediction_id'])).toEqual([
      'binary',
      'structured',
    ])
    await until(
      'the dead letter',
      async () => (await deadLetters(`key = 'ce-kafka/none'`)).length === 1,
    )
    expect(await deadLetters(`key = 'ce-kafka/none'`)).toMatchObject([
      { reason: 'invalid_envelope' },
    ])
  })

  test('MLServer’s topics', async () => {
    const headers = { 'mlserver-model': 'mlserver', 'mlserver-version': 'v2' }
    const input = {
      id: 'inner',
      inputs: [
        { name: 'amount', shape: [2, 1], datatype: 'FP32', data: [12.5, 90] },
        { name: 'country', shape: [2], datatype: 'BYTES', data: ['DE', 'FR'] },
      ],
    }
    const output = {
      model_name: 'mlserver',
      id: 'inner',
      outputs: [{ name: 'score', shape: [2], datatype: 'FP32', data: [0.1, 0.93] }],
    }
    await producer.send({
      topic: 'mlserver-output',
      messages: [{ key: 'x-1', value: JSON.stringify(output), headers }],
    })
    await producer.send({
      topic: 'mlserver-input',
      messages: [{ key: 'x-1', value: JSON.stringify(input), headers }],
    })
    await arrived(`model_id = 'mlserver'`, 2)
    expect(
      await rows(`model_id = 'mlserver'`, 'prediction_id, model_version, score, features'),
    ).toEqual([
      {
        prediction_id: 'x-1/0',
        model_version: 'v2',
        score: 0.1,
        features: { amount: 12.5, country: 'DE' },
      },
      {
        prediction_id: 'x-1/1',
        model_version: 'v2',
        score: 0.93,
        features: { amount: 90, country: 'FR' },
      },
    ])
  })
})

describe('HTTP', () => {
  const typed = (id: string) =>
    new CloudEvent({
      id,
      source: '/s',
      type: 'plumbline.prediction.v1',
      datacontenttype: 'application/json',
      data: prediction(0, { model_id: 'ce-http', prediction_id: id }),
    })

  test('CloudEvents of the official SDK: binary, structured, batch', async () => {
    for (const message of [HTTP.binary(typed('binary')), HTTP.structured(typed('structured'))]) {
      const body = typeof message.body === 'string' ? message.body : JSON.stringify(message.body)
      const answer = await post('/v1/cloudevents', body, message.headers as Record<string, string>)
      expect([answer.status, await answer.json()]).toEqual([200, { accepted: 1, rejected: [] }])
    }
    const batch = `[${['b1', 'b2'].map((id) => JSON.stringify(typed(id))).join(',')},{"specversion":"1.0"}]`
    const answer = await post('/v1/cloudevents', batch, {
      'content-type': 'application/cloudevents-batch+json',
    })
    expect(await answer.json()).toMatchObject({
      accepted: 2,
      rejected: [{ index: 2, code: 'invalid_envelope' }],
    })
    await arrived(`model_id = 'ce-http'`, 4)
    const unknown = await post('/v1/cloudevents', '{}', {
      'content-type': 'application/json',
      'ce-id': '1',
      'ce-source': 's',
      'ce-type': 'other',
      'ce-specversion': '1.0',
    })
    expect([unknown.status, ((await unknown.json()) as { detail: string }).detail]).toEqual([
      400,
      expect.stringContaining('type must be one of'),
    ])
  })

  const kserve = (id: string, part: string, body: unknown, service = 'fraud-v1') =>
    post('/v1/cloudevents', typeof body === 'string' ? body : JSON.stringify(body), {
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': id,
      'ce-type': `org.kubeflow.serving.inference.${part}`,
      'ce-source': 'http://localhost:9081/',
      'ce-time': '2026-11-21T07:00:00.123Z',
      'ce-inferenceservicename': service,
      'ce-namespace': 'ml',
      'ce-component': 'predictor',
      'ce-endpoint': 'default',
    })

  test('KServe’s logger: V1 and V2 bodies, batches exploded, halves in any order, always exactly 200', async () => {
    const answers = [
      await kserve('k1', 'request', {
        instances: [
          [6.8, 2.8],
          [5.1, 3.5],
        ],
      }),
      await kserve('k1', 'response', {
        predictions: [
          [0.2, 0.8],
          [0.9, 0.1],
        ],
      }),
      await kserve('k2', 'response', {
        model_name: 'fraud',
        model_version: '7',
        id: '42',
        outputs: [{ name: 'predict', shape: [1], datatype: 'INT64', data: [1] }],
      }),
      await kserve('k2', 'request', {
        id: '42',
        inputs: [{ name: 'amount', shape: [1, 1], datatype: 'FP32', data: [[12.5]] }],
      }),
      await kserve('k2', 'request', { id: '42', inputs: [] }),
      await kserve('k3', 'request', { instances: [[1]] }),
      await kserve('k4', 'request', { instances: [[1], [2]] }),
      await kserve('k4', 'response', { predictions: [1] }),
      await kserve('k5', 'request', 'no json'),
      await kserve('k5', 'response', 'no json'),
    ]
    expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 200))
    await arrived(`model_id = 'fraud-v1'`, 3)
    expect(
      await rows(
        `model_id = 'fraud-v1'`,
        'prediction_id, model_version, prediction, score, features, toString(predicted_at) AS at',
      ),
    ).toEqual([
      {
        prediction_id: 'k1/0',
        model_version: 'default',
        prediction: '1',
        score: 0.8,
        features: { f0: 6.8, f1: 2.8 },
        at: '2026-11-21 07:00:00.123',
      },
      {
        prediction_id: 'k1/1',
        model_version: 'default',
        prediction: '0',
        score: 0.1,
        features: { f0: 5.1, f1: 3.5 },
        at: '2026-11-21 07:00:00.123',
      },
      {
        prediction_id: 'k2',
        model_version: '7',
        prediction: '1',
        score: null,
        features: { amount: 12.5 },
        at: '2026-11-21 07:00:00.123',
      },
    ])
    await until(
      'the orphan and the unreadable',
      async () => (await deadLetters(`key IN ('k3', 'k4', 'k5')`)).length === 3,
    )
    expect(
      (await deadLetters(`key IN ('k3', 'k4', 'k5')`))
        .map((row) => `${String(row['key'])} ${String(row['reason'])}`)
        .toSorted(),
    ).toEqual(['k3 orphan_request', 'k4 unreadable_exchange', 'k5 unreadable_exchange'])
  })

  test('OTLP: a span becomes a prediction, an evaluation its label', async () => {
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'chat' } }] }
    const attribute = (key: string, value: Record<string, unknown>) => ({ key, value })
    const spans = [
      {
        name: 'chat gpt',
        traceId: '5b8aa5a2d2c872e8321cf37308d69df2',
        spanId: '051581bf3cb55c13',
        startTimeUnixNano: '1795247378000000000',
        endTimeUnixNano: '1795247379500000000',
        attributes: [
          attribute('gen_ai.operation.name', { stringValue: 'chat' }),
          attribute('gen_ai.response.model', { stringValue: 'gpt-9' }),
          attribute('gen_ai.response.id', { stringValue: 'chatcmpl-123' }),
          attribute('gen_ai.usage.input_tokens', { intValue: '100' }),
          attribute('gen_ai.usage.output_tokens', { intValue: '20' }),
          attribute('gen_ai.response.time_to_first_chunk', { doubleValue: 0.25 }),
          attribute('gen_ai.response.finish_reasons', {
            arrayValue: { values: [{ stringValue: 'stop' }] },
          }),
        ],
      },
      { name: 'GET /', traceId: 'a', spanId: 'b', attributes: [] },
      { name: 'ai.generateText.doGenerate', traceId: 't', spanId: 's', attributes: [] },
    ]
    const traces = await post(
      '/v1/traces',
      JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] }),
      { 'content-type': 'application/json' },
    )
    expect([traces.status, await traces.json()]).toEqual([
      200,
      {
        partialSuccess: {
          rejectedSpans: '1',
          errorMessage:
            '1 span refused: 1 predicted_at is required; 1 span ignored as no model call: 1 without GenAI attributes',
        },
      },
    ])
    const logRecords = [
      {
        timeUnixNano: '1795247380000000000',
        eventName: 'gen_ai.evaluation.result',
        attributes: [
          attribute('gen_ai.evaluation.name', { stringValue: 'Relevance' }),
          attribute('gen_ai.evaluation.score.value', { doubleValue: 4 }),
          attribute('gen_ai.response.id', { stringValue: 'chatcmpl-123' }),
        ],
      },
    ]
    const logs = await post(
      '/v1/logs',
      JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] }),
      { 'content-type': 'application/json' },
    )
    expect([logs.status, await logs.json()]).toEqual([200, {}])
    await arrived(`model_id = 'chat'`, 1)
    expect(
      await rows(
        `model_id = 'chat'`,
        'prediction_id, model_version, prediction, latency_ms, time_to_first_token_ms, input_tokens, output_tokens, status',
      ),
    ).toEqual([
      {
        prediction_id: 'chatcmpl-123',
        model_version: 'gpt-9',
        prediction: 'stop',
        latency_ms: 1500,
        time_to_first_token_ms: 250,
        input_tokens: '100',
        output_tokens: '20',
        status: 'ok',
      },
    ])
    await until(
      'the outcome',
      async () =>
        (
          await ask(
            plumbline.clickhouseUrl,
            `SELECT label FROM outcomes WHERE model_id = 'chat' AND name = 'Relevance'`,
          )
        ).length === 1,
    )
  })
})

test('SageMaker’s files are imported, a refused line told with its number', async () => {
  const capture = (id: string, data: string, out: string) =>
    JSON.stringify({
      captureData: {
        endpointInput: { observedContentType: 'text/csv', mode: 'INPUT', data, encoding: 'CSV' },
        endpointOutput: {
          observedContentType: 'text/csv; charset=utf-8',
          mode: 'OUTPUT',
          data: out,
          encoding: 'CSV',
        },
      },
      eventMetadata: { eventId: id, inferenceTime: '2026-02-14T17:25:49Z' },
      eventVersion: '0',
    })
  const file = join(directory, 'capture.jsonl')
  writeFileSync(
    file,
    [
      capture('s1', '69,0,153.7', '0.0254181120544672'),
      capture('s2', '70,1,2\n71,0,3', '0.5\n0.75'),
      '{"oops":1}',
    ].join('\n'),
  )
  const truth = join(directory, 'truth.jsonl')
  writeFileSync(
    truth,
    JSON.stringify({
      groundTruthData: { data: '1', encoding: 'CSV' },
      eventMetadata: { eventId: 's1' },
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
      'sage',
      '--version',
      '3',
      '--columns',
      'age,sex',
      '--url',
      plumbline.url,
      file,
      truth,
    ],
    { cwd: ROOT, encoding: 'utf8' },
  )
  expect(run.stdout).toContain('3 predictions and 1 labels')
  expect(run.stderr).toContain('capture.jsonl:3: eventMetadata.eventId is required')
  expect(run.status).toBe(1)
  await arrived(`model_id = 'sage'`, 3)
  expect(await rows(`model_id = 'sage'`, 'prediction_id, score, features')).toEqual([
    { prediction_id: 's1', score: 0.0254181120544672, features: { age: 69, sex: 0, f2: 153.7 } },
    { prediction_id: 's2/0', score: 0.5, features: { age: 70, sex: 1, f2: 2 } },
    { prediction_id: 's2/1', score: 0.75, features: { age: 71, sex: 0, f2: 3 } },
  ])
})

test('an odd line of SageMaker’s is one refused line, and the rest is read', async () => {
  const line = (id: string, more: object) =>
    JSON.stringify({
      ...more,
      eventMetadata: { eventId: id, inferenceTime: '2026-02-14T17:25:49Z' },
    })
  const truth = (id: string, data: unknown) =>
    line(id, { groundTruthData: { data, encoding: 'CSV' } })
  const capture = (id: string, data: string, out: string) =>
    line(id, {
      captureData: {
        endpointInput: { data, encoding: 'CSV' },
        endpointOutput: { data: out, encoding: 'CSV' },
      },
    })
  const learner = (score: number, label: number) =>
    JSON.stringify({ predictions: [{ score, predicted_label: label }] })
  const file = join(directory, 'odd.jsonl')
  writeFileSync(
    file,
    [
      truth('a', ['1']),
      truth('b', 1),
      'null',
      capture('c', '00501,1e5,0x1F', '0.5'),
      capture('d', '1,2\n3', '0.5\n0.6'),
      capture('e', '0.56,0.30', learner(0.0126, 0)),
      capture('f', '0.1,0.9', learner(0.97, 1)),
      line('g', {
        captureData: {
          endpointInput: { data: '1', encoding: 'CSV' },
          endpointOutput: { data: '1', encoding: 'CSV' },
        },
      }).replace('2026-02-14', 'someday'),
      truth('f', '1'),
    ].join('\n'),
  )
  const importing = (...more: string[]) =>
    spawnSync(
      process.execPath,
      ['scripts/import.ts', '--model', 'odd', '--url', plumbline.url, ...more],
      { cwd: ROOT, encoding: 'utf8' },
    )
  const run = importing(file)
  expect(
    run.stderr
      .trim()
      .split('\n')
      .map((said) => said.slice(0, 60)),
  ).toEqual([
    'odd.jsonl:1: groundTruthData.data must be text',
    'odd.jsonl:2: groundTruthData.data must be text',
    'odd.jsonl:3: the line is not a JSON object',
    'odd.jsonl:5: endpointInput.data is no CSV by RFC 4180: Inval',
    'odd.jsonl:8: predicted_at must be an RFC 3339 time from 1990',
  ])
  expect([run.stdout, run.status]).toEqual([
    '3 predictions and 1 labels were taken, 5 refused\n',
    1,
  ])
  await arrived(`model_id = 'odd'`, 3)
  expect(await rows(`model_id = 'odd'`, 'prediction_id, prediction, score, features')).toEqual([
    {
      prediction_id: 'c',
      prediction: null,
      score: 0.5,
      features: { f0: '00501', f1: '1e5', f2: '0x1F' },
    },
    { prediction_id: 'e', prediction: '0', score: 0.0126, features: { f0: 0.56, f1: 0.3 } },
    { prediction_id: 'f', prediction: '1', score: 0.97, features: { f0: 0.1, f1: 0.9 } },
  ])
  for (const [more, sentence] of [
    [[join(directory, 'absent.jsonl')], 'absent.jsonl cannot be read: ENOENT'],
    [['--url', 'http://127.0.0.1:9', file], 'http://127.0.0.1:9 cannot be reached'],
    [['--output', 'score', file], '--output class|probability|value'],
    [['--unknown', file], "Unknown option '--unknown'"],
  ] as const) {
    const { stderr, status } = importing(...more)
    expect([stderr, status !== 0]).toEqual([expect.stringContaining(sentence), true])
    expect(stderr).not.toContain('    at ')
  }
})

test('the registry away: nothing is lost, the range waits until it is back', async () => {
  const ours = readFileSync(join(ROOT, 'schemas/avro/prediction.v1.avsc'), 'utf8')
  // A schema this process has not read yet.
  const changed = JSON.stringify({ ...(JSON.parse(ours) as object), doc: 'read while it was away' })
  const id = await schemaRegistry(registry.url).register('late-value', changed)
  proxy.cut()
  const datum = avsc.Type.forSchema(JSON.parse(changed) as avsc.Schema).toBuffer({
    ...prediction(1, { model_id: 'late' }),
    predicted_at: Date.UTC(2026, 0, 1),
    features: '{}',
  })
  await producer.send({ topic, messages: [{ value: framed(id, datum) }] })
  await new Promise((resolve) => setTimeout(resolve, 2000))
  expect(await rows(`model_id = 'late'`)).toEqual([])
  proxy.restore()
  await arrived(`model_id = 'late'`, 1)
  expect(await deadLetters(`position(value, 'late') > 0`)).toEqual([])
})

test('dead letters carry Connect’s headers, and go back once what refused them is mended', async () => {
  // Refused for its key alone; the second one has no fault but the schema that nobody had
  // registered.
  const event = JSON.stringify(prediction(7, { model_id: 'redriven' }))
  const own = JSON.stringify({
    type: 'record',
    name: 'Late',
    fields: [
      { name: 'prediction_id', type: 'string' },
      { name: 'model_id', type: 'string' },
      { name: 'model_version', type: 'string' },
      { name: 'predicted_at', type: 'string' },
    ],
  })
  const client = schemaRegistry(registry.url)
  const next =
    (await client.register(
      'probe-value',
      JSON.stringify({ type: 'record', name: 'Probe', fields: [] }),
    )) + 1
  const datum = avsc.Type.forSchema(JSON.parse(own) as avsc.Schema).toBuffer(
    prediction(8, { model_id: 'redriven' }),
  )
  await producer.send({
    topic,
    messages: [
      { key: 'redriven/other', value: event.slice(1), headers: { trace: 'abc' } },
      { key: 'redriven/p-8', value: framed(next, datum) },
    ],
  })
  await until(
    'two dead letters',
    async () => (await deadLetters(`startsWith(key, 'redriven/')`)).length === 2,
  )
  const headers = execFileSync(
    'kcat',
    ['-C', '-b', kafka.brokers, '-t', TOPICS.deadLetters.topic, '-e', '-f', '%k %h\n', '-q'],
    { encoding: 'utf8' },
  )
  const line = headers.split('\n').find((text) => text.startsWith('redriven/other'))!
  for (const name of [
    'topic=plumbline.predictions.v1',
    'partition=',
    'offset=',
    'connector.name=plumbline-ingest',
    'exception.class.name=invalid_json',
    'exception.message=',
  ])
    expect(line).toContain(`__connect.errors.${name}`)
  expect(line).toContain('trace=abc')

  expect(await client.register('late-own-value', own)).toBe(next)
  const run = spawnSync(
    process.execPath,
    ['scripts/redrive.ts', '--reason', 'unknown_schema', '--since', '2020-01-01T00:00:00Z'],
    {
      cwd: ROOT,
      encoding: 'utf8',
      env: {
        ...process.env,
        PLUMBLINE_CLICKHOUSE_URL: plumbline.clickhouseUrl,
        PLUMBLINE_KAFKA_BROKERS: kafka.brokers,
      },
    },
  )
  expect(run.stderr + run.stdout).toContain('of unknown_schema went back')
  await arrived(`model_id = 'redriven'`, 1)
  expect((await rows(`model_id = 'redriven'`)).map((row) => row['prediction_id'])).toEqual(['p-8'])
})

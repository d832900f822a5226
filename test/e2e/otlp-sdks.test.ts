/**
 * OpenTelemetry's own SDKs, as they come, against one process of ours; and what OTLP/HTTP says of
 * answers.
 */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import protobuf from 'protobufjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../harness.ts'
import { otlpMessages, type OtlpRequest } from '../planted/otlp-messages.ts'
import { attributesOf, AT, span } from '../planted/otlp-records.ts'
import { ask, ROOT, startTarget, until, type Running } from '../servers/processes.ts'

const directory = temporaryDirectory()
const messages = otlpMessages()
const PROTOBUF = 'application/x-protobuf'
const PYTHON_PACKAGES = join(ROOT, '.local/python')
const run = promisify(execFile)
let plumbline: Running
beforeAll(async () => {
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_LOG_LEVEL: 'error',
  })
})
afterAll(() => plumbline?.stop())

/** What an SDK finds in its environment: where to send to, and its service's name. */
const environment = (service: string) => ({
  PATH: process.env['PATH'],
  OTEL_EXPORTER_OTLP_ENDPOINT: plumbline.url,
  OTEL_SERVICE_NAME: service,
})

const rows = (service: string) =>
  ask<Record<string, unknown>>(
    plumbline.clickhouseUrl,
    `SELECT model_version, prediction, status, input_tokens, output_tokens, subject_id, group_id, latency_ms >= 0 AS is_timed, time_to_first_token_ms AS first_token_ms,
       attributes['operation'] AS operation, attributes['provider'] AS provider, attributes['prompt_version'] AS prompt_version
     FROM predictions WHERE model_id = '${service}' ORDER BY model_version`,
  )

const row = (model_version: string, operation: string, more: object = {}) => ({
  ...{ model_version, operation, prediction: null, status: 'ok', is_timed: 1 },
  ...{ input_tokens: null, output_tokens: null, subject_id: '', group_id: '' },
  ...{ provider: '', prompt_version: '', first_token_ms: null },
  ...more,
})
const user = { subject_id: 'ann', group_id: 's-1' }
const ROWS = [
  row('e', 'embeddings'),
  row('execute_tool search', 'execute_tool', { status: 'error' }),
  row('g-2', 'chat', {
    ...{ prediction: 'stop', input_tokens: '12', output_tokens: '5', first_token_ms: 250 },
    ...{ provider: 'openai', prompt_version: '4', ...user },
  }),
  row('invoke_agent planner', 'invoke_agent', user),
]

/** Four calls of the application are rows, and its evaluation is the label of one. */
async function expectAll(service: string) {
  await until(`all of ${service}`, async () => (await rows(service)).length >= ROWS.length)
  expect(await rows(service)).toEqual(ROWS)
  await until(`the outcome of ${service}`, async () => {
    const outcomes = await ask(
      plumbline.clickhouseUrl,
      `SELECT label FROM outcomes WHERE model_id = '${service}' AND prediction_id = 'chat-1' AND name = 'Relevance'`,
    )
    return outcomes.length === 1
  })
}

describe('the SDKs with nothing but OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  test('Node: four kinds of calls and an evaluation; what is ignored is told', async () => {
    const program = join(ROOT, 'test/e2e/otlp/application.ts')
    const { stdout, stderr } = await run(process.execPath, [program], {
      env: environment('node-application'),
    })
    await expectAll('node-application')
    expect(stdout + stderr).toContain('1 span ignored as no model call: 1 without GenAI attributes')
  })

  test.each([{}, { OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' }])(
    'Python: the same, with %o',
    async (more) => {
      if (!existsSync(PYTHON_PACKAGES))
        throw new Error(
          `OpenTelemetry for Python is not installed (python3 -m pip install --target .local/python -r deploy/local/otel-requirements.txt)`,
        )
      const service = `python-application-${Object.keys(more).length}`
      const { stderr } = await run('python3', [join(ROOT, 'test/e2e/otlp/application.py')], {
        env: { ...environment(service), PYTHONPATH: PYTHON_PACKAGES, ...more },
      })
      await expectAll(service)
      expect(stderr).not.toContain('Failed to export')
    },
  )
})

const requestOf = (service: string, ...spans: object[]): OtlpRequest => ({
  resourceSpans: [
    {
      resource: { attributes: attributesOf({ 'service.name': service }) },
      scopeSpans: [{ spans }],
    },
  ],
})

const sent = (path: string, type: string, body: Uint8Array, headers: Record<string, string> = {}) =>
  fetch(`${plumbline.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': type, ...headers },
    body: Buffer.from(body),
  })

/** `google.rpc.Status`. */
const Status = new protobuf.Type('Status')
  .add(new protobuf.Field('code', 1, 'int32'))
  .add(new protobuf.Field('message', 2, 'string'))

test('one request is one row, in protocol buffers, in JSON and compressed', async () => {
  const older = JSON.parse(
    readFileSync(join(ROOT, 'test/e2e/otlp/older-attributes.json'), 'utf8'),
  ) as OtlpRequest
  const encode = (service: string) => {
    const request = structuredClone(older) as {
      resourceSpans: { resource: { attributes: object[] } }[]
    }
    request.resourceSpans[0]!.resource.attributes = attributesOf({ 'service.name': service })
    return request as unknown as OtlpRequest
  }
  const answers = [
    await sent('/v1/traces', PROTOBUF, messages.encode('traces', encode('as-protobuf'))),
    await sent('/v1/traces', 'application/json', Buffer.from(JSON.stringify(encode('as-json')))),
    await sent('/v1/traces', PROTOBUF, gzipSync(messages.encode('traces', encode('as-gzip'))), {
      'content-encoding': 'gzip',
    }),
  ]
  for (const [i, answer] of answers.entries()) {
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toMatch(i === 1 ? /^application\/json/ : PROTOBUF)
    expect(await answer.text()).toBe(i === 1 ? '{}' : '')
  }
  const told = (service: string) =>
    ask(
      plumbline.clickhouseUrl,
      `SELECT prediction_id, model_version, predicted_at, latency_ms, input_tokens, output_tokens, input_text, output_text, trace_id, attributes
       FROM predictions WHERE model_id = '${service}' ORDER BY prediction_id`,
    )
  await until('both are rows', async () => (await told('as-gzip')).length === 2)
  const json = await told('as-json')
  expect(json).toMatchObject([
    { input_tokens: '12', output_tokens: '5' },
    { input_tokens: '12', output_tokens: '5', input_text: 'hi', output_text: 'ho' },
  ])
  expect(await told('as-protobuf')).toEqual(json)
  expect(await told('as-gzip')).toEqual(json)
})

test('partial success in protocol buffers: refused and ignored, each with its count', async () => {
  const request = requestOf(
    'partly',
    span({ 'gen_ai.operation.name': 'chat' }, { endTimeUnixNano: '1' }),
    span({ 'gen_ai.operation.name': 'chat' }, { spanId: '0000000000000009' }),
    span({ 'openinference.span.kind': 'CHAIN' }),
    span({ 'http.method': 'GET' }),
  )
  const before = await counted('no_model_call')
  const answer = await sent('/v1/traces', PROTOBUF, messages.encode('traces', request))
  const { tracesAnswer } = messages
  const read = tracesAnswer.decode(new Uint8Array(await answer.arrayBuffer()))
  expect(tracesAnswer.toObject(read, { longs: String })).toEqual({
    partialSuccess: {
      rejectedSpans: '1',
      errorMessage: expect.stringMatching(
        /^1 span refused: 1 predicted_at .+; 2 spans ignored as no model call: .*1 without GenAI attributes/,
      ) as string,
    },
  })
  expect(await counted('no_model_call')).toBe(before + 1)
  const record = { timeUnixNano: AT, eventName: 'gen_ai.choice', attributes: [] }
  const logs = { resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] }
  const told = await sent('/v1/logs', 'application/json', Buffer.from(JSON.stringify(logs)))
  expect(await told.json()).toEqual({
    partialSuccess: {
      rejectedLogRecords: '0',
      errorMessage:
        '1 log record ignored as no model call: 1 of another kind than a call of a model, an agent or a tool',
    },
  })
})

/** Records that were ignored for a reason, as `/metrics` tells them. */
async function counted(reason: string): Promise<number> {
  const text = await (await fetch(`${plumbline.url}/metrics`)).text()
  const line = text
    .split('\n')
    .find((one) => one.includes('endpoint_events_total') && one.includes(`reason="${reason}"`))
  return Number(line?.split(' ').at(-1) ?? 0)
}

test('what cannot be read is refused with a status in the encoding of its request', async () => {
  const whole = messages.encode('traces', requestOf('cut', span({})))
  const bomb = gzipSync(Buffer.alloc(64 << 20))
  for (const [body, httpStatus, code, says, headers] of [
    [whole.subarray(0, -1), 400, 3, 'a field is longer than the message it is in', {}],
    [Buffer.alloc(1000, 0x0b), 400, 3, 'wire type 3', {}],
    [bomb, 413, 3, 'larger than', { 'content-encoding': 'gzip' }],
    [whole, 400, 3, 'the body is not gzip', { 'content-encoding': 'gzip' }],
  ] as const) {
    const answer = await sent('/v1/traces', PROTOBUF, body, headers)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([httpStatus, PROTOBUF])
    const status = Status.toObject(Status.decode(new Uint8Array(await answer.arrayBuffer())))
    expect(status).toEqual({ code, message: expect.stringContaining(says) as string })
  }
  const json = await sent('/v1/logs', 'application/json', Buffer.from('{'))
  expect([json.status, await json.json()]).toEqual([
    400,
    { code: 3, message: expect.stringContaining('not JSON') as string },
  ])
  const other = await sent('/v1/traces', 'text/plain', Buffer.from('x'))
  expect([other.status, await other.json()]).toEqual([
    415,
    {
      code: 3,
      message: 'OTLP is read as application/x-protobuf or application/json, not as text/plain',
    },
  ])
})

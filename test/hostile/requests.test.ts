/** Requests of an enemy, among those of a friend: nothing sent stops anything but itself. */
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporaryDirectory } from '../harness.ts'
import { ask, post, prediction, startTarget, until, type Running } from '../processes.ts'

const directory = temporaryDirectory()
const env = { PLUMBLINE_DATA_DIR: join(directory, 'data'), PLUMBLINE_LOG_LEVEL: 'error' }
let plumbline: Running
beforeAll(async () => {
  plumbline = await startTarget('all', env)
})
afterAll(() => plumbline?.stop())

let good = 0
/** A friend's event is stored, whatever came before. */
async function friendIsServed() {
  const { status } = await post(
    `${plumbline.url}/v1/predictions`,
    prediction(good++, { model_id: 'friend' }),
  )
  expect(status).toBe(200)
  const rows = await ask(
    plumbline.clickhouseUrl,
    "SELECT count() AS n FROM predictions WHERE model_id = 'friend'",
  )
  expect(rows).toEqual([{ n: String(good) }])
}

const half = (part: string, id: string, body: string, more: Record<string, string> = {}) =>
  post(`${plumbline.url}/v1/cloudevents`, body, {
    'ce-id': id,
    'ce-source': 'http://isvc',
    'ce-type': `org.kubeflow.serving.inference.${part}`,
    'ce-specversion': '1.0',
    'ce-time': '2026-01-01T00:00:00Z',
    'ce-inferenceservicename': 'enemy',
    ...more,
  })

async function pair(id: string, request: string, response: string) {
  for (const [part, body] of [
    ['request', request],
    ['response', response],
  ] as const)
    expect((await half(part, id, body)).status).toBe(200)
}

const deadLetters = async (id: string) =>
  ask<{ reason: string; message: string }>(
    plumbline.clickhouseUrl,
    `SELECT reason, message FROM dead_letters WHERE key = '${id}' ORDER BY reason`,
  )

test('halves that cannot be stored are refused at the door, all of a batch together', async () => {
  const one = await half('request', 'x'.repeat(201), '{"instances":[[1]]}')
  expect(one.status).toBe(400)
  expect(await one.text()).toContain('exchange_id must')
  const batch = Array.from({ length: 1500 }, (_, i) => ({
    specversion: '1.0',
    id: `batch-${i}`,
    source: 'x',
    type: 'org.kubeflow.serving.inference.request',
    time: '1889-01-01T00:00:00Z',
    inferenceservicename: 'enemy',
    data: { instances: [[1]] },
  }))
  const many = await post(`${plumbline.url}/v1/cloudevents`, batch, {
    'content-type': 'application/cloudevents-batch+json',
  })
  expect(many.status).toBe(400)
  expect(((await many.json()) as { rejected: unknown[] }).rejected).toHaveLength(1500)
  await friendIsServed()
})

test('an exchange that cannot be read is set aside with its reason; those behind it become predictions', async () => {
  const deep = `${'['.repeat(5000)}1${']'.repeat(5000)}`
  await pair('deep', `{"instances":[${deep}]}`, '{"predictions":[1]}')
  await pair(
    'huge',
    '{"inputs":[{"name":"x","shape":[400000000,0],"data":[]}]}',
    '{"outputs":[{"name":"y","shape":[400000000,0],"data":[]}]}',
  )
  await pair('i'.repeat(200), '{"instances":[[1],[2]]}', '{"predictions":[0,1]}')
  await pair('null', 'null', 'null')
  await pair('after', '{"instances":[[1]]}', '{"predictions":[1]}')
  await until('the exchange behind them is a prediction', async () => {
    const rows = await ask(
      plumbline.clickhouseUrl,
      "SELECT 1 FROM predictions WHERE prediction_id = 'after'",
    )
    return rows.length === 1
  })
  expect(await deadLetters('deep')).toEqual([
    {
      reason: 'unreadable_exchange',
      message: 'the request body: the JSON is nested deeper than 32',
    },
  ])
  // Tensors without elements have no rows: the exchange has no predictions, and nothing was wrong.
  expect(await deadLetters('huge')).toEqual([])
  expect((await deadLetters('i'.repeat(200))).map(({ reason }) => reason)).toEqual([
    'invalid_field',
    'invalid_field',
  ])
  expect(await deadLetters('null')).toMatchObject([{ reason: 'unreadable_exchange' }])
  await friendIsServed()
})

test('OTLP and CloudEvents are read compressed as in clear', async () => {
  const at = '1767225600000000000'
  const span = (id: string) => ({
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: id,
    name: 'chat',
    startTimeUnixNano: at,
    endTimeUnixNano: at,
    attributes: [{ key: 'gen_ai.operation.name', value: { stringValue: 'chat' } }],
  })
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'bot' } }] }
  const body = JSON.stringify({
    resourceSpans: [{ resource, scopeSpans: [{ spans: [span('0000000000000001')] }] }],
  })
  const answer = await post(`${plumbline.url}/v1/traces`, gzipSync(body), {
    'content-encoding': 'gzip',
  })
  expect([answer.status, await answer.text()]).toEqual([200, '{}'])
  const event = {
    specversion: '1.0',
    id: 'compressed',
    source: 'x',
    type: 'plumbline.prediction.v1',
    data: prediction(1, { model_id: 'compressed' }),
  }
  const cloud = await post(`${plumbline.url}/v1/cloudevents`, gzipSync(JSON.stringify(event)), {
    'content-encoding': 'gzip',
    'content-type': 'application/cloudevents+json',
  })
  expect([cloud.status, await cloud.text()]).toEqual([200, '{"accepted":1,"rejected":[]}'])
  const lie = await post(`${plumbline.url}/v1/traces`, body, { 'content-encoding': 'gzip' })
  expect([lie.status, await lie.text()]).toEqual([
    400,
    expect.stringContaining('the body is not gzip'),
  ])
})

test('four hundred bombs of ten kilobytes at once: refused within the bytes that all bodies may have', async () => {
  const bomb = gzipSync(Buffer.alloc(10 << 20, '[1,'))
  expect(bomb.length).toBeLessThan(20_000)
  const answers = await Promise.all(
    Array.from({ length: 400 }, () =>
      post(`${plumbline.url}/v1/predictions`, bomb, { 'content-encoding': 'gzip' }).then(
        async (response) => ({ status: response.status, text: await response.text() }),
      ),
    ),
  )
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([400, 429]))
  const peak = Number(
    /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${plumbline.child.pid}/status`, 'utf8'))![1],
  )
  // The engine, the heap and the bodies; without a bound 400 bodies alone are 4 GiB.
  expect(peak / 1024).toBeLessThan(1800)
  await friendIsServed()
})

test.each([
  ['ten megabytes of brackets', '['.repeat(10 << 20)],
  ['ten megabytes of closed brackets', '['.repeat(5 << 20) + ']'.repeat(5 << 20)],
  [
    'very many deep events',
    `[${Array.from({ length: 2000 }, () => '['.repeat(100) + ']'.repeat(100)).join(',')}]`,
  ],
  ['very many empty events', `[${'{},'.repeat(300_000)}{}]`],
  ['a very long name', `{"${'a'.repeat(9 << 20)}":1}`],
])('%s: refused, and others are answered meanwhile', async (_, body) => {
  const hostile = post(`${plumbline.url}/v1/predictions`, body)
  await friendIsServed()
  expect((await hostile).status).toBe(400)
  for (const path of ['/v1/traces', '/v1/alerts', '/v1/runs', '/v1/reviews/claim']) {
    // A body that is too large by its length is refused before it has come, and the connection may end with it.
    const status = await post(`${plumbline.url}${path}`, body).then(
      (response) => response.status,
      () => 413,
    )
    expect([200, 400, 413]).toContain(status)
  }
  await friendIsServed()
})

test('fifteen hundred requests that are never finished: others are served, and these are ended', async () => {
  const { port, hostname } = new URL(plumbline.url)
  let open = 0
  const sockets = Array.from({ length: 1500 }, (_, i) => {
    const socket = connect(Number(port), hostname)
    socket.on('connect', () => {
      open++
      socket.write(
        i % 2 === 0
          ? 'POST /v1/predictions HTTP/1.1\r\nhost: localhost\r\n'
          : `POST /v1/predictions HTTP/1.1\r\nhost: localhost:${port}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{`,
      )
    })
    socket.resume().on('close', () => open--)
    socket.on('error', () => {})
    return socket
  })
  try {
    await until('they are all connected', async () => open >= 1500)
    await friendIsServed()
    await until('those without headers are ended', async () => open <= 750)
    await friendIsServed()
  } finally {
    for (const socket of sockets) socket.destroy()
  }
})

test.each([
  ['/v1/traces', 64, 2_000_000],
  ['/v1/reviews/claim', 32, 100_000],
])('%s reads JSON of %i levels and %i commas, and no more', async (path, depth, members) => {
  const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
  const wide = (commas: number) => `[0${',0'.repeat(commas)}]`
  const told = async (body: string) =>
    (await (await post(`${plumbline.url}${path}`, body)).text()).match(
      /nested deeper.*?\d+|more than \d+/,
    )?.[0]
  expect(await told(deep(depth))).toBeUndefined()
  expect(await told(deep(depth + 1))).toBe(`nested deeper than ${depth}`)
  expect(await told(wide(members))).toBeUndefined()
  expect(await told(wide(members + 1))).toBe(`more than ${members}`)
  await friendIsServed()
})

test('after all of it the service starts again, with everything good in it', async () => {
  await plumbline.stop()
  plumbline = await startTarget('all', env)
  await friendIsServed()
})

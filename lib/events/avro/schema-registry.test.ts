/** What a registry's answer means: a schema, that there is none, or nothing at all. */
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SchemaRegistry as Peer } from '@kafkajs/confluent-schema-registry'
import { afterEach, expect, test } from 'vitest'
import { avroReader } from './confluent-wire-format.ts'
import { MAX_SCHEMA_BYTES } from './registry-requests.ts'
import { MAX_ATTEMPTS, RegistryAway } from './registry-transport.ts'
import { schemaRegistry } from './schema-registry.ts'
import { messageReader } from '../decode-message.ts'
import { FlatRecord } from '../flat-record.ts'
import { createValidator } from '../validator.ts'
import { isStoreFault } from '../../runtime/store-faults.ts'
import { PredictionV1 } from '../../../schemas/events/prediction.v1.ts'
import { prediction, ROOT } from '../../../test/servers/processes.ts'

let server: Server
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

async function answering(listener: RequestListener) {
  server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return schemaRegistry(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

const answer = (status: number, body: string) =>
  answering((_request, response) => response.writeHead(status).end(body))

test('a schema with its type and references', async () => {
  const plain = await answer(200, '{"schema":"\\"int\\""}')
  expect(await plain.byId(7)).toEqual({ schema: '"int"', type: 'AVRO', references: 0 })
  server.close()
  const other = await answer(
    200,
    '{"schema":"x","schemaType":"PROTOBUF","references":[{"name":"a"},{"name":"b"}]}',
  )
  expect(await other.byId(7)).toEqual({ schema: 'x', type: 'PROTOBUF', references: 2 })
})

test.each(['{"error_code":40403,"message":"Schema 7 not found"}', '', '{}'])(
  'a 404 that says %j: there is no such schema',
  async (body) => {
    expect(await (await answer(404, body)).byId(7)).toBeUndefined()
  },
)

test.each([
  [500, ''],
  [502, '<html>Bad Gateway</html>'],
  [503, '{"error_code":50302}'],
  [401, ''],
  [429, ''],
  [404, '<html>default backend</html>'],
  [200, '<html>please log in</html>'],
  [200, '[]'],
  [200, '{"schema":7}'],
  [200, 'null'],
  [500, 'null'],
  [302, 'null'],
])('an answer %i of %j says nothing of a schema', async (status, body) => {
  const fault = await (await answer(status, body)).byId(7).catch((error: unknown) => error)
  expect(fault).toBeInstanceOf(RegistryAway)
  expect(isStoreFault(fault)).toBe(true)
})

/**
 * A registry that answers each request with the next of these, and with the last of them from then
 * on.
 */
async function answeringInTurn(...answers: [status: number, body: string][]) {
  const asked: string[] = []
  const registry = await answering((request, response) => {
    const [status, body] = answers[Math.min(asked.length, answers.length - 1)]!
    asked.push(`${request.method} ${request.url}`)
    // An answer of status 0 is a connection that ends.
    if (status === 0) return void response.destroy()
    response.writeHead(status).end(body)
  })
  return { registry, asked }
}

test('a question whose fault may pass is asked again', async () => {
  const found = '{"schema":"\\"int\\""}'
  const { registry, asked } = await answeringInTurn([503, ''], [0, ''], [429, ''], [200, found])
  expect(await registry.byId(7)).toMatchObject({ schema: '"int"' })
  expect(asked).toEqual(Array.from({ length: 4 }, () => 'GET /schemas/ids/7'))
})

test('no more questions than attempts, and the last answer is told', async () => {
  const { registry, asked } = await answeringInTurn([503, ''], [502, ''])
  await expect(registry.byId(7)).rejects.toThrow('answered 502 for schema 7')
  expect(asked).toHaveLength(MAX_ATTEMPTS)
})

test.each([400, 401, 403, 404])('an answer %i is asked for once', async (status) => {
  const { registry, asked } = await answeringInTurn([status, '{}'])
  await registry.byId(7).catch(() => {})
  expect(asked).toHaveLength(1)
})

test('an answer that breaks off, and a registry that is not there', async () => {
  const registry = await answering((_request, response) => {
    response.writeHead(200, { 'content-length': 1000 })
    response.write('{"schema":', () => response.destroy())
  })
  await expect(registry.byId(7)).rejects.toThrow('broke off its answer')
  server.close()
  server.closeAllConnections()
  const fault = await registry.byId(7).catch((error: unknown) => error)
  expect(String(fault)).toContain('cannot be reached')
  expect(isStoreFault(fault)).toBe(true)
})

test('an answer without an end is not read to it', async () => {
  const chunk = Buffer.alloc(65_536, 'x')
  let sent = 0
  const registry = await answering((_request, response) => {
    const more = () => {
      while (!response.destroyed && response.write(chunk)) sent += chunk.length
    }
    response.on('drain', more).writeHead(200)
    more()
  })
  expect(await registry.byId(7)).toBe('too_large')
  expect(sent).toBeLessThan(64 * MAX_SCHEMA_BYTES)
})

test('a redirect is followed, and credentials do not go along to another origin', async () => {
  const seen: (string | undefined)[] = []
  const other = createServer((request, response) => {
    seen.push(request.headers.authorization)
    response.end('{"schema":"\\"int\\""}')
  }).listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  server = createServer((request, response) => {
    seen.push(request.headers.authorization)
    response.writeHead(307, { location: `http://127.0.0.1:${port}${request.url}` }).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const registry = schemaRegistry(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    auth: { username: 'ann', password: 'p:w' },
  })
  expect(await registry.byId(7)).toMatchObject({ schema: '"int"' })
  expect(seen).toEqual([`Basic ${Buffer.from('ann:p:w').toString('base64')}`, undefined])
  other.closeAllConnections()
  other.close()
})

test('registering sets the level first, and a refusal has the registry’s own words', async () => {
  const asked: string[] = []
  const answers: [number, string][] = [
    [200, '{"compatibility":"BACKWARD_TRANSITIVE"}'],
    [200, '{"compatibilityLevel":"BACKWARD_TRANSITIVE"}'],
    [409, '{"error_code":409,"message":"field a has no default"}'],
  ]
  const registry = await answering((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    const [status, body] = answers.shift()!
    response.writeHead(status).end(body)
  })
  const schema = JSON.stringify({ type: 'record', name: 'r', fields: [] })
  await expect(registry.register('a/b-value', schema)).rejects.toThrow(
    'the schema registry refused the schema of a/b-value: 409 field a has no default',
  )
  expect(asked).toEqual([
    'PUT /config/a%2Fb-value',
    'GET /config/a%2Fb-value',
    'POST /subjects/a%2Fb-value/versions',
  ])
})

const toPlain = (value: unknown): unknown => {
  if (value instanceof Date) return value.toISOString()
  return value instanceof FlatRecord ? value.toObject() : value
}

test('what the package encodes is read as the same event in JSON', async () => {
  const schema = readFileSync(join(ROOT, 'schemas/avro/prediction.v1.avsc'), 'utf8')
  const registry = await answer(200, JSON.stringify({ schema }))
  const host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const event = prediction(3, { features: { age: 41.5, country: 'CH', vip: true, gap: null } })
  const value = await new Peer({ host }).encode(7, {
    ...event,
    predicted_at: Date.parse(event['predicted_at'] as string),
    features: JSON.stringify(event['features']),
  })
  const message = { offset: 0, timestampMs: 0, key: Buffer.alloc(0), value }
  const reader = messageReader(avroReader(registry))
  await reader.prepare([message])
  const validator = createValidator(PredictionV1)
  const verdict = reader.read(message, validator)
  const expected = validator.text(JSON.stringify(event))
  if (!verdict.ok || !expected.ok) throw new Error(JSON.stringify([verdict, expected]))
  for (const name of Object.keys(event))
    expect([name, toPlain(verdict.event.get(name))]).toEqual([
      name,
      toPlain(expected.event.get(name)),
    ])
})

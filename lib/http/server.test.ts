import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { pino } from 'pino'
import { Gauge, Registry } from 'prom-client'
import type { RouteShorthandOptions } from 'fastify'
import Type from 'typebox'
import { afterEach, expect, test } from 'vitest'
import { openAccess } from './api-keys.ts'
import { createHttp, type Http } from './server.ts'

let app: Http | undefined
afterEach(() => app?.close())

const server = async (registry = new Registry(), log = pino({ level: 'silent' })) =>
  (app = await createHttp({
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: 1 << 20,
    maxPendingBytes: 1 << 22,
    log,
    registry,
    readiness: { started: true, stopping: false },
    checks: new Map(),
    authenticate: openAccess,
  }))

/**
 * What a serialiser that follows a schema would change: types, nulls, long numbers, fields that no
 * schema names.
 */
const Narrow = Type.Object({
  text: Type.String(),
  count: Type.Integer(),
  share: Type.Number(),
  at: Type.String({ format: 'date-time' }),
  list: Type.Array(Type.String()),
})

test('an answer is sent as the handler gave it, whatever its schema says', async () => {
  const http = await server()
  let given: unknown
  const schema = { summary: 'Anything', tags: ['service'], response: { 200: Narrow } }
  http.get('/any', { config: { isPublic: true }, schema }, async (_request, reply) =>
    reply.send(given as never),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(
        fc.constantFrom('text', 'count', 'share', 'at', 'list', 'undeclared'),
        fc.jsonValue(),
      ),
      async (value) => {
        given = value
        const { body, statusCode } = await http.inject('/any')
        expect([statusCode, body]).toEqual([200, JSON.stringify(value)])
      },
    ),
  )
})

test.each<[string, RouteShorthandOptions]>([
  ['no schema', {}],
  ['no summary', { schema: { tags: ['service'], response: { 200: Narrow } } }],
  ['no tag', { schema: { summary: 'Anything', response: { 200: Narrow } } }],
  ['no success', { schema: { summary: 'Anything', tags: ['service'] } }],
  ['hidden, and no page', { schema: { hide: true } }],
])('a route with %s does not start', async (_, options) => {
  const http = await server()
  expect(() => http.get('/v1/any', options, async () => ({}))).toThrow(
    'GET /v1/any needs a summary, a tag and the schema of its success',
  )
})

test.each<[string, RouteShorthandOptions]>([
  ['says not who may ask', {}],
  ['says it in two ways', { config: { isPublic: true, scope: 'read' } }],
])('a route that %s does not start', async (_, options) => {
  const http = await server()
  const schema = { summary: 'Anything', tags: ['service'], response: { 200: Narrow } }
  expect(() => http.get('/v1/any', { ...options, schema }, async () => ({}) as never)).toThrow(
    'GET /v1/any needs a scope, a security of its own, or isPublic',
  )
})

test('metrics are compressed for those who take gzip, as Prometheus does', async () => {
  const registry = new Registry()
  const gauge = new Gauge({ name: 'many', help: 'Many.', labelNames: ['n'], registers: [registry] })
  for (let n = 0; n < 1000; n++) gauge.set({ n }, n)
  const http = await server(registry)
  const plain = await http.inject('/metrics')
  expect(plain.headers['content-encoding']).toBeUndefined()
  const packed = await http.inject({ url: '/metrics', headers: { 'accept-encoding': 'gzip' } })
  expect(packed.headers).toMatchObject({
    'content-encoding': 'gzip',
    'content-type': plain.headers['content-type'],
  })
  expect(gunzipSync(packed.rawPayload).toString()).toBe(plain.body)
  expect(packed.rawPayload.length).toBeLessThan(plain.body.length / 3)
})

test('an answer names its request: by the name given, where logs can hold it, or a new one', async () => {
  const http = await server()
  const named = async (id?: string) =>
    (
      await http.inject({
        url: '/health/live',
        headers: id === undefined ? {} : { 'x-request-id': id },
      })
    ).headers['x-request-id']
  expect(await named('trace-1.a:b')).toBe('trace-1.a:b')
  expect(await named('a b')).toMatch(/^[0-9a-f-]{36}$/)
  expect(await named('x'.repeat(129))).toMatch(/^[0-9a-f-]{36}$/)
  expect(await named()).not.toBe(await named())
})

test('who asks for personal data is logged, with the route and without ids', async () => {
  const lines: Record<string, unknown>[] = []
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>)
  const http = await server(undefined, pino({ level: 'info' }, { write }))
  const schema = { summary: 'A person', tags: ['service'], response: { 200: Narrow } }
  const answer = async () => ({}) as never
  const config = { scope: 'read', isPersonal: true } as const
  http.get('/v1/models/:id/people/:name', { config, schema }, answer)
  http.get('/v1/models/:id/others', { config: { scope: 'read' }, schema }, answer)
  await http.inject('/v1/models/m/others')
  const headers = { 'x-request-id': 'asked' }
  await http.inject({ url: '/v1/models/m/people/ann?full=ann', headers })
  const told = lines.filter(({ msg }) => msg === 'personal data was asked for')
  expect(told).toMatchObject([
    {
      caller: 'anonymous',
      method: 'GET',
      route: '/v1/models/:id/people/:name',
      model: 'm',
      status: 200,
      request_id: 'asked',
    },
  ])
  expect(JSON.stringify(told)).not.toContain('ann"')
})

test.each([
  ['/any/a%00b', 'path.id holds the control character U+0000'],
  ['/any/a?of=%00', 'query.of holds the control character U+0000'],
  ['/any/a?of=b&of=%07', 'query.of[1] holds the control character U+0007'],
  ['/any/%1B', 'path.id holds the control character U+001B'],
])('the address %s names nothing that could be stored', async (url, said) => {
  const http = await server()
  const schema = { summary: 'Any', tags: ['service'], response: { 200: Type.Any() } }
  http.get('/any/:id', { config: { isPublic: true }, schema }, () => 'reached')
  const answer = await http.inject({ url, headers: { host: '127.0.0.1' } })
  expect(answer.statusCode).toBe(400)
  expect(answer.json()).toMatchObject({ code: 'invalid_text', detail: said })
  expect((await http.inject({ url: '/any/a%2Fb%20c' })).statusCode).toBe(200)
})

/** Every endpoint that takes events holds its callers to their limits, and says which and when. */
import { gzipSync } from 'node:zlib'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, expect, test } from 'vitest'
import { NO_PRIVACY } from '../../../lib/events/privacy/redactor.ts'
import { noKeys, openAccess, type Authenticate } from '../../../lib/http/api-keys.ts'
import type { Rates } from '../../../lib/http/limits/caller-limits.ts'
import { createHttp, type Http } from '../../../lib/http/server.ts'
import { createMetrics } from '../../../lib/runtime/metrics.ts'
import { VALID } from '../../../test/hostile/valid-requests.ts'
import { cloudEventRoutes } from './cloud-event-routes.ts'
import { ingestRoutes } from './event-routes.ts'
import { otlpRoutes } from './otlp-routes.ts'

let app: Http | undefined
afterEach(() => app?.close())

/** A caller for each word after `Bearer`. */
const byName: Authenticate = (header) => {
  const id = header?.slice('Bearer '.length)
  return id === undefined
    ? noKeys(header)
    : { id, scopes: new Set(['emit']), grants: [{ scopes: ['emit'] }], isKnown: true }
}

async function endpoints(
  rates: Rates,
  { authenticate = openAccess, trustedProxies = [] as string[] } = {},
) {
  const metrics = createMetrics()
  const registry = new Registry()
  const log = pino({ level: 'silent' })
  app = await createHttp({
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: 1 << 20,
    maxPendingBytes: 1 << 22,
    log,
    registry,
    readiness: { started: true, stopping: false },
    checks: new Map(),
    authenticate,
    rates,
    trustedProxies,
  })
  let appended = 0
  const eventLog = {
    append: async (_topic: string, messages: readonly unknown[]) => {
      appended += messages.length
    },
  }
  const options = { eventLog, metrics, log, privacy: NO_PRIVACY, refusalOf: undefined }
  ingestRoutes(app, options)
  cloudEventRoutes(app, options)
  otlpRoutes(app, options)
  return { http: app, registry, metrics, appended: () => appended }
}

/** Slow enough that no pause of the test matters. */
const one = { perSecond: 0.001, burst: 0.5 }
const event = (n: number) => ({
  prediction_id: `p${n}`,
  model_id: 'm',
  model_version: '1',
  predicted_at: '2026-01-01T00:00:00Z',
  prediction: '1',
})
const send = (http: Http, events: number, headers: Record<string, string> = {}, remote?: string) =>
  http.inject({
    method: 'POST',
    url: '/v1/predictions',
    headers,
    payload: Array.from({ length: events }, (_, i) => event(i)),
    ...(remote !== undefined && { remoteAddress: remote }),
  })

const TAKING = ['/v1/predictions', '/v1/cloudevents', '/v1/traces', '/v1/logs']

test.each(TAKING)('%s takes from both limits', async (path) => {
  const valid = VALID.find((request) => request.path === path)!
  const { headers = {}, body } = valid
  const request = { method: 'POST' as const, url: path, headers, payload: JSON.stringify(body) }
  for (const limit of ['events', 'bytes'] as const) {
    const { http, registry, appended } = await endpoints({ [limit]: one })
    expect((await http.inject(request)).statusCode).toBe(200)
    const before = appended()
    const refused = await http.inject(request)
    expect(refused.statusCode).toBe(429)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1)
    expect(refused.json<{ detail?: string; message?: string }>()).toSatisfy(({ detail, message }) =>
      (detail ?? message)!.includes(`0.001 ${limit} a second`),
    )
    expect(appended()).toBe(before)
    expect(await registry.getSingleMetricAsString('plumbline_rate_limited_requests_total')).toMatch(
      new RegExp(`limit="${limit}"\\} 1`),
    )
    await http.close()
  }
})

test('a batch is taken whole, and waited for after', async () => {
  const { http, metrics } = await endpoints({ events: { perSecond: 0.001, burst: 100 } })
  expect((await send(http, 450)).json()).toMatchObject({ accepted: 450 })
  const refused = await send(http, 1)
  const told = refused.json<{ retry_after_s: number }>()
  expect(told).toMatchObject({
    status: 429,
    code: 'rate_limited',
    limit: 'events',
    per_second: 0.001,
    burst: 100,
    detail: `127.0.0.1 may send 0.001 events a second to one process, 100 at once, and has: try again in ${told.retry_after_s} s`,
  })
  expect(told.retry_after_s).toBeGreaterThan(340_000)
  expect(told.retry_after_s).toBeLessThanOrEqual(350_001)
  expect(refused.headers['retry-after']).toBe(String(told.retry_after_s))
  // Its own limit is no fault of the service, which says by `shed` that it cannot keep up.
  expect((await metrics.endpointEvents.get()).values.map(({ labels }) => labels.outcome)).toEqual([
    'accepted',
  ])
})

test('bytes are those of the decompressed body', async () => {
  const { http } = await endpoints({ bytes: { perSecond: 1, burst: 1000 } })
  const payload = gzipSync(`[${JSON.stringify(event(1))}${' '.repeat(100_000)}]`)
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
  const post = { method: 'POST' as const, url: '/v1/predictions', headers, payload }
  expect((await http.inject(post)).statusCode).toBe(200)
  const { limit, retry_after_s } = (await http.inject(post)).json<Record<string, unknown>>()
  expect(limit).toBe('bytes')
  expect(retry_after_s).toBeGreaterThan(90_000)
})

test('callers by key have their own limits, wherever they send from', async () => {
  const { http } = await endpoints({ events: one }, { authenticate: byName })
  const as = (name: string) => ({ authorization: `Bearer ${name}` })
  expect((await send(http, 60, as('ann'), '192.0.2.1')).statusCode).toBe(200)
  expect((await send(http, 1, as('ann'), '192.0.2.2')).json()).toMatchObject({
    detail: expect.stringContaining('ann may send'),
  })
  expect((await send(http, 1, as('bob'), '192.0.2.1')).statusCode).toBe(200)
  expect((await send(http, 1, {}, '192.0.2.1')).statusCode).toBe(401)
})

test('of callers without a key the address counts, and a proxy names it only where it is trusted', async () => {
  const via = (address: string) => ({ 'x-forwarded-for': address })
  const believing = await endpoints({ events: one }, { trustedProxies: ['192.0.2.0/24'] })
  expect((await send(believing.http, 60, via('203.0.113.1'), '192.0.2.9')).statusCode).toBe(200)
  expect((await send(believing.http, 1, via('203.0.113.1'), '192.0.2.9')).statusCode).toBe(429)
  expect((await send(believing.http, 1, via('203.0.113.2'), '192.0.2.9')).statusCode).toBe(200)
  // What a client wrote itself stands further left, and does not count.
  const forged = via('203.0.113.7, 203.0.113.1')
  expect((await send(believing.http, 1, forged, '192.0.2.9')).statusCode).toBe(429)
  await believing.http.close()
  const careful = await endpoints({ events: one })
  expect((await send(careful.http, 60, via('203.0.113.1'), '192.0.2.9')).statusCode).toBe(200)
  expect((await send(careful.http, 1, via('203.0.113.2'), '192.0.2.9')).statusCode).toBe(429)
})

import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, expect, test, vi } from 'vitest'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Spool } from '../../../lib/clickhouse/spool.ts'
import { openAccess } from '../../../lib/http/api-keys.ts'
import { createHttp, type Http } from '../../../lib/http/server.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import type { Postgres } from '../../../lib/postgres/port.ts'
import { datasetRoutes } from './dataset-routes.ts'

let app: Http | undefined
afterEach(() => app?.close())

const BODY = {
  actor: 'ann',
  model_id: 'm',
  from: '2026-01-01T00:00:00Z',
  to: '2026-01-02T00:00:00Z',
  format: 'csv',
}

test('a third data set at once is told to ask again, and one that ends makes room', async () => {
  const waiting: ((error: Error) => void)[] = []
  const asked = vi.fn<() => Promise<never>>(
    () => new Promise((_resolve, reject) => waiting.push(reject)),
  )
  const db = new Proxy({}, { get: () => asked }) as ClickHouse
  app = await createHttp({
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: 1 << 20,
    maxPendingBytes: 1 << 22,
    log: pino({ level: 'silent' }),
    registry: new Registry(),
    readiness: { started: true, stopping: false },
    checks: new Map(),
    authenticate: openAccess,
  })
  datasetRoutes(app, {
    maker: {
      db,
      spool: {} as Spool,
      bounds: { rows: 1, bytes: 1 },
    },
    postgres: {} as Postgres,
    now: () => Date.UTC(2026, 5),
    modelOf: (id) => parseModel(`{ model_id: ${id}, task: binary }`),
  })
  const make = async () => app!.inject({ method: 'POST', url: '/v1/datasets', payload: BODY })
  const underWay = (number: number) =>
    vi.waitFor(() => expect(waiting.length).toBeGreaterThanOrEqual(number))
  const first = make()
  await underWay(1)
  const reached = waiting.length
  const second = make()
  await underWay(reached + 1)
  const third = await make()
  expect([third.statusCode, third.headers['retry-after'], third.json()]).toMatchObject([
    429,
    '10',
    { code: 'overloaded', detail: '2 data sets are being written: ask again' },
  ])
  for (const fail of waiting.splice(0)) fail(new Error('the store is away'))
  expect([(await first).statusCode, (await second).statusCode]).toEqual([500, 500])
  const fourth = make()
  await underWay(1)
  for (const fail of waiting.splice(0)) fail(new Error('the store is away'))
  expect((await fourth).statusCode).toBe(500)
})

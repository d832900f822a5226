/**
 * Processes on one PostgreSQL server look, send and die at any point: each message is made once,
 * none is lost, and one that is sent again has the same id.
 */
import { pino } from 'pino'
import { beforeAll, expect, test } from 'vitest'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { parseAllowed } from '../../../lib/http/outgoing/address-rules.ts'
import { guardedAddress, guardedFetch } from '../../../lib/http/outgoing/guarded-fetch.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { serverPostgres, type Postgres } from '../../../lib/postgres/port.ts'
import type { ActiveAlarm } from '../../../schemas/active-alarms.ts'
import type { AlertsFile } from '../../../schemas/alerts-file.ts'
import {
  alertsSender,
  beginDue,
  settled,
  type Sender,
} from '../../../services/alerts/loop/send-messages.ts'
import { tellIncidents } from '../../../services/alerts/loop/tell-incidents.ts'
import { webhook } from '../../contracts/receivers/doubles.ts'
import { postgresServer } from '../../servers/postgres-server.ts'

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const PROCESSES = 3
const INCIDENTS = 40
const ROUNDS = 60
let connections: Postgres[]

beforeAll(async () => {
  const { url, stop } = await postgresServer()
  connections = Array.from({ length: PROCESSES }, () => serverPostgres(url))
  return async () => {
    await Promise.all(connections.map((db) => db.close()))
    await stop()
  }
})

/** Draws from 0 up to 1, the same every time. */
function drawn(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

const random = drawn(7)
let now = Date.parse('2026-01-02T00:00:00Z')
/** Whether processes still die. */
let isDeadly = true

/** A store of a process that dies before or after what it commits. */
const mortal = (postgres: Postgres): Postgres => ({
  ...postgres,
  transaction: async (body) => {
    if (isDeadly && random() < 0.15) throw new Error('killed before it was written')
    const result = await postgres.transaction(body)
    if (isDeadly && random() < 0.15) throw new Error('killed after it was written')
    return result
  },
})

const alarm = (i: number): ActiveAlarm => ({
  ...{ model_id: `m${i}`, model_version: '', variant: '', slice_key: '', slice_value: '' },
  ...{ family: 'performance', metric: 'accuracy', subject: '', reference: 'baseline' },
  ...{ severity: 'alarm', value: 0.8, baseline_value: 0.9, threshold: 0.85, reason: 'down' },
  ...{ window_start: '2026-01-01T00:00:00.000Z', window_end: '2026-01-02T00:00:00.000Z' },
  ...{ since: '2026-01-01T00:00:00.000Z', verdict_id: 'v', is_snoozed: false },
  ...{ snoozed_until: null, episode_id: `m${i}/2026-01-01T00:00:00.000Z` },
})

test('three processes that die at random points tell every begin and every end once', async () => {
  const receiver = await webhook(SECRET)
  const file: AlertsFile = {
    receivers: [{ name: 'w', kind: 'webhook', url: receiver.url, timeout: '1s' }],
    default: { receivers: ['w'] },
  }
  const model = parseModel('{ model_id: m, task: binary }')
  let alarms = Array.from({ length: INCIDENTS }, (_, i) => alarm(i))
  const processes = connections.map((own) => {
    const postgres = mortal(own)
    const sender: Sender = alertsSender({
      fetch: guardedFetch(parseAllowed('loopback')),
      addressOf: guardedAddress(parseAllowed('loopback')),
      ...{ secretOf: () => undefined, webhookSecret: SECRET, random, count: () => {} },
      ...{ log: pino({ level: 'silent' }), alerts: () => ({ file, tls: new Map() }) },
      ...{ postgres, now: () => now, linkKeys: () => [], base: () => 'http://x' },
    })
    const look = () =>
      tellIncidents({
        db: { query: () => Promise.resolve(alarms) } as unknown as ClickHouse,
        models: { get: () => model, declared: [] },
        ...{ postgres, file: () => file, base: () => 'http://x', now: () => now },
      }).catch(() => 0)
    return async () => {
      await look()
      await beginDue(sender)
      await settled(sender)
    }
  })
  const waiting = async () => {
    const [row] = await connections[0]!.query<{ n: number }>(
      "select count(*)::int as n from alert_deliveries where state <> 'delivered'",
    )
    return row!.n
  }
  const rounds = async () => {
    isDeadly = true
    for (let i = 0; i < ROUNDS; i++) {
      // Claims of the dead end with the clock.
      if (i % 5 === 4) now += 60_000
      if (i === ROUNDS - 20) isDeadly = false
      await Promise.all(processes.map((step) => step()))
    }
    expect(await waiting()).toBe(0)
  }
  await rounds()
  alarms = []
  await rounds()

  const events = receiver.taken.map(({ type, data }) => `${String(data['model_id'])} ${type}`)
  const wanted = Array.from({ length: INCIDENTS }, (_, i) => [
    `m${i} plumbline.alert.open`,
    `m${i} plumbline.alert.resolve`,
  ]).flat()
  expect(events.toSorted()).toEqual(wanted.toSorted())
  // Some were sent again: processes died between the answer and what they write of it.
  expect(receiver.seen.length).toBeGreaterThan(events.length)
  const entries = await connections[0]!.query<{ subject: string }>(
    "select subject from audit_log where action = 'alert.delivered'",
  )
  expect(new Set(entries.map(({ subject }) => subject)).size).toBe(entries.length)
  expect(entries).toHaveLength(wanted.length)
})

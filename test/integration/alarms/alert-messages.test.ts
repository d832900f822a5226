/**
 * Incidents are told over real HTTP to receivers that misbehave, by one process or two, kept in a
 * real control database.
 */
import { pino } from 'pino'
import { beforeEach, expect, test } from 'vitest'
import { parseAllowed } from '../../../lib/http/outgoing/address-rules.ts'
import { guardedAddress, guardedFetch } from '../../../lib/http/outgoing/guarded-fetch.ts'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import {
  firstBreak,
  incompleteness,
  readAudit,
  readEvidence,
} from '../../../lib/postgres/audit-log.ts'
import type { ActiveAlarm } from '../../../schemas/active-alarms.ts'
import type { AlertsFile, Receiver } from '../../../schemas/alerts-file.ts'
import {
  alertsSender,
  beginDue,
  settled,
  type Sender,
} from '../../../services/alerts/loop/send-messages.ts'
import { forgetTold, tellIncidents } from '../../../services/alerts/loop/tell-incidents.ts'
import {
  claimDelivery,
  listDeliveries,
  readDue,
} from '../../../services/alerts/queries/deliveries.ts'
import {
  double,
  pagerduty,
  slack,
  webhook,
  type Double,
} from '../../contracts/receivers/doubles.ts'
import { migratedPostgres, temporaryDirectory } from '../../harness.ts'
import { until } from '../../servers/processes.ts'

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const MINUTE = 60_000
const postgres = await migratedPostgres(temporaryDirectory())
/** The clock of both processes. */
let now = Date.parse('2026-01-02T00:00:00Z')
let alarms: ActiveAlarm[] = []
let file: AlertsFile
const secrets: Record<string, string> = { KEY: 'R0UT1NGKEYR0UT1NGKEYR0UT1NGKEY00' }
const counts: string[] = []

const alarm = (more: Partial<ActiveAlarm> = {}): ActiveAlarm => ({
  ...{ model_id: 'fraud', model_version: '', variant: '', slice_key: '', slice_value: '' },
  ...{ family: 'performance', metric: 'accuracy', subject: '', reference: 'baseline' },
  ...{ severity: 'alarm', value: 0.8, baseline_value: 0.9, threshold: 0.85, reason: 'down' },
  ...{ window_start: '2026-01-01T00:00:00.000Z', window_end: '2026-01-02T00:00:00.000Z' },
  ...{ since: '2026-01-01T00:00:00.000Z', verdict_id: 'v', snoozed_until: null, is_snoozed: false },
  episode_id: 'fraud/2026-01-01T00:00:00.000Z',
  ...more,
})
const drift = (subject: string) => alarm({ family: 'drift', metric: 'psi', subject, value: 0.5 })
const model = parseModel('{ model_id: fraud, task: binary, owner: ann, team: risk }')
const look = () =>
  tellIncidents({
    db: { query: () => Promise.resolve(alarms) } as unknown as ClickHouse,
    models: { get: () => model, declared: [model] },
    ...{ postgres, file: () => file, base: () => 'https://plumbline.example', now: () => now },
  })
const process = (): Sender =>
  alertsSender({
    fetch: guardedFetch(parseAllowed('loopback')),
    addressOf: guardedAddress(parseAllowed('loopback')),
    secretOf: (name) => secrets[name],
    webhookSecret: SECRET,
    log: pino({ level: 'silent' }),
    count: (receiver, outcome) => void counts.push(`${receiver} ${outcome}`),
    alerts: () => ({ file, tls: new Map() }),
    ...{ postgres, now: () => now, random: () => 0.5 },
    ...{ linkKeys: () => ['k'.repeat(32)], base: () => 'https://plumbline.example' },
  })
/** Sends all that is due now, and all that follows on it at once. */
async function send(sender: Sender): Promise<void> {
  while ((await beginDue(sender)) > 0) await settled(sender)
}
const told = async (receiver?: string) =>
  (
    await listDeliveries(postgres, {
      ...{ modelIds: undefined, receiver, state: undefined, deliveryId: undefined, limit: 1000 },
    })
  ).toReversed()
const events = async (receiver: string) =>
  (await told(receiver)).map(({ event, state }) => `${event} ${state}`)
const toAll = (...receivers: Receiver[]): AlertsFile => ({
  receivers,
  default: { receivers: receivers.map(({ name }) => name), update_every: '10m' },
})
const hook = (name: string, { url }: Double, more: Partial<Receiver> = {}): Receiver =>
  ({ ...{ name, kind: 'webhook', url, timeout: '1s' }, ...more }) as Receiver

beforeEach(async () => {
  await postgres.query('delete from alert_deliveries')
  await postgres.query('delete from alert_incidents')
  await postgres.query('delete from runs')
  alarms = []
  counts.length = 0
})

test('an incident is told once, its changes no sooner than asked, its end after its begin', async () => {
  const { hook: url, posts } = await slack()
  const pager = await pagerduty()
  secrets['HOOK'] = url
  file = toAll(
    { name: 'chat', kind: 'slack', url: 'secret://env/HOOK' },
    { name: 'pager', kind: 'pagerduty', url: pager.url, routing_key: 'secret://env/KEY' },
  )
  const sender = process()
  const step = async (minutes: number, ...now_active: ActiveAlarm[]) => {
    now += minutes * MINUTE
    alarms = now_active
    await look()
    await send(sender)
  }
  await step(0, alarm())
  await step(1, alarm({ value: 0.79, window_end: '2026-01-03T00:00:00.000Z' }))
  await step(1, alarm(), drift('amount'))
  expect(posts.map(({ header }) => header.split(':')[0])).toEqual(['firing'])
  await step(9, alarm(), drift('amount'))
  expect(posts.at(-1)!.body).toContain('amount has drifted')
  // Gone for one look is not yet ended.
  await step(1)
  await step(1, alarm(), drift('amount'))
  await step(1)
  await step(1)
  expect(posts.map(({ header }) => header.split(':')[0])).toEqual(['firing', 'changed', 'resolved'])
  expect([...pager.incidents]).toEqual([
    [
      'alarm/fraud/2026-01-01T00:00:00.000Z',
      { status: 'resolved', severity: 'critical', triggers: 2 },
    ],
  ])
  // It begins again, and is told again once its receiver has had time.
  await step(1, alarm())
  expect(posts).toHaveLength(3)
  await step(10, alarm())
  expect(posts.at(-1)!.header).toMatch(/^firing/)
  expect(await events('chat')).toEqual(
    ['open', 'update', 'resolve', 'open'].map((event) => `${event} delivered`),
  )
})

test('two processes tell each receiver once, and every message is in the audit log', async () => {
  const receiver = await webhook(SECRET)
  file = toAll(hook('w', receiver))
  alarms = Array.from({ length: 20 }, (_, i) =>
    alarm({ model_id: `m${i}`, episode_id: `m${i}/2026-01-01T00:00:00.000Z` }),
  )
  await Promise.all([look(), look(), look()])
  const [one, two] = [process(), process()]
  await Promise.all([send(one), send(two)])
  await send(one)
  expect(receiver.seen).toHaveLength(20)
  expect(new Set(receiver.taken.map(({ data }) => data['model_id'])).size).toBe(20)
  expect(counts).toEqual(Array(20).fill('w delivered'))
  const entries = (await readAudit(postgres, 0, 10_000)).filter(
    ({ action, detail }) => action === 'alert.delivered' && detail['receiver'] === 'w',
  )
  expect(entries).toHaveLength(20)
  expect(entries[0]!.detail).toMatchObject({ event: 'open', attempts: 1, answer: 'answered 204' })
  const all = await readAudit(postgres, 0, 10_000)
  expect(incompleteness(firstBreak(all), await readEvidence(postgres, undefined))).toBeUndefined()
})

test('killed between claim and answer, a message is sent again under the same id', async () => {
  const receiver = await webhook(SECRET)
  file = toAll(hook('w', receiver))
  alarms = [alarm()]
  await look()
  const [due] = await readDue(postgres, now)
  const claim = { now, until: now + MINUTE }
  expect(await claimDelivery(postgres, due!.delivery_id, claim)).toMatchObject({ attempt: 1 })
  // Nobody else has it meanwhile, nor may it be claimed twice.
  const next = process()
  await send(next)
  expect(await claimDelivery(postgres, due!.delivery_id, claim)).toBeUndefined()
  expect(receiver.seen).toEqual([])
  now += MINUTE
  await send(next)
  expect(receiver.taken.map(({ id }) => id)).toEqual([due!.delivery_id])
  expect(await told()).toMatchObject([{ state: 'delivered', attempts: 2 }])
})

test('a process that ends breaks off what it sends, and gives it back', async () => {
  const receiver = await double(() => [200, ''])
  receiver.before.push('hang')
  file = toAll(hook('w', receiver, { timeout: '5m' }))
  alarms = [alarm()]
  await look()
  const ending = process()
  await beginDue(ending)
  await until('the request is under way', async () => receiver.seen.length === 1)
  ending.stopping.abort(new Error('the process ends'))
  await settled(ending)
  expect(await told()).toMatchObject([{ state: 'waiting' }])
  await send(process())
  expect(await told()).toMatchObject([{ state: 'delivered', attempts: 2 }])
})

test('what may pass is tried for hours, as asked for; one receiver delays no other', async () => {
  const [down, well] = [await double(() => [503, { message: 'down' }]), await webhook(SECRET)]
  file = toAll(hook('down', down), hook('well', well))
  alarms = [alarm()]
  await look()
  const sender = process()
  await send(sender)
  expect(await told('well')).toMatchObject([{ state: 'delivered' }])
  expect(await told('down')).toMatchObject([{ state: 'waiting', answer: 'answered 503: down' }])
  // The pauses double from a second to five minutes.
  for (let i = 0; i < 200 && (await told('down'))[0]!.state === 'waiting'; i++) {
    now = Date.parse((await told('down'))[0]!.next_attempt_at!)
    await send(sender)
  }
  const [given] = await told('down')
  expect(given).toMatchObject({
    state: 'failed',
    answer: expect.stringMatching(/^given up after \d+ attempts in 6h: answered 503: down$/),
  })
  expect(given!.attempts).toBeGreaterThan(70)
  expect(counts.filter((one) => one === 'down failed')).toHaveLength(1)
  expect(counts.filter((one) => one === 'down retried')).toHaveLength(given!.attempts - 1)
})

test('Retry-After leaves the receiver alone with everything; a refusal is final at once', async () => {
  const busy = await double(() => [200, ''])
  busy.before.push([429, 'later', { 'retry-after': '600' }])
  file = toAll(hook('busy', busy, { name: 'busy' }))
  alarms = [alarm()]
  await look()
  const sender = process()
  await beginDue(sender)
  alarms = [alarm(), alarm({ model_id: 'b', episode_id: 'b/2026-01-01T00:00:00.000Z' })]
  await look()
  await settled(sender)
  const waits = (await told()).map(({ next_attempt_at: at }) => Date.parse(at!) - now)
  expect(Math.max(...waits)).toBe(600_000)
  now += 600_000
  await send(sender)
  expect((await told()).map(({ state }) => state)).toEqual(['delivered', 'delivered'])

  const strict = await double(() => [400, { detail: 'no such channel' }])
  file = toAll(hook('strict', strict))
  await look()
  await send(sender)
  expect(await told('strict')).toMatchObject([
    { state: 'failed', attempts: 1, answer: 'answered 400: no such channel' },
    { state: 'failed', attempts: 1 },
  ])
  // Nobody who was told nothing is told of an end.
  alarms = []
  for (let i = 0; i < 3; i++) {
    now += MINUTE
    await look()
  }
  await send(sender)
  expect(await events('strict')).toEqual(['open failed', 'open failed'])
})

test('the end waits for the begin that is still tried', async () => {
  const receiver = await double(() => [200, ''])
  receiver.before.push([500, ''])
  file = toAll(hook('w', receiver))
  alarms = [alarm()]
  await look()
  const sender = process()
  await send(sender)
  alarms = []
  for (const seconds of [0, 31]) {
    now += seconds
    await look()
    now += 31_000
  }
  expect(await events('w')).toEqual(['open waiting', 'resolve waiting'])
  await send(sender)
  const order = receiver.seen.map(({ text }) => (JSON.parse(text) as { type: string }).type)
  expect(order).toEqual(['open', 'open', 'resolve'].map((event) => `plumbline.alert.${event}`))
})

test('a receiver that the file has lost is told nothing more, and that is said', async () => {
  const receiver = await webhook(SECRET)
  file = toAll(hook('gone', receiver))
  alarms = [alarm()]
  await look()
  file = toAll(hook('other', receiver))
  await send(process())
  expect(await told('gone')).toMatchObject([
    { state: 'failed', answer: 'the file of alerts has no receiver gone any more' },
  ])
})

test('runs that fail, wait or made it worse are told, and their end with the next run', async () => {
  const receiver = await webhook(SECRET)
  file = toAll(hook('w', receiver))
  const run = (id: string, state: string, repair: object | null = null, policy = 'worse') =>
    postgres.query(
      `insert into runs (run_id, model_id, policy, cause, state, reason, message, decided_at, created_at, updated_at, repair)
       values ($1, 'fraud', $2, $1, $3, 'accuracy fell', 'no space left', $4, $4, $4, $5::jsonb)`,
      [id, policy, state, new Date(now), repair && JSON.stringify(repair)],
    )
  const sender = process()
  const step = async () => {
    for (let i = 0; i < 3; i++) {
      now += MINUTE
      await look()
    }
    await send(sender)
  }
  await run('r1', 'failed')
  await run('r2', 'awaiting_approval', null, 'other')
  const at = new Date(now).toISOString()
  await run(
    'r3',
    'promoted',
    { outcome: 'made_worse', reason: 'accuracy', evaluated_at: at },
    'third',
  )
  await step()
  const said = () =>
    receiver.taken.map(({ type, data }) => `${String(data['kind'])} ${type.split('.')[2]!}`)
  expect(said().toSorted()).toEqual(['approval open', 'made_worse open', 'run_failed open'])
  expect(receiver.taken.find(({ data }) => data['kind'] === 'run_failed')!.data).toMatchObject({
    title: 'firing: fraud: retraining failed (policy worse): no space left',
  })
  await run('r4', 'running')
  await postgres.query("update runs set state = 'queued' where run_id = 'r2'")
  await step()
  expect(said().slice(3).toSorted()).toEqual(['approval resolve', 'run_failed resolve'])
})

test('a digest comes once at its time, from whichever process, and not hours late', async () => {
  const receiver = await webhook(SECRET)
  now = Date.parse('2026-02-02T07:30:00Z')
  file = {
    receivers: [hook('w', receiver)],
    digests: [{ name: 'daily', receivers: ['w'], at: '08:00', timezone: 'Europe/Berlin' }],
  }
  alarms = [alarm()]
  await Promise.all([look(), look()])
  await send(process())
  expect(receiver.taken).toHaveLength(1)
  expect(receiver.taken[0]!.data).toMatchObject({
    event: 'digest',
    title: expect.stringContaining('daily: 1 open, 1 began, 0 ended'),
  })
  now += 86_400_000 + 2 * 3_600_000
  await look()
  expect(await told()).toHaveLength(1)
})

test('what was told is kept for 90 days', async () => {
  const receiver = await webhook(SECRET)
  file = toAll(hook('w', receiver))
  alarms = [alarm()]
  await look()
  await send(process())
  now += 89 * 86_400_000
  await forgetTold({ postgres, now: () => now })
  expect(await told()).toHaveLength(1)
  now += 2 * 86_400_000
  await forgetTold({ postgres, now: () => now })
  expect(await told()).toHaveLength(0)
})

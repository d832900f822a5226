/**
 * Approvals that nobody gives are taken further, each step once, by processes that die at any point,
 * until somebody answers.
 */
import { beforeAll, beforeEach, expect, test } from 'vitest'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { type EmbeddedPostgres, type Postgres } from '../../../lib/postgres/port.ts'
import type { AlertsFile } from '../../../schemas/alerts-file.ts'
import { escalationOf, unknownEscalations } from '../../../services/alerts/decide/escalations.ts'
import { tellIncidents } from '../../../services/alerts/loop/tell-incidents.ts'
import { approveRun } from '../../../services/retrain-trigger/queries/approvals/approvals.ts'
import {
  recordDecision,
  type DecidedPolicy,
} from '../../../services/retrain-trigger/queries/decision-ledger.ts'
import { readRunHistory } from '../../../services/retrain-trigger/queries/run-history.ts'
import { migratedPostgres, temporaryDirectory } from '../../harness.ts'

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 1)
let now = START
let postgres: EmbeddedPostgres

beforeAll(async () => {
  postgres = await migratedPostgres(temporaryDirectory())
})
beforeEach(async () => {
  now = START
  for (const table of ['runs', 'approval_escalations', 'alert_incidents', 'alert_deliveries'])
    await postgres.query(`delete from ${table}`)
})

const webhook = (name: string) => ({ name, kind: 'webhook', url: 'http://127.0.0.1:1/' }) as const
const file: AlertsFile = {
  receivers: [webhook('chat'), webhook('lead'), webhook('eve')],
  routes: [
    { match: { kind: ['approval'], team: ['none'] }, receivers: ['eve'], approver: 'eve' },
    { match: { kind: ['approval'] }, receivers: ['chat'] },
  ],
}
const model = parseModel('{ model_id: m, task: binary }')
const look = (db: Postgres = postgres) =>
  tellIncidents({
    db: { query: () => Promise.resolve([]) } as unknown as ClickHouse,
    models: { get: () => model, declared: [model] },
    ...{ postgres: db, file: () => file, base: () => 'http://x', now: () => now },
  })

let causes = 0
async function asked(): Promise<string> {
  const about = { modelId: 'm', cause: `e${causes++}`, windowEnd: undefined }
  const decision = { action: 'launch', reason: 'r' } as const
  const policy: DecidedPolicy = {
    name: 'p',
    approval: 'one',
    approval_expires: '2d',
    escalate: [
      { after: '2h', to: ['chat', 'lead'] },
      { after: '1d', to: ['eve', 'gone'] },
    ],
  }
  const run = await recordDecision(
    { postgres, now: () => now },
    { ...about, policy: 'p', revision: 0, decision },
    {
      ...{ ...about, policy },
      ...{ reason: 'r', decidedAt: now, labelsKnown: 0, modelFile: '' },
    },
  )
  return run!.run_id
}
interface Row {
  receiver: string
  event: string
  message: { headline: string; approval?: { person: string } }
}
/** What was enqueued, in order. */
const sent = () =>
  postgres.query<Row & Record<string, never>>(
    'select receiver, event, message from alert_deliveries order by created_at, receiver, sequence',
  )
const delivered = () => postgres.query("update alert_deliveries set state = 'delivered'")
const namesOf = (rows: readonly Row[]) => rows.map(({ receiver, event }) => `${receiver} ${event}`)

test('each step tells its receivers once, and an answer ends all of them', async () => {
  const id = await asked()
  await look()
  await delivered()
  now += 2 * HOUR - 1
  await look()
  expect(namesOf(await sent())).toEqual(['chat open'])
  now += 1
  await look()
  await look()
  await delivered()
  const after = await sent()
  expect(namesOf(after)).toEqual(['chat open', 'chat update', 'lead open'])
  expect(after[2]!.message.headline).toBe(
    'nobody has answered for 2h: a retraining waits for approval (policy p): r',
  )
  now += 22 * HOUR
  await look()
  await delivered()
  const last = (await sent()).at(-1)!
  // Whom a route names as a receiver's reader gets a link by a step too.
  expect([last.receiver, last.message.approval?.person]).toEqual(['eve', 'eve'])
  const { escalation, transitions } = await readRunHistory(postgres, id)
  expect(escalation.map(({ told_at, missing }) => [told_at, missing])).toEqual([
    [new Date(START + 2 * HOUR).toISOString(), []],
    [new Date(START + 24 * HOUR).toISOString(), ['gone']],
  ])
  expect(transitions.map(({ state, actor, reason }) => [state, actor, reason]).slice(1)).toEqual([
    ['escalate', 'alerts', 'nobody answered for 2h: told chat, lead'],
    [
      ...['escalate', 'alerts'],
      'nobody answered for 1d: told eve; the file of alerts has no receiver gone',
    ],
  ])
  await approveRun({ postgres, now: () => now }, id, { actor: 'ann', message: 'seen' })
  await look()
  now += 31_000
  await look()
  expect(namesOf(await sent()).filter((name) => name.endsWith('resolve'))).toEqual([
    ...['chat resolve', 'eve resolve', 'lead resolve'],
  ])
})

test('a run that was answered, or whose approval has expired, is taken no further', async () => {
  const [answered, expired] = [await asked(), await asked()]
  await approveRun({ postgres, now: () => now }, answered, { actor: 'ann', message: 'seen' })
  now += 48 * HOUR
  await look()
  expect((await readRunHistory(postgres, expired)).escalation[0]!.told_at).toBeNull()
  expect((await readRunHistory(postgres, answered)).escalation[0]!.told_at).toBeNull()
})

test('processes that die at random statements take each step once', async () => {
  let state = 11
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32
  let deaths = 0
  const die = (chance: number) => {
    if (random() >= chance) return
    deaths++
    throw new Error('killed')
  }
  const mortal: Postgres = {
    ...postgres,
    query: (...args) => postgres.query(...args),
    transaction: async (body) => {
      const result = await postgres.transaction((tx) =>
        body({
          ...tx,
          query: async (...args) => {
            die(0.05)
            return tx.query(...args) as never
          },
        }),
      )
      die(0.2)
      return result
    },
  }
  const ids = [await asked(), await asked(), await asked()]
  for (let i = 0; i < 300; i++) {
    await look(mortal).catch(() => 0)
    await delivered()
    now += 5 * 60_000
  }
  expect(deaths).toBeGreaterThan(50)
  const told = (await sent()).filter(({ message }) => message.headline.startsWith('nobody'))
  expect(namesOf(told).toSorted()).toEqual(
    ids.flatMap(() => ['chat update', 'lead open', 'eve open']).toSorted(),
  )
})

test('a receiver that nobody knows is told at start, with the nearest name', () => {
  const policy = { name: 'p', escalate: [{ after: '2h', to: ['leed', 'chat'] }] }
  const models = [{ modelId: 'm', retrain: [policy as never] }]
  expect(unknownEscalations(models, ['chat', 'lead'])).toEqual([
    'm: retrain.p.escalate.0.to names leed, which is no receiver; did you mean lead?',
  ])
  expect(unknownEscalations(models, [])).toHaveLength(2)
  expect(escalationOf(file, { after: '1h', to: ['lead', 'lead'] }, []).due).toHaveLength(1)
})

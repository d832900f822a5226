/**
 * Tests callers with keys: who asks, approves, reviews and alerts is who holds the key or the
 * webhook secret, whatever a body says.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporaryDirectory } from '../harness.ts'
import { post, startTarget, type Running } from '../servers/processes.ts'

const directory = temporaryDirectory()
const newKey = () => randomBytes(32).toString('base64url')
const keys = { ann: newKey(), eve: newKey(), reader: newKey() }
let plumbline: Running

beforeAll(async () => {
  mkdirSync(join(directory, 'models'))
  writeFileSync(
    join(directory, 'models/m.yaml'),
    `model_id: m
task: binary
windows: { size: 1h, lateness: 15m, min_count: 50 }
review: { reviewers: 1, budget_per_day: 100 }
retrain:
  - { name: asked, when: 'schedule("0 0 1 1 *")', launch: { kind: command, command: ["true"] }, approval: two, cooldown: 1m }
`,
  )
  const file = join(directory, 'keys.json')
  const entry = (id: keyof typeof keys, scopes: string[]) => ({
    ...{ id, scopes, sha256: createHash('sha256').update(keys[id]).digest('hex') },
  })
  writeFileSync(
    file,
    JSON.stringify({
      keys: [
        entry('ann', ['read', 'operate', 'review']),
        entry('eve', ['read', 'operate', 'review']),
        entry('reader', ['read']),
      ],
    }),
  )
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_MODELS_DIR: join(directory, 'models'),
    PLUMBLINE_AUTH_FILE: file,
  })
})
afterAll(() => plumbline?.stop())

const by = (id: keyof typeof keys) => ({ authorization: `Bearer ${keys[id]}` })
const firing = (fingerprint: string) => ({
  status: 'firing',
  labels: { alertname: 'Late', model_id: 'm', plumbline_policy: 'asked' },
  startsAt: '2026-01-01T00:00:00Z',
  fingerprint,
})
const alert = (body: string, headers: Record<string, string>) =>
  post(`${plumbline.url}/v1/alerts`, body, headers)

function signed(body: string, at = new Date()): Record<string, string> {
  const secret = readFileSync(join(directory, 'data/webhook.secret'), 'utf8')
  return {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign('msg_1', at, body),
  }
}

test('alerts are taken when they are signed or come by a key that may operate, and by nothing else', async () => {
  const body = JSON.stringify({ alerts: [firing('signed')] })
  expect((await alert(body, {})).status).toBe(401)
  expect((await alert(body, by('reader'))).status).toBe(401)
  expect((await alert(`${body} `, signed(body))).status).toBe(401)
  const old = new Date(Date.now() - 301_000)
  expect((await alert(body, signed(body, old))).status).toBe(401)
  // A signature that is wrong is not made up for by a key.
  expect((await alert(`${body} `, { ...signed(body), ...by('ann') })).status).toBe(401)

  const taken = await alert(body, signed(body))
  expect(taken.status).toBe(200)
  const { launched } = (await taken.json()) as { launched: string[] }
  expect(launched.length).toBe(1)
  // A run waits for its approvals: the next alert is held back, and said so.
  const byKey = await alert(JSON.stringify({ alerts: [firing('key')] }), by('ann'))
  expect(await byKey.json()).toMatchObject({
    launched: [],
    ignored: [{ reason: expect.stringContaining('a run is under way') as string }],
  })
  const { entries } = (await (
    await fetch(`${plumbline.url}/v1/audit`, { headers: by('reader') })
  ).json()) as { entries: { actor: string; subject: string }[] }
  expect(entries.filter((entry) => entry.subject === launched[0]).map((e) => e.actor)).toEqual([
    'alerts',
  ])
})

/** Headers by which Grafana signs a body. */
function signedByGrafana(body: string, at = Date.now()): Record<string, string> {
  const secret = readFileSync(join(directory, 'data/webhook.secret'), 'utf8')
  const timestamp = String(Math.floor(at / 1000))
  return {
    'x-grafana-alerting-timestamp': timestamp,
    'x-grafana-alerting-signature': createHmac('sha256', secret)
      .update(`${timestamp}:${body}`)
      .digest('hex'),
  }
}

test('Grafana’s signature is taken with its time, and with none it is told what is missing', async () => {
  const body = JSON.stringify({ version: '1', orgId: 1, title: 't', alerts: [firing('grafana')] })
  expect((await alert(body, signedByGrafana(body))).status).toBe(200)
  expect((await alert(`${body} `, signedByGrafana(body))).status).toBe(401)
  expect((await alert(body, signedByGrafana(body, Date.now() - 301_000))).status).toBe(401)
  const { 'x-grafana-alerting-signature': signature } = signedByGrafana(body)
  const untimed = await alert(body, { 'x-grafana-alerting-signature': signature! })
  expect([untimed.status, await untimed.json()]).toMatchObject([
    401,
    { detail: expect.stringContaining('has no time') as string },
  ])
})

test.each([['3'], [4], [{}]])(
  'a body of version %j is refused with a sentence',
  async (version) => {
    const body = JSON.stringify({ version, alerts: [firing('other')] })
    const answer = await alert(body, by('ann'))
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      {
        code: 'unknown_version',
        detail: `the body is of version ${JSON.stringify(version)}: Alertmanager’s "4" and Grafana’s "1" are read`,
      },
    ])
  },
)

test('a body of alerts has a bound in number and in bytes', async () => {
  const bodyOf = (alerts: object[]) => JSON.stringify({ alerts })
  const resolved = { status: 'resolved', labels: { alertname: 'Late' } }
  const many = (n: number) => bodyOf(Array.from({ length: n }, () => resolved))
  expect(await (await alert(many(1000), by('ann'))).json()).toMatchObject({ received: 1000 })
  expect((await alert(many(1001), by('ann'))).status).toBe(400)
  const filled = (bytes: number) => {
    const empty = bodyOf([{ ...resolved, annotations: { summary: '' } }])
    return bodyOf([{ ...resolved, annotations: { summary: 'x'.repeat(bytes - empty.length) } }])
  }
  expect((await alert(filled(4 << 20), by('ann'))).status).toBe(200)
  expect((await alert(filled((4 << 20) + 1), by('ann'))).status).toBe(413)
})

test.each([
  ['/v1/reviews/claim', 'reviewer', { model_id: 'm' }],
  ['/v1/reviews/none/submit', 'reviewer', { lease_id: 'l', label: '1' }],
  ['/v1/reviews/none/skip', 'reviewer', { lease_id: 'l' }],
  ['/v1/reviews/none/release', 'reviewer', { lease_id: 'l' }],
  ['/v1/reviews/none/undo', 'reviewer', {}],
  ['/v1/verdicts/none/accept', 'actor', {}],
  ['/v1/verdicts/none/dismiss', 'actor', {}],
  ['/v1/verdicts/none/snooze', 'actor', { until: '2090-01-01T00:00:00Z' }],
  ['/v1/runs', 'actor', { model_id: 'm', policy: 'none', reason: 'r' }],
  ['/v1/runs/none/approve', 'actor', { message: 'm' }],
  ['/v1/runs/none/reject', 'actor', { message: 'm' }],
  ['/v1/runs/none/cancel', 'actor', { message: 'm' }],
  ['/v1/runs/none/roll-back', 'actor', { message: 'm' }],
])('%s: a body that names another than its key is refused', async (path, field, body) => {
  const send = (named: object) => post(`${plumbline.url}${path}`, { ...body, ...named }, by('eve'))
  const other = await send({ [field]: 'ann' })
  expect(other.status).toBe(403)
  expect(await other.json()).toMatchObject({ code: 'other_caller' })
  expect((await send({ [field]: 'eve' })).status).not.toBe(403)
  expect((await send({})).status).not.toBe(403)
})

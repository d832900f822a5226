/** A planted fall is told to a channel, once, with its end; the command line sends tests. */
import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { double, slack, type Double, type SlackPost } from '../contracts/receivers/doubles.ts'
import { temporaryDirectory } from '../harness.ts'
import { post, prediction, ROOT, startTarget, until, type Running } from '../servers/processes.ts'

const directory = temporaryDirectory()
const path = join(directory, 'alerts.yaml')
let plumbline: Running
let channel: Awaited<ReturnType<typeof slack>>
let broken: Double

const file = (more = '') => `
receivers:
  - { name: risk-chat, kind: slack, url: 'secret://env/RISK_CHAT_URL' }
  - { name: broken, kind: webhook, url: '${broken.url}/x' }
routes:
  - match: { team: [risk], kind: [alarm] }
    receivers: [risk-chat]
default: { receivers: [broken] }
${more}`

beforeAll(async () => {
  channel = await slack()
  broken = await double(() => [410, { detail: 'this hook was removed' }])
  mkdirSync(join(directory, 'models'))
  writeFileSync(
    join(directory, 'models/fraud.yaml'),
    `model_id: fraud
task: regression
owner: ann
team: risk
windows: { size: 1h, lateness: 0s, idle: 1s, min_count: 20 }
references: { training: { kind: fixed, from: 2026-01-01T00:00:00Z, to: 2026-01-01T02:00:00Z, baseline: true } }
features: { amount: numeric }
alarms: { kind: fixed }
`,
  )
  writeFileSync(path, file())
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_MODELS_DIR: join(directory, 'models'),
    PLUMBLINE_ALERTS_FILE: path,
    PLUMBLINE_MODELS_POLL_SECONDS: '0',
    PLUMBLINE_DRIFT_SCAN_SECONDS: '1',
    RISK_CHAT_URL: channel.hook,
  })
})
afterAll(() => plumbline?.stop())

const START = Date.parse('2026-01-01T00:00:00Z')
/** Sends an hour of predictions whose amounts are moved by `shift`. */
const hour = async (index: number, shift: number) => {
  const events = Array.from({ length: 200 }, (_, i) =>
    prediction(index * 200 + i, {
      model_id: 'fraud',
      predicted_at: new Date(START + index * 3_600_000 + i * 18_000).toISOString(),
      prediction: 1,
      features: { amount: (i % 50) + shift },
    }),
  )
  expect((await post(`${plumbline.url}/v1/predictions`, JSON.stringify(events))).status).toBe(200)
}
const firing =
  (status: string) =>
  ({ header }: SlackPost) =>
    header.startsWith(`${status}: fraud:`)
const look = async () => {
  const answer = await fetch(`${plumbline.url}/v1/alerts/deliveries?model_id=fraud`)
  return ((await answer.json()) as { deliveries: { event: string; state: string }[] }).deliveries
}

test('a planted drift is told once to its team’s channel, and its end', async () => {
  for (const index of [0, 1, 2]) await hour(index, 0)
  for (const index of [3, 4]) await hour(index, 500)
  await until('the alarm is told', async () => channel.posts.some(firing('firing')))
  const [told] = channel.posts
  expect(told!.header).toMatch(/^firing: fraud: .*amount has drifted/)
  expect(told!.body).toContain('Whose: ann, team risk.')
  expect(told!.links[0]).toContain(`${plumbline.url}/models/fraud/episodes/`)
  for (const index of [5, 6]) await hour(index, 0)
  await until('its end is told', async () => channel.posts.some(firing('resolved')))
  expect(channel.posts.filter(firing('firing'))).toHaveLength(1)
  const deliveries = await look()
  expect(deliveries.filter(({ event }) => event === 'open')).toHaveLength(1)
  expect(deliveries.every(({ state }) => state === 'delivered')).toBe(true)
  expect(broken.seen).toEqual([])
})

/** Runs the command beside this process, which the receivers are part of. */
const command = (...args: string[]): Promise<{ status: number; said: string }> =>
  new Promise((resolve) => {
    const env = { ...process.env, PLUMBLINE_URL: plumbline.url }
    const script = [join(ROOT, 'scripts/alerts.ts'), ...args]
    execFile(process.execPath, script, { env }, (error, stdout, stderr) =>
      resolve({ status: Number(error?.code ?? 0), said: `${stdout}${stderr}`.trim() }),
    )
  })

test('the command line sends tests by receiver and by route, and says what came of them', async () => {
  expect(await command('test', '--receiver', 'risk-chat')).toEqual({
    status: 0,
    said: 'risk-chat: delivered: answered 200: ok',
  })
  const warning = await command('test', '--model', 'fraud', '--severity', 'warning')
  expect(warning.said).toContain('risk-chat: delivered')
  expect(await command('test', '--model', 'fraud', '--kind', 'run_failed')).toEqual({
    status: 1,
    said: 'broken: failed: answered 410: this hook was removed',
  })
  expect(await command('test', '--receiver', 'risk-chatt')).toEqual({
    status: 1,
    said: '/v1/alerts/test answered 404: there is no receiver risk-chatt; did you mean risk-chat?',
  })
  expect((await command('tset')).status).toBe(2)
})

test('a changed file is taken at SIGHUP; one with a problem is told, and the one before stays', async () => {
  const receivers = async () =>
    (await (await fetch(`${plumbline.url}/v1/alerts/receivers`)).json()) as {
      receivers: { name: string }[]
      refused: { problems: string[] } | null
    }
  writeFileSync(path, file("templates: { title: '{{modle}}' }\n"))
  plumbline.child.kill('SIGHUP')
  await until('a refusal', async () => (await receivers()).refused !== null)
  const { refused, receivers: kept } = await receivers()
  expect(refused!.problems).toEqual([
    expect.stringContaining('templates.title names {{modle}}; did you mean model?'),
  ])
  expect(kept.map(({ name }) => name)).toEqual(['risk-chat', 'broken'])
  expect(JSON.stringify(await receivers())).not.toContain(channel.hook)
  const metrics = async () => (await fetch(`${plumbline.url}/metrics`)).text()
  expect(await metrics()).toContain('plumbline_alerts_file_problems 1')
  expect(await metrics()).toContain(
    'plumbline_alert_deliveries_total{receiver="broken",outcome="failed"} 1',
  )
  writeFileSync(path, file("templates: { title: 'T {{model}}' }\n"))
  plumbline.child.kill('SIGHUP')
  await until('the file is taken', async () => (await receivers()).refused === null)
})

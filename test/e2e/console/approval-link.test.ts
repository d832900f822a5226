/**
 * A run that awaits approval: its approver is sent a link, opens the evidence and answers, once; the
 * token stands in no log, no table and no request's address.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { faultsOf, isWithinPage, launchChromium, LOOKS, photograph } from '../../chromium-page.ts'
import { double, type Double } from '../../contracts/receivers/doubles.ts'
import { temporaryDirectory } from '../../harness.ts'
import { embeddedPostgres } from '../../../lib/postgres/port.ts'
import { post, startTarget, until, type Running } from '../../servers/processes.ts'

const directory = temporaryDirectory()
const dataDir = join(directory, 'data')
let plumbline: Running
let browser: Browser
let receiver: Double

beforeAll(async () => {
  // It answers with what it was sent, as some do.
  receiver = await double(({ text }) => [200, { got: text }])
  mkdirSync(join(directory, 'models'))
  writeFileSync(
    join(directory, 'models/m.yaml'),
    'model_id: m\ntask: binary\nretrain:\n  - { name: p, when: "any(drift.psi, alarm)", approval: one, launch: { kind: command, command: ["true"] } }\n',
  )
  writeFileSync(join(directory, 'keys'), `${'k'.repeat(40)}\n`)
  writeFileSync(
    join(directory, 'alerts.yaml'),
    `receivers: [{ name: ann, kind: webhook, url: '${receiver.url}/ann' }]\nroutes: [{ match: { kind: [approval] }, receivers: [ann], approver: ann }]\n`,
  )
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: dataDir,
    PLUMBLINE_MODELS_DIR: join(directory, 'models'),
    PLUMBLINE_ALERTS_FILE: join(directory, 'alerts.yaml'),
    PLUMBLINE_APPROVAL_LINK_KEYS_FILE: join(directory, 'keys'),
  })
  browser = await launchChromium()
})
afterAll(async () => {
  await browser?.close()
  await plumbline?.stop()
})

test('the approver opens the link, sees the evidence and approves; the link is used then', async () => {
  const asked = { model_id: 'm', policy: 'p', reason: 'a new market opens', actor: 'bob' }
  const answer = await post(`${plumbline.url}/v1/runs`, asked)
  const { run_id: id } = (await answer.json()) as { run_id: string }
  await until('the approver is told', async () => receiver.seen.length > 0, 60_000)
  const { data } = JSON.parse(receiver.seen[0]!.text) as { data: { page: string } }
  const link = new URL(data.page)
  const token = link.hash.slice(1)
  expect(link.searchParams.get('run')).toBe(id)
  const addresses: string[] = []
  for (const [name, { width = 1200, dark = false }] of LOOKS) {
    const context = await browser.newContext({
      viewport: { width, height: 900 },
      colorScheme: dark ? 'dark' : 'light',
    })
    const page = await context.newPage()
    page.on('request', (request) => addresses.push(request.url()))
    await page.goto(data.page)
    await page.getByRole('heading', { name: 'Your answer' }).waitFor()
    expect(await page.locator('main').innerText()).toContain('A new market opens')
    // The address in the bar, and so in the history, has no token any more.
    expect(page.url()).not.toContain(token)
    expect(await faultsOf(page)).toEqual([])
    expect(await isWithinPage(page)).toBe(true)
    await photograph(page, `approve-${name}`, true)
    await context.close()
  }
  const page = await browser.newPage()
  page.on('request', (request) => addresses.push(request.url()))
  await page.goto(data.page)
  await page.getByRole('button', { name: 'Approve' }).click()
  await page.getByLabel('Reason').fill('the fall is real')
  await page.locator('form').getByRole('button', { name: 'Approve' }).click()
  await page.getByText('Your answer is kept in the audit log').waitFor()
  await page.goto('about:blank')
  await page.goto(data.page)
  await page.getByText('this link was used once already').waitFor()
  expect(addresses.filter((address) => address.split('#')[0]!.includes(token))).toEqual([])
  const metrics = await (await fetch(`${plumbline.url}/metrics`)).text()
  expect(metrics).toContain('plumbline_approval_links_total{outcome="answered"} 1')
  expect(metrics).toContain('plumbline_approval_links_total{outcome="used"} 1')
  await plumbline.stop()
  expect(plumbline.log()).not.toContain(token.split('.')[1])
  const db = await embeddedPostgres(join(dataDir, 'postgres'))
  const tables = [
    'runs',
    'approval_links',
    'alert_deliveries',
    'alert_incidents',
    'audit_log',
    'outbox',
  ]
  for (const table of tables) {
    const rows = await db.query(`select t::text as row from ${table} t`)
    expect([table, JSON.stringify(rows).includes(token.split('.')[1]!)]).toEqual([table, false])
  }
  const [run] = await db.query<{ approvals: string[] }>(
    'select approvals from runs where run_id = $1',
    [id],
  )
  expect(run!.approvals).toEqual(['ann'])
  await db.close()
})

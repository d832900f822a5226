/** The pages in a real Chromium. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium, photograph } from '../../chromium-page.ts'
import { temporaryDirectory } from '../../harness.ts'
import { ask, post, prediction, startTarget, until, type Running } from '../../servers/processes.ts'

const directory = temporaryDirectory()
const hashOf = (key: string) => createHash('sha256').update(key).digest('hex')
let plumbline: Running
let browser: Browser
let page: Page
const complaints: string[] = []

beforeAll(async () => {
  mkdirSync(join(directory, 'models'))
  writeFileSync(
    join(directory, 'models/m.yaml'),
    'model_id: m\ntask: binary\nwindows: { size: 1h, lateness: 15m, min_count: 50 }\nreferences: { baseline: { kind: first, windows: 1, baseline: true } }\nreview: { budget_per_day: 2400 }\nretrain:\n  - { name: p, when: "any(drift.psi, alarm)", approval: one, launch: { kind: command, command: ["true"] } }\n',
  )
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_ALLOW_COMMANDS: 'on',
    PLUMBLINE_MODELS_DIR: join(directory, 'models'),
    PLUMBLINE_DRIFT_SCAN_SECONDS: '1',
  })
  const events = (hour: number, shift: number) =>
    Array.from({ length: 100 }, (_, i) =>
      prediction(hour * 100 + i, {
        model_id: 'm',
        predicted_at: new Date(Date.UTC(2026, 0, 1, hour) + i * 30_000).toISOString(),
        features: { x: (i % 50) / 50 + shift, '<b>y</b>': i },
      }),
    )
  await post(`${plumbline.url}/v1/predictions`, [
    ...events(0, 0),
    ...events(1, 0),
    ...events(2, 1),
    ...events(5, 0),
  ])
  await until(
    'windows are evaluated',
    async () =>
      (await ask(plumbline.clickhouseUrl, `SELECT 1 FROM verdicts WHERE verdict = 'alarm'`))
        .length > 0,
  )
  browser = await launchChromium()
  page = await browser.newPage({ viewport: { width: 1200, height: 900 } })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
})
afterAll(async () => {
  await browser?.close()
  await plumbline?.stop()
})

test('the overview lists the model with what it stands at, and links to it', async () => {
  await page.goto(plumbline.url)
  await page.getByRole('link', { name: 'm', exact: true }).waitFor()
  expect(await page.locator('tbody tr').first().innerText()).toContain('binary')
  await page.getByRole('link', { name: 'm', exact: true }).click()
  await page.getByRole('heading', { name: 'm', exact: true }).waitFor()
})

test('a model page lists what moved first, and opens a feature beside its baseline', async () => {
  await page.goto(`${plumbline.url}/models/m?tab=drift`)
  await page.locator('.standing .badge.alarm').waitFor()
  const features = page.locator('table.features tbody tr')
  await features.first().waitFor()
  // Names from events are text, never markup.
  await page.locator('table.features').getByRole('button', { name: '<b>y</b>' }).waitFor()
  expect(await page.locator('main b b, main td b').count()).toBe(0)
  await page.getByLabel('Find a feature').fill('x')
  await page.locator('table.features').getByRole('button', { name: 'x', exact: true }).click()
  const drawer = page.getByRole('dialog')
  await drawer.locator('.histogram').waitFor()
  expect(await drawer.locator('.histogram .now').count()).toBeGreaterThan(1)
  await drawer.locator('canvas').waitFor()
  expect(page.url()).toContain('feature=x')
  await page.keyboard.press('Escape')
  await drawer.waitFor({ state: 'detached' })
  expect(page.url()).toContain('search=x')
  await page.goBack()
  await drawer.waitFor()
})

test('a distribution holds every event of the window and of the baseline', async () => {
  const query = 'subject=x&from=2026-01-01T02:00:00Z&to=2026-01-01T03:00:00Z'
  const answer = await fetch(`${plumbline.url}/v1/models/m/distributions?${query}`)
  const { bars, ...rest } = (await answer.json()) as {
    bars: { current: number; reference: number }[]
  }
  expect(rest).toMatchObject({ kind: 'numeric', n_current: 100, missing: { current: 0 } })
  for (const side of ['current', 'reference'] as const)
    expect(bars.reduce((sum, bar) => sum + bar[side], 0)).toBeCloseTo(1, 9)
})

test('a model page lists an active alarm until somebody snoozes it, and then apart', async () => {
  const alarm = `SELECT verdict_id FROM active_alarms WHERE metric = 'psi' AND subject = 'x' AND severity = 'alarm'`
  await until(
    'an alarm is active',
    async () => (await ask(plumbline.clickhouseUrl, alarm)).length > 0,
  )
  await page.goto(`${plumbline.url}/models/m`)
  await page.locator('#active').getByText('Population stability').first().waitFor()
  expect(await page.locator('#snoozed').count()).toBe(0)
  const [row] = await ask(plumbline.clickhouseUrl, alarm)
  const answer = await fetch(
    `${plumbline.url}/v1/verdicts/${encodeURIComponent(String(row!['verdict_id']))}/snooze`,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ actor: 'ann', until: new Date(Date.now() + 3_600_000).toISOString() }),
    },
  )
  expect(answer.status, await answer.text()).toBe(201)
  await page.reload()
  await page.locator('#snoozed').getByText('Population stability').first().waitFor()
  expect(await page.locator('#active').getByText('Population stability').count()).toBe(0)
})

test('an alarm is dismissed with a reason, and is active no more', async () => {
  await page.goto(`${plumbline.url}/models/m`)
  const alarms = page.getByRole('region', { name: /Active alarms/ })
  const first = alarms.locator('li').first()
  await first.waitFor()
  const before = await alarms.locator('li').count()
  await first.getByRole('button', { name: 'Dismiss' }).click()
  await first.getByLabel('Reason').fill('a test of the pages')
  await first.getByLabel('Your name').fill('ann')
  await first.locator('form').getByRole('button', { name: 'Dismiss' }).click()
  await until('the alarm has gone', async () => (await alarms.locator('li').count()) < before)
  const [said] = await ask(
    plumbline.clickhouseUrl,
    `SELECT decision, actor, comment FROM verdict_decisions WHERE decision = 'dismiss'`,
  )
  expect(said).toEqual({
    decision: 'dismiss',
    actor: 'claimed:ann',
    comment: 'a test of the pages',
  })
})

test('a run that needs a person is approved on the page', async () => {
  await page.goto(`${plumbline.url}/runs?state=waiting`)
  await page.getByRole('button', { name: 'p', exact: true }).first().click()
  const run = page.getByRole('dialog')
  // The evidence is there before anything can be done.
  await run.getByRole('heading', { name: 'What it rests on' }).waitFor()
  await run.getByText('Population stability').first().waitFor()
  await run.getByRole('button', { name: 'Approve' }).click()
  await run.getByLabel('Reason').fill('the evidence holds')
  await run.getByLabel('Your name').fill('ann')
  await run.locator('form').getByRole('button', { name: 'Approve' }).click()
  await run.getByText('Kept in the audit log.').waitFor()
  await run.getByText('by ann (claimed)').first().waitFor()
  await until(
    'the run is launched',
    async () =>
      (await ask(plumbline.clickhouseUrl, `SELECT 1 FROM retrain_runs WHERE state = 'succeeded'`))
        .length > 0,
  )
})

test('a reviewer gives a name, answers by key, and does not see what the model said', async () => {
  await until(
    'tasks are drawn',
    async () =>
      ((await (await fetch(`${plumbline.url}/v1/reviews/stats`)).json()) as { models: unknown[] })
        .models.length > 0,
  )
  await page.goto(`${plumbline.url}/review`)
  await page.getByLabel('Your name').fill('ann')
  await page.getByRole('button', { name: 'Begin' }).click()
  await page.locator('#answers').waitFor()
  expect(await page.locator('main').innerText()).not.toMatch(/score|prediction:/)
  await page.keyboard.press('1')
  await until(
    'the answer is a label',
    async () =>
      (
        await ask(
          plumbline.clickhouseUrl,
          `SELECT label FROM outcomes WHERE source = 'human_review'`,
        )
      )[0]?.['label'] === '1',
  )
})

test('the page of the API lists every operation, sends one that is tried, and asks no other host', async () => {
  const others: string[] = []
  const note = (request: { url: () => string }) => {
    if (!request.url().startsWith(plumbline.url) && !request.url().startsWith('data:'))
      others.push(request.url())
  }
  page.on('request', note)
  await page.goto(`${plumbline.url}/docs`)
  const { paths } = (await (await fetch(`${plumbline.url}/docs/json`)).json()) as {
    paths: Record<string, object>
  }
  const operations = Object.values(paths).flatMap((methods) => Object.keys(methods))
  await until(
    'every operation is listed',
    async () => (await page.locator('.opblock').count()) === operations.length,
  )
  const stats = page.locator('.opblock', { hasText: '/v1/reviews/stats' })
  await stats.locator('.opblock-summary-control').click()
  await stats.getByText('Needs the scope').waitFor()
  await stats.getByRole('button', { name: 'Try it out' }).click()
  await stats.getByRole('button', { name: 'Execute' }).click()
  await stats.locator('.live-responses-table').getByText('"models"').waitFor()
  await photograph(page, 'docs')
  page.off('request', note)
  expect(others).toEqual([])
})

test('with keys: a page asks for one, keeps it from scripts, and the key says who approves', async () => {
  const key = randomBytes(32).toString('base64url')
  const file = join(directory, 'keys.json')
  const asking = randomBytes(32).toString('base64url')
  writeFileSync(
    file,
    JSON.stringify({
      keys: [
        { id: 'ann', sha256: hashOf(key), scopes: ['read', 'operate'] },
        { id: 'carl', sha256: hashOf(asking), scopes: ['read', 'operate'] },
        { id: 'root', sha256: hashOf('of the admin'), grants: ['admin'] },
      ],
    }),
  )
  const guarded = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(directory, 'guarded'),
    PLUMBLINE_MODELS_DIR: join(directory, 'models'),
    PLUMBLINE_AUTH_FILE: file,
  })
  try {
    const asked = await post(
      `${guarded.url}/v1/runs`,
      { model_id: 'm', policy: 'p', reason: 'please' },
      { authorization: `Bearer ${asking}` },
    )
    expect(asked.status).toBe(201)
    const { run_id } = (await asked.json()) as { run_id: string }
    const approve = (headers: Record<string, string>, actor: string) =>
      post(`${guarded.url}/v1/runs/${run_id}/approve`, { actor, message: 'seen' }, headers)
    expect((await approve({ authorization: `Bearer ${key}` }, 'bob')).status).toBe(403)
    const context = await browser.newContext({ viewport: { width: 1200, height: 900 } })
    const guardedPage = await context.newPage()
    guardedPage.on('pageerror', (error) => complaints.push(error.message))
    guardedPage.on('console', (message) => {
      // The browser tells of each 401, which is how a page learns that a key is needed.
      if (message.type() === 'error' && !message.text().includes('401'))
        complaints.push(message.text())
    })
    await guardedPage.goto(`${guarded.url}/runs`)
    await guardedPage.getByLabel('API key').fill('wrong')
    await guardedPage.getByRole('button', { name: 'Sign in' }).click()
    await guardedPage.getByText('this key is not known').waitFor()
    await photograph(guardedPage, 'login')
    await guardedPage.getByLabel('API key').fill(key)
    await guardedPage.getByRole('button', { name: 'Sign in' }).click()
    await guardedPage.getByRole('button', { name: 'Sign out' }).waitFor()
    const kept = await guardedPage.evaluate('document.cookie + JSON.stringify(localStorage)')
    expect(kept).toBe('{}')
    const [cookie] = await context.cookies()
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' })
    const byCookie = { cookie: `${cookie!.name}=${cookie!.value}` }
    expect((await approve(byCookie, 'ann')).status).toBe(403)
    expect(
      (await approve({ ...byCookie, 'x-plumbline-page': '1', origin: 'http://evil' }, 'ann'))
        .status,
    ).toBe(403)
    await photograph(guardedPage, 'runs')
    await guardedPage.getByRole('button', { name: 'p', exact: true }).click()
    const drawer = guardedPage.getByRole('dialog')
    await drawer.getByRole('button', { name: 'Approve' }).click()
    await drawer.getByLabel('Reason').fill('looks right')
    // The key says who approves.
    expect(await drawer.getByLabel('Your name').count()).toBe(0)
    await drawer.locator('form').getByRole('button', { name: 'Approve' }).click()
    await drawer.getByText('Kept in the audit log.').waitFor()
    const run = (await (
      await fetch(`${guarded.url}/v1/runs/${run_id}`, { headers: byCookie })
    ).json()) as { approvals: string[] }
    expect(run.approvals).toEqual(['ann'])
    await guardedPage.keyboard.press('Escape')
    await drawer.waitFor({ state: 'detached' })
    await guardedPage.getByRole('button', { name: 'Sign out' }).click()
    await guardedPage.getByLabel('API key').waitFor()
    expect((await fetch(`${guarded.url}/v1/runs`, { headers: byCookie })).status).toBe(401)
    await context.close()
    await adminMakesKeys(guarded)
  } finally {
    await guarded.stop()
  }
})

/** An admin makes a key on the page, sees it once, rotates it, and revokes it. */
async function adminMakesKeys({ url }: Running): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 } })
  const keys = await context.newPage()
  keys.on('pageerror', (error) => complaints.push(error.message))
  const statusOf = async (secret: string) =>
    (await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${secret}` } })).status
  const secretShown = async () => {
    const dialog = keys.getByRole('dialog', { name: 'The key of bob' })
    const secret = await dialog.getByLabel('The new key').inputValue()
    await dialog.getByRole('button', { name: 'Done' }).click()
    await dialog.waitFor({ state: 'detached' })
    expect(await keys.content()).not.toContain(secret)
    return secret
  }
  await keys.goto(url)
  await keys.getByLabel('API key').fill('of the admin')
  await keys.getByRole('button', { name: 'Sign in' }).click()
  await keys.getByRole('link', { name: 'Keys' }).click()
  await keys.getByRole('button', { name: 'New key' }).click()
  await keys.getByLabel('For whom').fill('bob')
  await keys.getByLabel('With').selectOption('model')
  await keys.getByLabel('Its name').fill('m')
  await keys.getByRole('button', { name: 'Make the key' }).click()
  const first = await secretShown()
  const name = first.split('_')[1]!
  await keys.getByRole('row', { name: name }).getByText('analyst@model:m').waitFor()
  await until('the key is taken', async () => (await statusOf(first)) === 200)
  await keys.getByRole('button', { name: `Rotate ${name}` }).click()
  await keys.getByRole('button', { name: 'Make the next key' }).click()
  const next = await secretShown()
  await until('the next one is taken', async () => (await statusOf(next)) === 200)
  expect(await statusOf(first)).toBe(200)
  await keys.getByRole('button', { name: `Revoke ${name}` }).click()
  await keys.getByRole('button', { name: 'Revoke it' }).click()
  await keys.getByRole('button', { name: `Rotate ${name}` }).waitFor({ state: 'detached' })
  await until('the first is refused', async () => (await statusOf(first)) === 401)
  expect(await statusOf(next)).toBe(200)
  await context.close()
}

test('every page and answer carries the security headers', async () => {
  for (const path of [
    '/',
    '/models/m',
    '/review',
    '/runs',
    '/audit',
    '/data',
    '/models/m/settings',
    '/models/m/policy',
    '/datasets',
    '/keys',
    '/delegations',
    '/docs',
    '/docs/json',
    '/docs/static/swagger-ui-bundle.js',
    '/console/parts/page.js',
    '/console/vendor/preact.js',
    '/console/vendor/uplot.js',
    '/console/vendor/uplot.css',
    '/v1/models',
    '/v1/no',
  ]) {
    const { headers } = await fetch(`${plumbline.url}${path}`)
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(headers.get('content-security-policy')).not.toContain('unsafe')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('cache-control'), path).toBe('no-store')
  }
})

test('of the pages their modules and style sheets are served, and nothing else of their folder', async () => {
  const statusOf = async (path: string) => (await fetch(`${plumbline.url}${path}`)).status
  for (const path of ['/console/runs/runs.js', '/console/parts/tokens.css'])
    expect(await statusOf(path), path).toBe(200)
  for (const path of [
    '/console/tsconfig.json',
    '/console/',
    '/console/parts',
    '/console/parts/',
    '/console/none/none.js',
    '/console/parts/..%2f..%2fpackage.json',
    '/console/..%2flib%2fhttp%2fserver.ts',
    '/console/parts/%2e%2e/tsconfig.json',
  ])
    expect(await statusOf(path), path).toBe(404)
})

test('no page has complained', () => expect(complaints).toEqual([]))

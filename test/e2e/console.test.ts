/** The pages in a real Chromium. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  ask,
  post,
  prediction,
  startTarget,
  temporaryDirectory,
  until,
  type Running,
} from '../harness.ts'

const CHROMIUM = '/usr/bin/chromium'
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const directory = temporaryDirectory()
let plumbline: Running
let browser: Browser
let page: Page
const complaints: string[] = []

beforeAll(async () => {
  if (!existsSync(CHROMIUM))
    throw new Error('Chromium is not installed (Debian: apt-get install chromium)')
  mkdirSync(join(directory, 'models'))
  writeFileSync(
    join(directory, 'models/m.yaml'),
    'model_id: m\ntask: binary\nwindows: { size: 1h, lateness: 15m, min_count: 50 }\nreview: { budget_per_day: 2400 }\nretrain:\n  - { name: p, when: "any(drift.psi, alarm)", approval: one, launch: { kind: command, command: ["true"] } }\n',
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
    'windows are judged',
    async () =>
      (await ask(plumbline.clickhouseUrl, `SELECT 1 FROM verdicts WHERE verdict = 'alarm'`))
        .length > 0,
  )
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS })
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

test('a model page charts every metric and tells why its last window stands as it does', async () => {
  await page.goto(`${plumbline.url}/models/m`)
  await page.locator('figure').first().waitFor()
  expect(await page.locator('figure svg polyline').count()).toBeGreaterThan(4)
  // Names from events are text, never markup.
  expect(await page.getByText('psi of <b>y</b>', { exact: true }).count()).toBe(1)
  expect(await page.locator('main b').count()).toBe(0)
})

test('a run that needs a person is approved on the page', async () => {
  await page.goto(`${plumbline.url}/runs`)
  page.once('dialog', (dialog) => void dialog.accept('ann'))
  await page
    .getByRole('button', { name: /Approve/ })
    .first()
    .click()
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
  await page.keyboard.press('2')
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

test('no page has complained', () => expect(complaints).toEqual([]))

/** Comparing, slices and fairness in Chromium: on the real engine, and in states that data seldom has. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  answerWith,
  faultsOf,
  isWithinPage,
  launchChromium,
  LOOKS,
  openPage,
  photograph,
} from '../chromium-page.ts'
import { temporaryDirectory } from '../harness.ts'
import {
  BESIDE,
  CANARY,
  COHORTS,
  FAIRNESS,
  MODEL,
  windowsOf,
} from '../planted-comparison.ts'
import { ask, post, prediction, startTarget, until, type Running } from '../processes.ts'

const directory = temporaryDirectory()
let plumbline: Running
let browser: Browser
let page: Page
let complaints: string[] = []

beforeAll(async () => {
  const models = join(directory, 'models')
  mkdirSync(models)
  writeFileSync(
    join(models, 'm.yaml'),
    'model_id: team/m\ntask: binary\nwindows: { size: 1h, lateness: 15m, min_count: 30 }\nslices: [region]\nfairness: { favorable: "1", attributes: { sex: { privileged: "1" } } }\nreferences: { baseline: { kind: first, windows: 1, baseline: true } }\n',
  )
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_MODELS_DIR: models,
    PLUMBLINE_DRIFT_SCAN_SECONDS: '1',
  })
  const events = (hour: number, shift: number) =>
    Array.from({ length: 100 }, (_, i) =>
      prediction(hour * 100 + i, {
        model_id: 'team/m',
        model_version: i % 2 === 0 ? '7' : '8',
        predicted_at: new Date(Date.UTC(2026, 0, 1, hour) + i * 30_000).toISOString(),
        features: { x: (i % 50) / 50 + shift, '<b>y</b>': i, ...(i % 2 && { late: i }) },
        attributes: { region: i % 3 === 0 ? '<i>north' : 'south', sex: String(1 + (i % 2)) },
      }),
    )
  const hours = [events(0, 0), events(1, 1), events(3, 0)]
  await post(`${plumbline.url}/v1/predictions`, hours.flat())
  await until(
    'cohorts of the second window are evaluated',
    async () =>
      (
        await ask(
          plumbline.clickhouseUrl,
          `SELECT 1 FROM window_revisions WHERE slice_key = 'region' AND window_end = '2026-01-01 02:00:00.000'`,
        )
      ).length > 1,
  )
  browser = await launchChromium()
})
afterAll(async () => {
  await browser?.close()
  await plumbline?.stop()
})
beforeEach(async () => {
  await page?.context().close()
  page = await opened({})
})

async function opened(options: { width?: number; dark?: boolean }): Promise<Page> {
  complaints = []
  return openPage(browser, complaints, options)
}
const answered = (path: string, body: unknown, status = 200) => answerWith(page, path, body, status)
const faults = () => faultsOf(page)
const isWithin = () => isWithinPage(page)

/** A model with cohorts, groups and a canary; `more` goes in place of what is planted. */
async function busy(
  more: { beside?: object; cohorts?: object; fairness?: object[]; model?: object } = {},
): Promise<void> {
  const path = '/v1/models/credit'
  await answered(path, { ...MODEL, ...more.model })
  await answered(`${path}/side-by-side`, { ...BESIDE, ...more.beside })
  await answered(`${path}/cohorts`, { ...COHORTS, ...more.cohorts })
  await answered(`${path}/canary`, CANARY)
  await page.route(
    (url) => url.pathname === `${path}/windows`,
    (route) => {
      const asked = new URL(route.request().url()).searchParams
      const family = asked.get('family') ?? 'performance'
      const metric = asked.get('metric') ?? 'accuracy'
      const metrics =
        family === 'fairness' ? (more.fairness ?? FAIRNESS) : windowsOf(family, metric)
      return route.fulfill({ json: { model_id: 'credit', metrics } })
    },
  )
}

/** Each page as it is with data, and what says that it is whole. */
const VIEWS = [
  ['compare', '/compare', 'Every number'],
  ['canary', '/compare?tab=canary', 'A candidate beside the champion'],
  ['slices', '/slices', 'Intersections'],
  ['fairness', '/slices?tab=fairness', 'Rates of each group'],
] as const
const seen = (name: string) => page.getByRole('heading', { name, exact: false }).first().waitFor()
const open = async (path: string, heading: string) => {
  await page.goto(`${plumbline.url}/models/credit${path}`)
  await seen(heading)
  await page.waitForLoadState('networkidle')
}

for (const [name, options] of LOOKS)
  test(`axe finds nothing, and nothing lies beside the page: ${name}`, async () => {
    await page.context().close()
    page = await opened(options)
    await busy()
    for (const [view, path, heading] of VIEWS) {
      await open(path, heading)
      await photograph(page, `${view}-${name}`, true)
      expect(await faults(), view).toEqual([])
      expect(await isWithin(), view).toBe(true)
    }
    await open('/compare?subject=amount', 'amount')
    await photograph(page, `compare-feature-${name}`)
    expect(await faults()).toEqual([])
    await open(`/slices?cohort=${encodeURIComponent('["","","region","north"]')}`, 'region = north')
    await photograph(page, `slices-cohort-${name}`)
    expect(await faults()).toEqual([])
    expect(await isWithin()).toBe(true)
    expect(complaints).toEqual([])
  })

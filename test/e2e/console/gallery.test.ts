/** The overview and the page of a model with the data of a team, in each look. */
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import {
  answerWith,
  faultsOf,
  inChromium,
  isWithinPage,
  LOOKS,
  photograph,
} from '../../chromium-page.ts'
import { temporaryDirectory } from '../../harness.ts'
import { startTarget, type Running } from '../../servers/processes.ts'
import {
  ABOUT,
  ALARMS,
  DISTRIBUTION,
  driftOf,
  FEATURES,
  MODELS,
  windowsOf,
} from './planted-models.ts'
import { RUNS } from './planted-runs.ts'

const directory = temporaryDirectory()
let plumbline: Running
let page: Page
let complaints: string[] = []

const reopen = inChromium({
  start: () => startTarget('all', { PLUMBLINE_DATA_DIR: join(directory, 'data') }),
  take: (now) => ({ plumbline, page, complaints } = now),
})

async function busy(): Promise<void> {
  const own = '/v1/models/credit'
  await answerWith(page, '/v1/models', { models: MODELS })
  await answerWith(page, own, ABOUT)
  await answerWith(page, `${own}/features`, FEATURES)
  await answerWith(page, `${own}/distributions`, DISTRIBUTION)
  await answerWith(page, `${own}/examples`, { model_id: 'credit', examples: [] })
  await answerWith(page, '/v1/runs', { runs: RUNS.slice(0, 4) })
  await page.route(
    (url) => url.pathname === '/v1/alarms',
    (route) => {
      const model = new URL(route.request().url()).searchParams.get('model_id')
      const alarms = ALARMS.filter((one) => model === null || one.model_id === model)
      return route.fulfill({ json: { alarms } })
    },
  )
  await page.route(
    (url) => url.pathname === `${own}/windows`,
    (route) => {
      const asked = new URL(route.request().url()).searchParams
      const metric = asked.get('metric')?.split(',')[0]
      const subject = asked.get('subject') ?? ''
      const own =
        asked.get('family') === 'drift' ? [] : windowsOf('performance', metric ?? 'accuracy')
      const metrics = subject === '' ? own : driftOf(subject, metric)
      return route.fulfill({
        json: { model_id: 'credit', metrics: asked.get('newest') ? metrics.slice(-1) : metrics },
      })
    },
  )
}

for (const [name, look] of LOOKS)
  test(`a team's models, one model and one feature: ${name}`, async () => {
    await reopen(look)
    await busy()
    const seen = async (picture: string, isWhole = false) => {
      expect(await faultsOf(page), picture).toEqual([])
      expect(await isWithinPage(page), picture).toBe(true)
      await photograph(page, `${picture}-${name}`, isWhole)
    }
    await page.goto(plumbline.url)
    await page.getByRole('link', { name: 'demand-forecast', exact: true }).waitFor()
    await page.getByText('Latest runs').waitFor()
    await seen('overview')
    await page.goto(`${plumbline.url}/models/credit?tab=drift`)
    await page.locator('.headline canvas').waitFor()
    await page.locator('table.features tbody tr').first().waitFor()
    await seen('model')
    await page.getByRole('button', { name: 'amount', exact: true }).click()
    await page.getByRole('dialog').locator('canvas').waitFor()
    await page.getByRole('dialog').locator('.histogram').waitFor()
    await seen('feature')
    expect(complaints).toEqual([])
  })

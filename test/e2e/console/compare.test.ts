/** Comparing, slices and fairness in Chromium: on the real engine, and in states that data seldom has. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import {
  answerWith,
  faultsOf,
  HOSTILE,
  isWithinPage,
  inChromium,
  LOOKS,
  photograph,
} from '../../chromium-page.ts'
import { temporaryDirectory } from '../../harness.ts'
import {
  BESIDE,
  CANARY,
  cohort,
  COHORTS,
  FAIRNESS,
  featureBeside,
  MODEL,
  windowsOf,
} from '../../planted/planted-comparison.ts'
import { ask, post, prediction, startTarget, until, type Running } from '../../servers/processes.ts'

const directory = temporaryDirectory()
let plumbline: Running
let page: Page
let complaints: string[] = []

const reopen = inChromium({
  start: () => {
    const models = join(directory, 'models')
    mkdirSync(models)
    writeFileSync(
      join(models, 'm.yaml'),
      'model_id: team/m\ntask: binary\nwindows: { size: 1h, lateness: 15m, min_count: 30 }\nslices: [region]\nfairness: { favorable: "1", attributes: { sex: { privileged: "1" } } }\nreferences: { baseline: { kind: first, windows: 1, baseline: true } }\n',
    )
    return startTarget('all', {
      PLUMBLINE_DATA_DIR: join(directory, 'data'),
      PLUMBLINE_MODELS_DIR: models,
      PLUMBLINE_DRIFT_SCAN_SECONDS: '1',
    })
  },
  fill: async (plumbline) => {
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
  },
  take: (now) => ({ plumbline, page, complaints } = now),
})
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
    await reopen(options)
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

test('without any window each page says what is missing', async () => {
  await busy({
    model: { references: [] },
    cohorts: { window_start: null, window_end: null, windows: [], cohorts: [], metrics: [] },
  })
  await answered('/v1/models/credit/windows', { model_id: 'credit', metrics: [] })
  for (const [path, said] of [
    ['/compare', 'No window has closed yet'],
    ['/compare?tab=canary', 'Name a champion and a candidate'],
    ['/slices', 'No window has closed yet'],
  ] as const) {
    await page.goto(`${plumbline.url}/models/credit${path}`)
    await page.getByText(said).waitFor()
    expect(await faults(), path).toEqual([])
  }
  await page.unrouteAll()
  await busy({ fairness: [] })
  await page.goto(`${plumbline.url}/models/credit/slices?tab=fairness`)
  await page.getByText('No group is evaluated in this window').waitFor()
  expect(complaints).toEqual([])
})

test('a refusal and a failure are said where they happen, and asked again', async () => {
  await busy()
  await answered('/v1/models/credit/side-by-side', { detail: 'this key lacks the scope read' }, 403)
  await page.goto(`${plumbline.url}/models/credit/compare`)
  await page.getByText('this key lacks the scope read').waitFor()
  // What may be picked is there.
  await page.getByRole('group', { name: 'B' }).getByLabel('When').waitFor()
  await answered('/v1/models/credit/side-by-side', BESIDE)
  await page.getByRole('button', { name: 'Try again' }).click()
  await seen('Every number')
  await answered('/v1/models/credit/cohorts', { detail: 'the store does not answer' }, 503)
  for (const path of ['compare', 'slices']) {
    await page.goto(`${plumbline.url}/models/credit/${path}`)
    await page.getByText('the store does not answer').waitFor()
  }
  expect(complaints).toEqual([])
})

test('what was known at a time is told by both pages, and kept on the way between them', async () => {
  await busy()
  const asked: URL[] = []
  page.on('request', (request) => asked.push(new URL(request.url())))
  const askedOf = (name: string) =>
    asked
      .filter(({ pathname }) => pathname.endsWith(name))
      .map(({ searchParams }) => searchParams.get('as_of'))
  const at = '2026-01-03T00:00:00.000Z'
  await open(
    `/slices?as_of=${at}&cohort=${encodeURIComponent('["","","region","north"]')}`,
    'region',
  )
  await page.getByText('As known at 2026-01-03 UTC.').waitFor()
  for (const name of ['/cohorts', '/windows']) expect(new Set(askedOf(name))).toEqual(new Set([at]))
  expect(await faults()).toEqual([])
  await photograph(page, 'slices-past')
  await page.getByRole('link', { name: 'Compare it with its baseline' }).click()
  await seen('Every number')
  await page.getByText('As known at 2026-01-03 UTC.').waitFor()
  expect(new Set(askedOf('/side-by-side'))).toEqual(new Set([at]))
  expect(await faults()).toEqual([])
  await photograph(page, 'compare-past')
  await page.getByRole('button', { name: 'Back to now' }).click()
  await page.getByRole('button', { name: 'What was known at a time' }).waitFor()
  await page.waitForLoadState('networkidle')
  expect(askedOf('/side-by-side').at(-1)).toBeNull()
  expect(complaints).toEqual([])
})

test('what is slow shows that it comes', async () => {
  await busy()
  await page.route('**/v1/models/credit/cohorts*', () => {})
  await page.goto(`${plumbline.url}/models/credit/slices`)
  await page.getByRole('status').getByText('Loading').first().waitFor({ state: 'attached' })
  expect(await faults()).toEqual([])
})

test('names are text, whatever they are, and none is wider than the page', async () => {
  for (const hostile of HOSTILE) {
    await busy({
      beside: { features: [featureBeside(hostile, 1, 3)] },
      cohorts: {
        cohorts: [cohort('', '', 900), cohort(hostile, hostile, 900, 0.2)],
        searched: {
          ...COHORTS.searched,
          reason: hostile,
          worst: [{ ...COHORTS.searched.worst[0]!, name: hostile, reason: hostile }],
        },
      },
      fairness: FAIRNESS.map((row) => ({ ...row, subject: `${hostile}=${hostile}` })),
      model: { references: [{ name: hostile, kind: 'fixed', baseline: true }] },
    })
    for (const [, path, heading] of VIEWS) {
      await open(path, path === '/slices' ? 'Cohorts by metric' : heading)
      expect(await page.locator('main img, main td td').count()).toBe(0)
      expect(await isWithin(), path).toBe(true)
    }
    await page.unrouteAll()
  }
  expect(complaints).toEqual([])
})

test('the sides stay in the address: a choice, a click on the chart, back', async () => {
  await busy()
  await open('/compare', 'Every number')
  await page.getByRole('group', { name: 'B' }).getByLabel('Version').selectOption('8')
  await page.waitForURL(/b_version=8/)
  expect(page.url()).toContain('a_reference=baseline')
  await page.getByText('version 8, beside A').waitFor()
  await page.getByRole('button', { name: 'sets A' }).click()
  const plot = page.locator('.timeline .u-over')
  const { width } = (await plot.boundingBox())!
  await plot.hover({ position: { x: width * 0.3, y: 40 } })
  await page.mouse.down()
  await plot.hover({ position: { x: width * 0.4, y: 50 } })
  await plot.hover({ position: { x: width * 0.5, y: 60 } })
  await page.mouse.up()
  await page.waitForURL((url) => url.searchParams.get('a')?.includes('/') === true)
  expect(new URL(page.url()).searchParams.get('a_reference')).toBeNull()
  await page.goBack()
  await page.waitForURL(/a_reference=baseline/)
  await page.getByLabel('Find a feature').fill('inc')
  expect(await page.locator('table.features tbody tr').count()).toBe(1)
  expect(complaints).toEqual([])
})

test('the keyboard opens a cohort, and leaves it', async () => {
  await busy()
  await open('/slices', 'Cohorts by metric')
  const cell = page.getByRole('button', { name: /Accuracy of region = north/ })
  await cell.focus()
  await page.keyboard.press('Enter')
  const drawer = page.getByRole('dialog')
  await drawer.locator('canvas').waitFor()
  await page.keyboard.press('Escape')
  await drawer.waitFor({ state: 'detached' })
  // What rests on too little is said, and has no colour of its own.
  const few = page.getByRole('button', { name: /Accuracy of region = islands/ })
  expect(await few.innerText()).toContain('too few')
  expect(await few.getAttribute('class')).toBe('too_few')
  await page.getByRole('button', { name: /^Worse/ }).click()
  expect(await few.count()).toBe(0)
  expect(complaints).toEqual([])
})

test('on the real engine: from the model to its sides, its numbers by others, its cohorts', async () => {
  await page.goto(`${plumbline.url}/models/team%2Fm`)
  await page.getByRole('link', { name: 'Compare' }).click()
  await seen('Every number')
  const spans =
    'a=2026-01-01T00:00:00Z/2026-01-01T01:00:00Z&b=2026-01-01T01:00:00Z/2026-01-01T02:00:00Z'
  await page.goto(
    `${plumbline.url}/models/team%2Fm/compare?${spans}&b_version=8&b_slice=region:south`,
  )
  await page
    .getByText('B, 2026-01-01 01:00 to 2026-01-01 02:00, version 8, region = south')
    .waitFor()
  const features = page.locator('table.features tbody tr')
  await features.first().waitFor()
  await page.getByRole('button', { name: '<b>y</b>' }).click()
  await page.getByRole('dialog').locator('.histogram').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Evidently' }).click()
  await page.getByText('would be called drifted').waitFor()
  expect(page.url()).toContain('numbers=evidently')
  await page.goto(`${plumbline.url}/models/team%2Fm/slices?to=2026-01-01T02:00:00Z`)
  await page.getByRole('button', { name: /Failed predictions of region = <i>north/ }).click()
  await page.getByRole('dialog').locator('canvas').waitFor()
  await page.getByRole('link', { name: 'Compare it with its baseline' }).click()
  await seen('Every number')
  expect(page.url()).toContain('a_slice=region')
  expect(complaints).toEqual([])
})

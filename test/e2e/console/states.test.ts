/**
 * The pages in states that data seldom has: none, very much, hostile names, an API that fails;
 * narrow, dark, and by axe.
 */
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
import { startTarget, type Running } from '../../servers/processes.ts'

const directory = temporaryDirectory()
let plumbline: Running
let page: Page
let complaints: string[] = []

const reopen = inChromium({
  start: () => startTarget('all', { PLUMBLINE_DATA_DIR: join(directory, 'data') }),
  take: (now) => ({ plumbline, page, complaints } = now),
})

const answered = (path: string, body: unknown, status = 200) => answerWith(page, path, body, status)

const END = new Date(Math.floor(Date.now() / 86_400_000) * 86_400_000)
const dayBefore = (n: number) => new Date(END.getTime() - n * 86_400_000).toISOString()

const summary = (model_id: string, i: number) => ({
  model_id,
  task: i % 3 === 0 ? 'regression' : 'binary',
  windows: '40',
  last_window_end: dayBefore(i % 9),
  alarms: i % 10 === 0 ? '2' : '0',
  warnings: i % 7 === 0 ? '1' : '0',
  incomplete: '0',
  health: i % 10 === 0 ? 'degraded' : i % 7 === 0 ? 'silent' : 'healthy',
  headline: i % 10 === 0 ? 'amount has drifted (PSI 3.2)' : 'all 12 evaluated metrics as usual',
})
const alarm = (model_id: string, subject: string, more: object = {}) => ({
  ...{ model_id, model_version: '', variant: '', slice_key: '', slice_value: '' },
  ...{ family: 'drift', metric: 'psi', subject, reference: 'baseline', severity: 'alarm' },
  ...{ value: 3.2, threshold: null, reason: 'location +3 standard deviations' },
  ...{ window_start: dayBefore(1), window_end: dayBefore(0), since: dayBefore(12) },
  ...{ verdict_id: `${model_id}/${subject}`, episode_id: 'e', snoozed_until: null },
  is_snoozed: false,
  ...more,
})
const ABOUT = {
  model_id: 'many',
  health: 'degraded',
  headline: 'accuracy is down from 0.83 to 0.6',
  task: 'binary',
  watermark: dayBefore(0),
  idle: false,
  windows: { size: '1d' },
  references: [{ name: 'baseline', kind: 'first', baseline: true }],
  label_horizon: { horizon_ms: 93_600_000, source: 'learned', says: 'Labels are waited for 26 h' },
  alarms: { episodes: 3, refuted: 1, weeks: 8, refuted_per_week: 0.125, budget_per_week: 0.25 },
  retrain: [],
}
const windowMetric = (i: number) => ({
  ...alarm('many', ''),
  ...{ family: 'performance', metric: 'accuracy', convention: 'plumbline', method: 'observed' },
  ...{ window_start: dayBefore(40 - i), window_end: dayBefore(39 - i), reference: 'baseline' },
  ...{ value: i < 28 ? 0.82 + (i % 5) / 200 : 0.6, ci_low: i < 28 ? 0.78 : 0.55, ci_level: 0.95 },
  ...{ ci_high: i < 28 ? 0.87 : 0.66, baseline_value: 0.83, precision: 'exact', p_adjusted: null },
  ...{ verdict: i > 37 ? 'incomplete' : i < 28 ? 'ok' : 'alarm', episode_id: i < 28 ? '' : 'e' },
  ...{ label_maturity: i > 36 ? 0.4 : 1, completeness: 0.998, n_current: '4000' },
  ...{ n_labelled: '3100', n_reference: '90000', revision: 2, subject: '', reason: '' },
})
const feature = (subject: string, i: number) => ({
  subject,
  verdict: i < 5 ? 'alarm' : i < 9 ? 'warning' : 'ok',
  metric: 'psi',
  reason: 'location moved',
  psi: 1 / (i + 1),
  ks: null,
  p_adjusted: i < 9 ? 0.0001 * i : 1,
  missing_ratio: 0.01,
  history: Array.from({ length: 30 }, (_, k) => Math.abs(Math.sin(k + i))),
})

const nowCast = (i: number) => ({
  ...windowMetric(i),
  ...{ metric: 'nowcast_accuracy', method: 'nowcast', reference: '', baseline_value: null },
  ...{ value: 0.71, ci_low: 0.65, ci_high: 0.77, verdict: 'none', episode_id: '' },
})

/** A model with many features, some of hostile names. */
async function manyFeatures(count = 1000): Promise<void> {
  const names = Array.from({ length: count }, (_, i) => HOSTILE[i] ?? `feature_${i}`)
  await answered('/v1/models/many', ABOUT)
  await answered('/v1/alarms', { alarms: names.slice(0, 8).map((name) => alarm('many', name)) })
  await answered('/v1/models/many/features', {
    model_id: 'many',
    window_start: dayBefore(1),
    window_end: dayBefore(0),
    ends: Array.from({ length: 30 }, (_, i) => dayBefore(29 - i)),
    features: names.map(feature),
  })
  // A mature window keeps its own number, and so does one in which a look has a verdict.
  const metrics = [
    ...Array.from({ length: 40 }, (_, i) => windowMetric(i)),
    ...[30, 37, 39].map((i) => nowCast(i)),
  ]
  await page.route(
    (url) => url.pathname === '/v1/models/many/windows',
    (route) => {
      const asked = new URL(route.request().url()).searchParams
      const own = asked.get('family') === 'performance' ? metrics : []
      return route.fulfill({
        json: { model_id: 'many', metrics: asked.get('newest') ? own.slice(37, 38) : own },
      })
    },
  )
}

async function manyModels(count = 1000): Promise<void> {
  const names = Array.from({ length: count }, (_, i) => HOSTILE[i] ?? `team/model-${i}`)
  await answered('/v1/models', { models: names.map(summary) })
  await answered('/v1/alarms', {
    alarms: names.filter((_, i) => i % 10 === 0).map((name) => alarm(name, 'amount')),
  })
}

const KEYS = HOSTILE.map((id, i) => ({
  key: i === 0 ? '0f3a4b5c8d7e' : `0f3a4b5c8d0${i}`,
  id,
  may: ['analyst', 'operator@team:risk'],
  created_at: dayBefore(40),
  expires_at: i === 1 ? null : dayBefore(i === 2 ? 1 : -50),
  has_ended: i === 2,
  last_used_at: i === 3 ? null : dayBefore(0),
}))

const faults = () => faultsOf(page)
const isWithin = () => isWithinPage(page)
const photographed = (name: string) => photograph(page, name)

test('without any data each page says what to do', async () => {
  await page.goto(plumbline.url)
  await page.getByText('No model has sent an event yet').waitFor()
  expect(await faults()).toEqual([])
  await page.goto(`${plumbline.url}/models/none`)
  await page.getByText('no model none is declared').waitFor()
  expect(await faults()).toEqual([])
  expect(complaints).toEqual([])
})

test('a thousand models are all there, and are narrowed by the address', async () => {
  await manyModels()
  await page.goto(plumbline.url)
  const rows = page.locator('table.models tbody tr')
  await rows.first().waitFor()
  expect(await rows.count()).toBe(1000)
  expect(await isWithin()).toBe(true)
  await photographed('overview')
  await page.getByRole('button', { name: 'Alarms 100' }).click()
  expect(await rows.count()).toBe(100)
  await page.getByLabel('Find a model').fill('model-99')
  expect(await rows.count()).toBe(1)
  expect(page.url()).toContain('state=alarm&search=model-99')
  await page.reload()
  await rows.first().waitFor()
  expect(await rows.count()).toBe(1)
  await page.goto(`${plumbline.url}/?search=%3Cimg`)
  await page.getByRole('link', { name: HOSTILE[0]! }).waitFor()
  expect(complaints).toEqual([])
})

test('a thousand features are one table, searched and sorted by the address', async () => {
  await manyFeatures()
  await page.goto(`${plumbline.url}/models/many?tab=drift`)
  const rows = page.locator('table.features tbody tr')
  await rows.first().waitFor()
  expect(await rows.count()).toBe(1000)
  // Small pictures are made of what is seen.
  expect(await page.locator('svg.spark').count()).toBeLessThan(100)
  expect(await page.locator('main img').count()).toBe(0)
  await page.getByRole('button', { name: 'Missing' }).click()
  expect(page.url()).toContain('sort=missing%3Adown')
  await page.getByLabel('Find a feature').fill('feature_77')
  expect(await rows.count()).toBe(11)
  expect(complaints).toEqual([])
})

test('before its labels are in a window shows what it will read, after that what it read', async () => {
  await manyFeatures(3)
  await page.goto(`${plumbline.url}/models/many`)
  await page.getByText('the newest now-cast at 0.71 (0.65 to 0.77)').waitFor()
  await page.getByText('labels within 26 h (learned)').waitFor()
  await page.getByText('The same as a table').first().click()
  const values = page.locator('.headline .as-table tbody tr td:nth-child(2)')
  const shown = await values.allInnerTexts()
  expect(shown).toHaveLength(40)
  expect(shown.filter((text) => text === '0.71')).toHaveLength(1)
  expect(shown[0]).toBe('0.71')
  expect(complaints).toEqual([])
})

test('dragging over a chart zooms all charts and stays in the address; back undoes it', async () => {
  await manyFeatures()
  await page.goto(`${plumbline.url}/models/many`)
  const plot = page.locator('.headline .u-over')
  await page.waitForLoadState('networkidle')
  const { width } = (await plot.boundingBox())!
  // Hovering waits until the plot lies still.
  await plot.hover({ position: { x: width * 0.3, y: 40 } })
  await page.mouse.down()
  await plot.hover({ position: { x: width * 0.5, y: 50 } })
  await plot.hover({ position: { x: width * 0.7, y: 60 } })
  await page.mouse.up()
  await page.waitForURL(/from=.*to=/)
  await page.goBack()
  await page.waitForURL((url) => !url.search.includes('from='))
  expect(complaints).toEqual([])
})

test('an API that fails, refuses or cannot be reached is said, and asked again', async () => {
  await answered('/v1/models', { detail: 'the store does not answer' }, 503)
  await page.goto(plumbline.url)
  await page.getByText('the store does not answer').waitFor()
  await page.unrouteAll()
  await page.getByRole('button', { name: 'Try again' }).first().click()
  await page.getByText('No model has sent an event yet').waitFor()
  await page.route('**/v1/models/gone', (route) => route.abort())
  await page.goto(`${plumbline.url}/models/gone`)
  await page.getByText('cannot be reached').waitFor()
  await manyFeatures()
  await answered('/v1/models/many/features', { detail: 'this key lacks the scope read' }, 403)
  await page.goto(`${plumbline.url}/models/many?tab=drift`)
  await page.getByText('this key lacks the scope read').waitFor()
  // What could be asked is there.
  await page.getByRole('heading', { name: 'many' }).waitFor()
  expect(complaints).toEqual([])
})

for (const [name, options] of LOOKS)
  test(`axe finds nothing, and nothing lies beside the page: ${name}`, async () => {
    await reopen(options)
    await manyModels(30)
    await page.goto(plumbline.url)
    await page.locator('table.models tbody tr').first().waitFor()
    expect(await faults()).toEqual([])
    expect(await isWithin()).toBe(true)
    await page.unrouteAll()
    await manyFeatures(30)
    for (const tab of ['performance', 'drift']) {
      await page.goto(`${plumbline.url}/models/many?tab=${tab}`)
      await page.locator('#panel').scrollIntoViewIfNeeded()
      await page.locator('#panel canvas, #panel tbody tr').first().waitFor()
      expect(await faults()).toEqual([])
      expect(await isWithin()).toBe(true)
      await photographed(`model-${tab}-${name}`)
    }
    await page.getByRole('button', { name: 'Snooze' }).first().click()
    await page.getByLabel('Your name').waitFor()
    expect(await faults()).toEqual([])
    await page.unrouteAll()
    await answered('/v1/keys', { keys: KEYS })
    await page.goto(`${plumbline.url}/keys`)
    await page.getByRole('button', { name: 'Rotate 0f3a4b5c8d7e' }).click()
    await page.getByRole('button', { name: 'New key' }).waitFor()
    expect(await faults()).toEqual([])
    expect(await isWithin()).toBe(true)
    await photographed(`keys-${name}`)
    await page.getByRole('button', { name: 'New key' }).click()
    await page.getByLabel('With').selectOption('team')
    await page.getByLabel('Its name').waitFor()
    expect(await faults()).toEqual([])
    expect(await isWithin()).toBe(true)
    await photographed(`new-key-${name}`)
    await page.unrouteAll()
    for (const path of ['/runs', '/review']) {
      await page.goto(`${plumbline.url}${path}`)
      await page.getByRole('heading').first().waitFor()
      expect(await faults()).toEqual([])
    }
    expect(complaints).toEqual([])
  })

/** What a reviewer is asked, in place of a task of the queue. */
const asked = (more: object = {}) => ({
  ...{ task_id: 't', lease_id: 'l', model_id: 'm', prediction_id: 'p' },
  ...{ lease_expires_at: new Date(Date.now() + 600_000).toISOString() },
  ...{ classes: ['0', '1'], answer: 'class' },
  event: {
    ...{ predicted_at: dayBefore(1), model_version: '7', prediction: null, score: null },
    ...{ features: { amount: 1250.5 }, attributes: {}, input_text: '', output_text: '' },
  },
  ...more,
})

/** Opens the review page on a task; what is submitted is kept. */
async function reviewing(task: ReturnType<typeof asked>, name = ''): Promise<object[]> {
  const submitted: object[] = []
  await answered('/v1/reviews/claim', task)
  await answered('/v1/reviews/stats', { models: [{ model_id: 'm', open: 12 }] })
  await page.route('**/v1/reviews/t/submit', (route) => {
    submitted.push(route.request().postDataJSON() as object)
    return route.fulfill({ json: { task_id: 't', state: 'done', prediction: '0', score: 0.25 } })
  })
  await page.goto(`${plumbline.url}/review`)
  const who = page.getByLabel('Your name')
  await page.locator('#answers').or(who).waitFor()
  if (await who.isVisible()) {
    await who.fill('ann')
    await page.getByRole('button', { name: 'Begin' }).click()
  }
  await page.locator('#answers').waitFor()
  if (name) await photographed(name)
  return submitted
}

test('the last answer is undone once, and its task is shown again', async () => {
  await reviewing(asked(), 'review-undo')
  expect(await page.locator('#undo').count()).toBe(0)
  const undone: unknown[] = []
  await page.route('**/v1/reviews/t/undo', (route) => {
    undone.push(route.request().postDataJSON())
    return route.fulfill({ json: { task_id: 't', lease_id: 'l', lease_expires_at: dayBefore(0) } })
  })
  await page.keyboard.press('1')
  await page.locator('#undo').waitFor()
  expect(await page.locator('#progress').innerText()).toContain('1 answered')
  await page.locator('#undo').dblclick()
  await page.getByText('Your last answer is undone').waitFor()
  expect(await page.locator('#progress').innerText()).toContain('0 answered')
  expect(await page.locator('#undo').count()).toBe(0)
  expect(undone).toMatchObject([{ reviewer: 'ann' }])
})

test('a key chooses the class that is called so, and what the model said comes after', async () => {
  const submitted = await reviewing(asked())
  expect(await page.locator('main').innerText()).toContain('12 open')
  await page.keyboard.press('1')
  await page.locator('#said').waitFor()
  expect(submitted).toMatchObject([{ label: '1', lease_id: 'l' }])
  expect(await page.locator('#said').innerText()).toContain('0, score 0.25')
  expect(await page.locator('#progress').innerText()).toContain('1 answered')
})

test('keys of classes are their own, or letters of their names', async () => {
  await reviewing(asked())
  const keysOf = (classes: string[]) =>
    page.evaluate(
      `import('/console/review/input.js').then((it) => it.keysOf(${JSON.stringify(classes)}))`,
    )
  expect(await keysOf(['0', '1', '2'])).toEqual(['0', '1', '2'])
  expect(await keysOf(['cat', 'cow', '7'])).toEqual(['c', 'o', '7'])
  expect(await keysOf(['s', 'sun', 'A'])).toEqual(['s', 'u', 'a'])
  expect(await keysOf(['1', '10'])).toEqual(['1', 'a'])
  const many = (await keysOf(Array.from({ length: 60 }, (_, i) => `class ${i}`))) as string[]
  const given = many.filter((key) => key !== '')
  expect(new Set(given).size).toBe(given.length)
})

test('a number is read as its reader writes numbers, and what is none is not sent', async () => {
  const submitted = await reviewing(asked({ answer: 'number', classes: [] }), 'review-number')
  const answer = page.getByLabel('The right answer')
  for (const wrong of ['abc', '1,25', '1,2,3', '1.2.3', '0x10', '1e999']) {
    await answer.fill(wrong)
    await page.getByRole('button', { name: 'Submit' }).click()
    await page.getByText('Not a number').waitFor()
  }
  expect(submitted).toEqual([])
  await answer.fill('1,250.5')
  await page.getByText('Reads as 1250.5').waitFor()
  await page.getByRole('button', { name: 'Submit' }).click()
  await page.locator('#said').waitFor()
  expect(submitted).toMatchObject([{ label: 1250.5 }])
  const read = (text: string, language: string) =>
    page.evaluate(
      `import('/console/review/input.js').then((it) => it.readNumber(${JSON.stringify(text)}, '${language}').value ?? null)`,
    )
  expect(await read('1.250,5', 'de')).toBe(1250.5)
  expect(await read('1,250.5', 'de')).toBeNull()
  expect(await read('1.250', 'de')).toBe(1250)
  expect(await read('1.25', 'de')).toBe(1.25)
  expect(await read('12 345,6', 'fr')).toBe(12_345.6)
  expect(await read('-3e-2', 'en')).toBe(-0.03)
})

test('what is written outlives a reload', async () => {
  await reviewing(asked({ answer: 'text', classes: [] }))
  await page.getByLabel('Comment').fill('not sure')
  await page.getByLabel('The right answer').fill('half of an ans')
  await page.reload()
  await page.locator('#answers').waitFor()
  expect(await page.getByLabel('Comment').inputValue()).toBe('not sure')
  expect(await page.getByLabel('The right answer').inputValue()).toBe('half of an ans')
})

test('on a phone forty features leave what is asked in sight', async () => {
  await reopen({ width: 390 })
  const names = Array.from({ length: 40 }, (_, i) => [`feature_number_${i}`, i / 7])
  const features = Object.fromEntries([...names, ...HOSTILE.map((name) => [name, name])]) as object
  await reviewing(asked({ event: { ...asked().event, features } }), 'review-phone')
  expect(await isWithin()).toBe(true)
  expect(await page.evaluate('document.documentElement.scrollHeight')).toBeLessThan(1500)
  const box = await page.locator('#answers').boundingBox()
  expect(box!.y + box!.height).toBeLessThanOrEqual(900)
  expect(await faults()).toEqual([])
  expect(complaints).toEqual([])
})

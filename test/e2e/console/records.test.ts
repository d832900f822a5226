/** Runs, the audit log, settings and data health in Chromium: on the real engine, and with much data. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import {
  answerWith,
  faultsOf,
  HOSTILE,
  inChromium,
  isWithinPage,
  LOOKS,
  photograph,
} from '../../chromium-page.ts'
import { temporaryDirectory } from '../../harness.ts'
import { ask, post, prediction, startTarget, until, type Running } from '../../servers/processes.ts'
import { AUDIT, DATA_HEALTH, LETTERS, ONE_RUN, RUNS, SETTINGS_MODEL } from './planted-runs.ts'

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
      'model_id: team/m\ntask: binary\nwindows: { size: 1h, lateness: 15m, idle: 1h, min_count: 50 }\nreferences: { baseline: { kind: first, windows: 1, baseline: true } }\nretrain:\n  - { name: by hand, when: "performance.accuracy < 0.1", approval: one, launch: { kind: webhook, url: "http://127.0.0.1:1/secret-address" } }\n',
    )
    return startTarget('all', {
      PLUMBLINE_DATA_DIR: join(directory, 'data'),
      PLUMBLINE_MODELS_DIR: models,
      PLUMBLINE_DRIFT_SCAN_SECONDS: '1',
    })
  },
  fill: async (plumbline) => {
    const events = [0, 1, 2].flatMap((hour) =>
      Array.from({ length: 60 }, (_, i) =>
        prediction(hour * 100 + i, {
          model_id: 'team/m',
          predicted_at: new Date(Date.UTC(2026, 0, 1, hour) + i * 30_000).toISOString(),
          features: { x: i / 50 },
          producer: { id: 'gateway-1', sequence: hour * 60 + i + 1 },
        }),
      ),
    )
    // One event is lost on the way.
    await post(`${plumbline.url}/v1/predictions`, events.toSpliced(7, 1))
    await until(
      'its losses are counted',
      async () =>
        (
          await ask(
            plumbline.clickhouseUrl,
            'SELECT 1 FROM producer_completeness WHERE missing = 1',
          )
        ).length > 0,
    )
    const asked = { model_id: 'team/m', policy: 'by hand', reason: 'a new market', actor: 'bob' }
    for (const reason of [asked.reason, HOSTILE[0]])
      await post(`${plumbline.url}/v1/runs`, { ...asked, reason })
  },
  take: (now) => ({ plumbline, page, complaints } = now),
})

const answered = (path: string, body: unknown, status = 200) => answerWith(page, path, body, status)

const PLAIN = ['returns', 'gateway-3', 'a new market', 'out of time']
/** Puts plain names in place of hostile ones: for pictures of the documents. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    HOSTILE.reduce(
      (text, name, i) => text.replaceAll(JSON.stringify(name).slice(1, -1), PLAIN[i]!),
      JSON.stringify(value),
    ),
  )

/** Puts much data in place of the service's own. */
async function busy(isPlain = false): Promise<void> {
  const of = isPlain ? plain : (value: unknown) => value
  await answered('/v1/runs', of({ runs: RUNS }))
  for (const run of RUNS) await answered(`/v1/runs/${run.run_id}`, of(ONE_RUN(run)))
  await answered('/v1/audit', of(AUDIT))
  await answered('/v1/data-health', of(DATA_HEALTH))
  await answered('/v1/dead-letters', LETTERS)
  await answered('/v1/models/team/m', SETTINGS_MODEL)
}

const faults = () => faultsOf(page)
const open = (path: string) => page.goto(`${plumbline.url}${path}`)

for (const [name, look] of LOOKS)
  test(`axe finds nothing, and nothing lies beside the page: ${name}`, async () => {
    await reopen(look)
    await busy(name === 'wide')
    const views: [string, string, string][] = [
      ['runs', '/runs', 'PSI of tenure is at alarm'],
      ['audit', '/audit', 'Alarm: dismissed'],
      ['data', '/data?reason=missing_field&topic=plumbline.predictions.v1', 'bytes'],
      ['settings', '/models/team%2Fm/settings', 'How calm it is set'],
    ]
    for (const [view, path, said] of views) {
      await open(path)
      await page.getByText(said).first().waitFor()
      expect(await faults(), view).toEqual([])
      expect(await isWithinPage(page), view).toBe(true)
      await photograph(page, `${view}-${name}`, view !== 'settings')
    }
    for (const id of ['r1', 'r3', 'r5', 'r6']) {
      await open(`/runs?run=${id}`)
      const drawer = page.getByRole('dialog')
      await drawer.getByRole('heading', { name: 'How it came to this' }).waitFor()
      expect(await faults(), id).toEqual([])
      await photograph(page, `run-${id}-${name}`)
    }
    await open('/runs?run=r1')
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByLabel('Your name').waitFor()
    expect(await faults()).toEqual([])
    expect(await page.locator('main img, main td td').count()).toBe(0)
    expect(complaints).toEqual([])
  })

test('runs are narrowed by the address, and opened by keys alone', async () => {
  await busy()
  await open('/runs')
  const rows = page.locator('table.runs tbody tr')
  await rows.first().waitFor()
  expect(await rows.count()).toBe(6)
  await page.getByRole('button', { name: 'Waiting for approval 1' }).click()
  expect(await rows.count()).toBe(1)
  expect(page.url()).toContain('state=waiting')
  await page.goBack()
  await page.waitForURL((url) => !url.search.includes('state'))
  await page.getByLabel('Find a run').fill('tenure')
  expect(await rows.count()).toBe(1)
  await page.getByLabel('Find a run').fill('')
  const first = rows.first().getByRole('button')
  await first.focus()
  await page.keyboard.press('Enter')
  const drawer = page.getByRole('dialog')
  await drawer.getByText('412,300 predictions, 48,210 labels').waitFor()
  expect(page.url()).toContain('run=r1')
  await page.keyboard.press('Escape')
  await drawer.waitFor({ state: 'detached' })
  expect(complaints).toEqual([])
})

test('a candidate that is held shows its steps and its verdict, and what people may do', async () => {
  await busy()
  await open('/runs?run=r6')
  const drawer = page.getByRole('dialog')
  await drawer.getByRole('list', { name: 'Steps of the traffic' }).waitFor()
  await drawer.getByText('-0.12 to -0.05').waitFor()
  for (const name of ['Go on', 'Roll back']) await drawer.getByRole('button', { name }).waitFor()
  expect(await drawer.getByRole('button', { name: 'Hold' }).count()).toBe(0)
  await drawer.getByRole('button', { name: 'Roll back' }).click()
  await drawer.getByText('A launch gives all of the traffic back').waitFor()
  expect(complaints).toEqual([])
})

test('a run is refused with a reason, which its history and the audit log tell', async () => {
  await open('/runs')
  await page.getByText('a new market').waitFor()
  await page
    .getByRole('row', { name: /a new market/ })
    .getByRole('button')
    .click()
  const drawer = page.getByRole('dialog')
  await drawer.getByText('a person did').waitFor()
  await drawer.getByRole('button', { name: 'Make the decision again' }).click()
  await drawer.getByText('It cannot be made again').waitFor()
  await drawer.getByRole('button', { name: 'Reject' }).click()
  await drawer.getByLabel('Reason').fill('not this week')
  await drawer.getByLabel('Your name').fill('ann')
  await drawer.locator('form').getByRole('button', { name: 'Reject' }).click()
  await drawer.getByText('the run has ended').waitFor()
  await drawer.getByText('not this week', { exact: true }).waitFor()
  await open('/audit?kind=run&actor=ann')
  await page.getByRole('cell', { name: 'not this week' }).waitFor()
  expect(await page.locator('table.audit tbody tr').count()).toBe(1)
  await page.getByRole('link', { name: 'team/m' }).waitFor()
  expect(complaints).toEqual([])
})

test('the audit log is narrowed and paged by the address, and its whole chain is verified', async () => {
  await open('/audit')
  await page
    .getByText('each follows', { exact: false })
    .or(page.getByText('those shown follow'))
    .first()
    .waitFor()
  const rows = page.locator('table.audit tbody tr')
  await rows.first().waitFor()
  const sequences = (await rows.locator('td:first-child').allInnerTexts()).map(Number)
  expect(sequences).toEqual(sequences.toSorted((a, b) => b - a))
  await page.getByRole('button', { name: 'Verify every entry' }).click()
  await page.getByText('verified', { exact: true }).waitFor()
  await page.getByLabel('What').selectOption('model_file')
  await page.waitForURL(/kind=model_file/)
  await page.getByText('Model file: added').first().waitFor()
  await page.getByRole('searchbox', { name: 'Model' }).fill('nobody')
  await page.getByRole('searchbox', { name: 'Model' }).press('Enter')
  await page.getByText('No entry fits these filters.').waitFor()
  await page.goBack()
  await page.getByText('Model file: added').first().waitFor()
  await open('/audit?before=3')
  await page.getByRole('button', { name: 'Newest' }).waitFor()
  expect(await rows.locator('td:first-child').allInnerTexts()).toEqual(['2', '1'])
  expect(complaints).toEqual([])
})

test('a log whose chain is broken says at which entry', async () => {
  await answered('/v1/audit', {
    ...AUDIT,
    ...{ complete: false, reason: 'entry 7 does not follow from the one before it' },
  })
  await open('/audit')
  await page.getByText('The log is not whole: entry 7').waitFor()
  await page.getByRole('button', { name: 'Verify every entry' }).click()
  await page.getByText('entry 7 does not follow', { exact: false }).nth(1).waitFor()
})

test('settings tell defaults from what the file names, and no address of a launch', async () => {
  await open('/models/team%2Fm')
  await page.getByRole('link', { name: 'Settings' }).click()
  const row = (name: string) => page.getByRole('row', { name: new RegExp(`^${name}`) })
  await row('windows.idle').getByText('of the model file').waitFor()
  await row('windows.min_labelled').getByText('default').waitFor()
  await page.getByText('by hand').first().waitFor()
  const text = await (await fetch(`${plumbline.url}/v1/models/team%2Fm/settings`)).text()
  expect(text).not.toContain('secret-address')
  await page.getByRole('button', { name: 'Of the model file alone' }).click()
  expect(await row('windows.min_labelled').count()).toBe(0)
  await open('/models/none/settings')
  await page.getByText('no model none is declared').waitFor()
  expect(complaints).toEqual([])
})

test('data health tells what was lost, and shows the bytes of what was refused', async () => {
  await open('/data')
  const lost = page.getByRole('row', { name: /gateway-1/ })
  await lost.getByText('1', { exact: true }).waitFor()
  await page.getByText('None waits.').waitFor()
  await answered('/v1/data-health', DATA_HEALTH)
  await answered('/v1/dead-letters', LETTERS)
  await page.getByRole('button', { name: 'Look again' }).click()
  const messages = page.getByRole('button', { name: /refused as missing field/ })
  await messages.focus()
  await page.keyboard.press('Enter')
  await page.getByText('"model_id":"credit-risk"').waitFor()
  // Bytes are shown as text, never as markup.
  await page.getByText('<b>bytes</b>').waitFor()
  expect(page.url()).toContain('reason=missing_field')
  const older = { letters: [{ ...LETTERS.letters[0]!, message: 'an older one' }], next: null }
  await answered('/v1/dead-letters', older)
  const next = page.waitForRequest(/after=the-next-ones/)
  await page.getByRole('button', { name: 'Older' }).click()
  await next
  await page.getByText('an older one').waitFor()
  expect(await page.getByRole('button', { name: 'Older' }).count()).toBe(0)
  await answered('/v1/dead-letters', LETTERS)
  await page.getByRole('button', { name: 'Newest' }).click()
  await page.getByText('<b>bytes</b>').waitFor()
  await answered('/v1/dead-letters', { detail: 'ann lacks the scope operate' }, 403)
  await page.reload()
  await page.getByText('ann lacks the scope operate').waitFor()
  expect(complaints).toEqual([])
})

test('without any data, with a failing and with a slow service each page says so', async () => {
  const empty = { letters: [], producers_in_all: 0, producers: [], waiting: [], stored: [] }
  await answered('/v1/runs', { runs: [] })
  await answered('/v1/audit', { ...AUDIT, entries: [] })
  await answered('/v1/data-health', { ...DATA_HEALTH, ...empty })
  for (const [path, said] of [
    ['/runs', 'No retraining has been asked for'],
    ['/audit', 'Nothing has been done yet'],
    ['/data', 'No event has come yet'],
  ] as const) {
    await open(path)
    await page.getByText(said).waitFor()
    expect(await faults()).toEqual([])
  }
  await page.unrouteAll()
  for (const [api, path] of [
    ['/v1/runs', '/runs'],
    ['/v1/audit', '/audit'],
    ['/v1/data-health', '/data'],
    ['/v1/models/team/m/settings', '/models/team%2Fm/settings'],
  ] as const) {
    await answered(api, { detail: 'the store does not answer' }, 503)
    await open(path)
    await page.getByText('the store does not answer').waitFor()
  }
  await page.unrouteAll()
  // An answer that does not come: the page says what it waits for, and for how long.
  await page.route('**/v1/data-health', () => {})
  await open('/data')
  await page.getByText('Loading dead letters').waitFor()
  await page.getByText(/ s so far/).waitFor()
  expect(complaints).toEqual([])
})

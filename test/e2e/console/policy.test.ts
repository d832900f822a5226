/** The page on which a policy is tried, in Chromium: on the real engine, and in states that data seldom has. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import type { PolicyTrialAnswer } from '../../../schemas/http/runs/policy-trials.ts'
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

const directory = temporaryDirectory()
let plumbline: Running
let page: Page
let complaints: string[] = []

const MODEL = `model_id: team/m
task: binary
windows: { size: 1h, lateness: 15m, min_count: 30 }
references: { baseline: { kind: first, windows: 1, baseline: true } }
retrain:
  - name: moved
    when: drift.psi.x > 0.2
    dry_run: true
    launch: { kind: webhook, url: 'https://jobs.example.com/' }
`

const reopen = inChromium({
  start: () => {
    const models = join(directory, 'models')
    mkdirSync(models)
    writeFileSync(join(models, 'm.yaml'), MODEL)
    writeFileSync(join(models, 'empty.yaml'), 'model_id: empty\ntask: binary\n')
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
          predicted_at: new Date(Date.UTC(2026, 0, 1, hour) + i * 30_000).toISOString(),
          features: { x: (i % 50) / 50 + shift },
        }),
      )
    await post(
      `${plumbline.url}/v1/predictions`,
      [events(0, 0), events(1, 1), events(2, 0), events(4, 0)].flat(),
    )
    await until('a dry run was decided', async () => {
      const answer = await fetch(`${plumbline.url}/v1/runs?model_id=team%2Fm`)
      return ((await answer.json()) as { runs: unknown[] }).runs.length > 0
    })
    await until(
      'the third window is evaluated',
      async () =>
        (
          await ask(
            plumbline.clickhouseUrl,
            `SELECT 1 FROM window_revisions WHERE window_end = '2026-01-01 03:00:00.000'`,
          )
        ).length > 0,
    )
  },
  take: (now) => ({ plumbline, page, complaints } = now),
})

const open = (path: string) => page.goto(`${plumbline.url}/models/${path}/policy`)
const rows = () => page.locator('table.tried tbody tr').allInnerTexts()
const text = () => page.getByLabel('The policy in YAML').inputValue()

test('a slider is moved by the keyboard, what is tried follows, and the address holds it', async () => {
  await open('team%2Fm')
  await page.getByText('It would have run once in 3 windows').waitFor()
  expect(await text()).toContain('when: drift.psi.x > 0.2')
  expect(await text()).not.toContain('example.com')
  expect((await rows())[0]).toMatch(/2026-01-01 02:00.*would have run.*moved.*proposed/su)
  const slider = page.getByRole('slider', { name: 'Limit drift.psi.x > 0.2' })
  await slider.focus()
  await page.keyboard.press('End')
  await page.getByText('It would have run 0 times in 3 windows').waitFor()
  const moved = await text()
  expect(moved).not.toContain('> 0.2')
  expect(await rows()).toEqual([expect.stringContaining('would not')])
  await page.getByRole('button', { name: '30 windows' }).click()
  await page.reload()
  await page.getByText('It would have run 0 times').waitFor()
  expect([await text(), new URL(page.url()).search]).toEqual([moved, '?range=30'])
  await page.getByRole('button', { name: 'As it is in force' }).click()
  await page.getByText('It would have run once').waitFor()
  expect(new URL(page.url()).hash).toBe('')
  expect(complaints).toEqual([])
})

test('what is wrong with a policy is said at its field, and the last trial stays', async () => {
  await open('team%2Fm')
  await page.getByText('It would have run once').waitFor()
  const field = page.getByLabel('The policy in YAML')
  for (const [written, says] of [
    ['when: any(drift.psy, alarm)', 'did you mean psi?'],
    ['when: any(drift.psi, alarm)\nmax_per_moon: 2', 'max_per_month'],
    ['when: [', 'policy is no YAML'],
  ] as const) {
    await field.fill(written)
    await page.getByRole('alert').getByText(says).waitFor()
    expect(await field.getAttribute('aria-invalid')).toBe('true')
    expect(await field.getAttribute('aria-describedby')).toBe('policy-error')
  }
  expect(await faultsOf(page)).toEqual([])
  expect(await rows()).toHaveLength(1)
  await field.fill('when: drift.psi.x > 0.2, for=2')
  await page.getByText('It would have run 0 times').waitFor()
  expect(await page.getByRole('alert').count()).toBe(0)
  expect(decodeURIComponent(new URL(page.url()).hash)).toBe('#when: drift.psi.x > 0.2, for=2\n')
})

test('a model without windows and without a policy', async () => {
  await open('empty')
  await page.getByText('No window of this range was evaluated').waitFor()
  await page.getByText('The model file has no policy').waitFor()
  expect(await faultsOf(page)).toEqual([])
  // An address that somebody broke is as good as none.
  await page.goto(`${plumbline.url}/models/empty/policy#%E0%A4%A`)
  await page.reload()
  await page.getByText('No window of this range was evaluated').waitFor()
  expect(await text()).toContain('any(drift.psi, alarm, for=2)')
  expect(complaints).toEqual([])
})

test('a service that refuses or is away is said so, and asked again', async () => {
  await answerWith(
    page,
    '/v1/policy-trials',
    { detail: '2 policies are being tried: ask again' },
    429,
  )
  await open('team%2Fm')
  await page.getByRole('alert').getByText('2 policies are being tried').waitFor()
  await page.unroute(() => true)
  await page.unrouteAll()
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByText('It would have run once').waitFor()
  expect(await page.getByRole('alert').count()).toBe(0)
})

const day = (i: number) => new Date(Date.UTC(2026, 0, 1 + i)).toISOString()
const VERDICTS = ['ok', 'ok', 'warning', 'alarm', 'incomplete'] as const

/** A trial of 90 days with names of some kind. */
function trialOf(names: readonly string[]): PolicyTrialAnswer {
  const at = (i: number) => names[i % names.length]!
  const value = (i: number) => 0.9 - 0.004 * (i % 30)
  return {
    ...{
      model_id: at(0),
      windows: 90,
      untold: names === PLAIN ? [] : [{ test: 'alert', reason: 'none has been kept yet' }],
      metric: 'accuracy',
      labels: '9000',
    },
    policy: `when: ${JSON.stringify(`drift.psi[${JSON.stringify(at(0))}] > 0.2, for=2, of=3`)}\n`,
    knobs: [
      {
        says: 'limit',
        text: `drift.psi["${at(1)}"] > 0.2`,
        value: 0.2,
        low: 0,
        high: 1.4,
        step: 0.01,
        unit: '',
      },
      { says: 'for', text: 'for=2, of=3', value: 2, low: 1, high: 3, step: 1, unit: '' },
      { says: 'cooldown', text: 'cooldown: 7d', value: 7, low: 0, high: 60, step: 1, unit: 'd' },
      {
        says: 'max_per_month',
        text: 'max_per_month: 4',
        value: 4,
        low: 1,
        high: 31,
        step: 1,
        unit: '',
      },
    ],
    timeline: Array.from({ length: 90 }, (_, i) => ({
      ...{ window_end: day(i), verdict: VERDICTS[Math.floor(i / 6) % 5]! },
      value: i % 17 === 0 ? null : value(i),
    })),
    decisions: [20, 21, 22, 40, 50, 80].map((i) => ({
      ...{ at: day(i), occasion: 'window', window_end: day(i), launches: i !== 21 && i !== 22 },
      ...{ reason: `drift.psi of ${at(i)} 0.31 > 0.2 in 2 of 3 windows` },
      ...{ value: value(i), value_after: value(i + 2) },
    })),
    runs: [25, 80].map((i, n) => ({
      ...{ run_id: `r${i}`, policy: at(i), state: n === 0 ? 'promoted' : 'failed' },
      ...{ window_end: day(i), value: value(i), value_after: null },
    })),
  }
}

const ABOUT = { windows: { size: 'day' }, watermark: day(90), references: [], task: 'binary' }
const PLAIN = ['income']

for (const [name, look] of LOOKS)
  test(`names of any kind are text within the page, and axe finds nothing: ${name}`, async () => {
    await reopen(look)
    for (const [picture, names] of [
      [`policy-hostile-${name}`, HOSTILE],
      [`policy-${name}`, PLAIN],
    ] as const) {
      const model = names === PLAIN ? 'credit' : names[0]
      const policies = names.map((one) => ({
        name: one,
        text: `name: ${JSON.stringify(one)}\nwhen: 'drift.psi[${JSON.stringify(one).replaceAll("'", "''")}] > 0.2, for=2, of=3'\napproval: one\ncooldown: 7d\nmax_per_month: 4\n`,
      }))
      await answerWith(page, `/v1/models/${model}`, ABOUT)
      await answerWith(page, `/v1/models/${model}/policies`, { model_id: model, policies })
      await answerWith(page, '/v1/policy-trials', trialOf(names))
      await open(encodeURIComponent(model))
      await page.getByText('It would have run 4 times in 90 windows').waitFor()
      await page.locator('svg.lanes').waitFor()
      expect(await faultsOf(page)).toEqual([])
      expect(await isWithinPage(page)).toBe(true)
      await photograph(page, picture, true)
      await page.unrouteAll()
    }
    expect(complaints).toEqual([])
  })

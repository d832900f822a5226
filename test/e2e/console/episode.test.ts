/** The page of an alert episode in Chromium: on the real engine, and in states that data seldom has. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import type { EpisodeAnswer } from '../../../schemas/http/episodes.ts'
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
import { REPORT_PAGE } from '../../planted/planted-report.ts'
import { ask, post, prediction, startTarget, until, type Running } from '../../servers/processes.ts'

const directory = temporaryDirectory()
let plumbline: Running
let page: Page
let complaints: string[] = []

const events = (hour: number, shift: number) =>
  Array.from({ length: 100 }, (_, i) =>
    prediction(hour * 100 + i, {
      model_id: 'team/m',
      predicted_at: new Date(Date.UTC(2026, 0, 1, hour) + i * 30_000).toISOString(),
      features: { x: (i % 50) / 50 + shift, '<b>y</b>': i },
    }),
  )

const reopen = inChromium({
  start: () => {
    const models = join(directory, 'models')
    mkdirSync(models)
    writeFileSync(
      join(models, 'm.yaml'),
      'model_id: team/m\ntask: binary\nwindows: { size: 1h, lateness: 15m, idle: 1h, min_count: 50 }\nreferences: { baseline: { kind: first, windows: 1, baseline: true } }\nretrain:\n  - { name: by hand, when: "performance.accuracy < 0.1", approval: one, launch: { kind: webhook, url: "http://127.0.0.1:1/" } }\n',
    )
    return startTarget('all', {
      PLUMBLINE_DATA_DIR: join(directory, 'data'),
      PLUMBLINE_MODELS_DIR: models,
      PLUMBLINE_DRIFT_SCAN_SECONDS: '1',
    })
  },
  fill: async (plumbline) => {
    const hours = [events(0, 0), events(1, 0), events(2, 1), events(5, 0)]
    await post(`${plumbline.url}/v1/predictions`, hours.flat())
    await until(
      'an alarm is active',
      async () => (await ask(plumbline.clickhouseUrl, 'SELECT 1 FROM active_alarms')).length > 0,
    )
  },
  take: (now) => ({ plumbline, page, complaints } = now),
})

const answered = (path: string, body: unknown, status = 200) => answerWith(page, path, body, status)

const FIRST = '2026-03-02T00:00:00.000Z'
const at = (day: number) => new Date(Date.parse(FIRST) + day * 86_400_000).toISOString()

const result = (subject: string, more: Partial<EpisodeAnswer['results'][number]> = {}) => ({
  ...{ model_version: '', variant: '', slice_key: '', slice_value: '', family: 'drift' },
  ...{ metric: 'psi', subject, reference: 'baseline', severity: 'alarm' as const, value: 1.84 },
  ...{ baseline_value: null, threshold: null, p_adjusted: 1e-9, since: at(0), window_end: at(6) },
  ...{ reason: 'values lie 2.1 standard deviations higher', windows: '7', n_current: '4000' },
  ...{ n_labelled: '0', score_moved_alone: null, score_moved: null },
  ...more,
})
const past = (day: number, ended: EpisodeAnswer['ended'], windows: number) => ({
  ...{
    episode_id: `credit/${at(day)}`,
    episode: at(day),
    since: at(day),
    until: at(day + windows),
  },
  ...{ windows, severity: 'alarm' as const, ended, alarms: [], shared: 2 },
})

/** An episode as a busy model has it. */
const EPISODE: EpisodeAnswer = {
  ...{ model_id: 'credit', episode_id: `credit/${FIRST}`, episode: FIRST, since: FIRST },
  ...{ until: at(6), windows: 7, severity: 'alarm', ended: 'active' },
  alarms: ['amount', 'age', ''].map((subject) => ({ family: 'drift', metric: 'psi', subject })),
  headline:
    'accuracy is down from 0.831 to 0.704; amount has drifted: its values lie 2.1 standard deviations higher, which alone moves the score by +0.18 of +0.22; and 4 more',
  evidence: Array.from({ length: 7 }, (_, i) => ({
    ...{ window_start: at(i - 1), window_end: at(i), worst: i === 2 ? 'warning' : 'alarm' },
    ...{ events: '4000', labelled: String(3600 - 400 * i), label_maturity: 1 - i / 10 },
    completeness: 0.998 - i / 1000,
  })),
  results: [
    result('', {
      ...{ family: 'performance', metric: 'accuracy', value: 0.704, baseline_value: 0.831 },
      ...{ n_labelled: '1200', windows: '5', since: at(2) },
    }),
    result('amount', { score_moved_alone: 0.18, score_moved: 0.22 }),
    result('age', { value: 0.6, score_moved_alone: 0.03, score_moved: 0.22 }),
    result('amount', { slice_key: 'region', slice_value: 'north', value: 3.1, windows: '6' }),
    result('producer=gateway-2', { metric: 'odd_one_out', value: 0.41, since: at(3) }),
    result('income', {
      family: 'quality',
      metric: 'missing_ratio',
      severity: 'warning',
      value: 0.12,
    }),
    result('age', { slice_key: 'region', slice_value: 'south', value: 0.9 }),
  ],
  performance: ['accuracy', 'roc_auc', 'brier', 'estimated_accuracy'].map((metric, i) => ({
    ...{ metric, value: 0.704 - i / 20, baseline_value: i === 3 ? null : 0.831 - i / 20 },
    ...{ ci_low: 0.68 - i / 20, ci_high: 0.73 - i / 20, verdict: i === 0 ? 'alarm' : 'warning' },
    ...{ window_end: at(6), n_labelled: '1200', label_maturity: 0.4 },
  })),
  feedback: [
    {
      ...{ decision: 'snooze', actor: 'ann', comment: 'the pricing team knows, mended on Friday' },
      ...{ until: at(3), decided_at: at(1), verdicts: '4' },
    },
  ],
  runs: [
    {
      ...{ run_id: 'r1', policy: 'drifted', state: 'awaiting_approval', reason: 'psi of amount' },
      ...{ message: '', new_version: '', actor: 'policy drifted', asked_at: at(4) },
    },
  ],
  similar: [past(-30, 'accepted', 4), past(-80, 'by itself', 1), past(-120, 'dismissed', 2)],
  accept: {
    ...{ windows: 7, from: at(-1), to: at(6), events: 28_000, baseline: 'baseline' },
    ...{ baseline_spans: 1, baseline_events: 32_000 },
    says: '7 windows with 28,000 events join baseline, which has 32,000 events, 47 % of it from then on: values like these alarm no more',
  },
}
const EXAMPLES = ['amount', 'age'].map((feature, i) => ({
  ...{
    window_start: at(5),
    window_end: at(6),
    kind: 'unusual',
    subject: '',
    prediction_id: `p-${i}`,
  },
  ...{ model_version: '7', predicted_at: at(5), score: 0.74, because: [feature], beyond: 0.999 },
  features: { amount: 99_999, age: 17 },
  trace_url: i === 0 ? 'https://traces.example/trace/t-0' : null,
}))

async function busy(more: Partial<EpisodeAnswer> = {}): Promise<void> {
  const episode = { ...EPISODE, ...more }
  const path = `/v1/models/${episode.model_id}`
  await answered(path, { retrain: [{ name: 'drifted', when: '', approval: 'one' }] })
  await answered(`${path}/episodes/${FIRST}`, episode)
  await answered(`${path}/examples`, { model_id: episode.model_id, examples: EXAMPLES })
  await page.goto(
    `${plumbline.url}/models/${encodeURIComponent(episode.model_id)}/episodes/${FIRST}`,
  )
  await page.getByRole('heading', { name: 'What moved' }).waitFor()
}

const faults = () => faultsOf(page)
const isWithin = () => isWithinPage(page)
const photographed = (name: string) => photograph(page, name)

test('an episode that is not there is said, and so is a refusal to show rows', async () => {
  await page.goto(`${plumbline.url}/models/none/episodes/${FIRST}`)
  await page.getByText(`there is no alert episode none/${FIRST}`).waitFor()
  expect(await faults()).toEqual([])
  await busy()
  await answered('/v1/models/credit/examples', { detail: 'this key lacks the scope read' }, 403)
  await page.reload()
  await page.getByText('this key lacks the scope read').waitFor()
  // What may be seen is there.
  await page.getByText('7 windows with 28,000 events join baseline').waitFor()
  expect(complaints).toEqual([])
})

test('the core is on one screen of a laptop', async () => {
  await busy()
  await page.getByText('p-0').waitFor()
  const traced = page.getByRole('link', { name: 'p-0' })
  expect(await traced.getAttribute('href')).toBe('https://traces.example/trace/t-0')
  expect(await page.getByRole('link', { name: 'p-1' }).count()).toBe(0)
  for (const name of ['What moved', 'What to do', 'What performance did', 'What was done']) {
    const region = page.getByRole('region', { name })
    const box = (await region.boundingBox())!
    expect(box.y + box.height, name).toBeLessThanOrEqual(900)
  }
  await photographed('episode')
  expect(complaints).toEqual([])
})

for (const [name, options] of LOOKS)
  test(`axe finds nothing, and nothing lies beside the page: ${name}`, async () => {
    await reopen(options)
    await busy()
    await page.getByText('p-0').waitFor()
    expect(await faults()).toEqual([])
    expect(await isWithin()).toBe(true)
    await photographed(`episode-${name}`)
    await page.getByRole('button', { name: 'Accept as normal' }).click()
    await page.getByLabel('Your name').waitFor()
    expect(await faults()).toEqual([])
    expect(await isWithin()).toBe(true)
    await photographed(`episode-act-${name}`)
    expect(complaints).toEqual([])
  })

for (const [name, options] of LOOKS)
  test(`a report is whole by itself, and axe finds nothing: ${name}`, async () => {
    await reopen(options)
    const url = `${plumbline.url}/v1/models/team%2Fm/report`
    const real = (await page.goto(url))!
    page.on('console', (line) => line.type() === 'error' && complaints.push(line.text()))
    const loaded: string[] = []
    page.on('request', (request) => loaded.push(request.url()))
    // As large as a busy model makes it, under the policy of the real one.
    await page.route('**/report?busy', (route) =>
      route.fulfill({ body: REPORT_PAGE, headers: real.headers() }),
    )
    await page.goto(`${url}?busy`)
    await page.getByRole('heading', { name: 'What is missing' }).waitFor()
    expect(loaded).toEqual([`${url}?busy`])
    // Its own style holds: the policy lets it in.
    const width = await page.evaluate(`getComputedStyle(document.querySelector('main')).maxWidth`)
    expect(width).toBe('780px')
    await photographed(`report-${name}`)
    await photograph(page, `report-${name}-whole`, true)
    expect(await faults()).toEqual([])
    expect(await isWithin()).toBe(true)
    expect(complaints).toEqual([])
  })

test('a model is shown as it was known at a time, which the address holds', async () => {
  await page.goto(`${plumbline.url}/models/team%2Fm`)
  await page.getByRole('button', { name: 'What was known at a time' }).click()
  await page.getByLabel('Known at, UTC').fill('2020-01-01T00:00')
  expect(await faults()).toEqual([])
  await page.getByRole('button', { name: 'Show', exact: true }).click()
  await page.waitForURL('**as_of=2020-01-01T00%3A00%3A00.000Z')
  await page.getByText('As known at 2020-01-01 UTC.').waitFor()
  await page.getByText('Nothing was active.').waitFor()
  const report = page.getByRole('link', { name: 'Report' })
  expect(await report.getAttribute('href')).toContain('as_of=2020-01-01')
  expect(await faults()).toEqual([])
  await photographed('model-past')
  await page.goto(`${plumbline.url}/models/team%2Fm?as_of=2097-01-01T00:00:00Z`)
  await page.getByRole('link', { name: 'episode' }).click()
  await page.waitForURL('**/episodes/**as_of=2097-01-01**')
  await page.getByText('As known at 2097-01-01 UTC.').waitFor()
  expect(await page.getByRole('button', { name: 'Accept as normal' }).count()).toBe(0)
  await page.getByRole('button', { name: 'Back to now' }).click()
  await page.getByRole('button', { name: 'Accept as normal' }).waitFor()
  expect(complaints).toEqual([])
})

test('names are text, whatever they are, and none is wider than the page', async () => {
  for (const hostile of HOSTILE) {
    await busy({
      model_id: hostile,
      headline: `${hostile} has drifted`,
      results: [result(hostile, { slice_key: hostile, slice_value: hostile })],
      feedback: [{ ...EPISODE.feedback[0]!, actor: hostile, comment: hostile }],
      runs: [{ ...EPISODE.runs[0]!, policy: hostile, reason: hostile }],
    })
    await page.getByRole('heading', { level: 1 }).getByText('has drifted').waitFor()
    expect(await page.locator('main img, main b b').count()).toBe(0)
    expect(await isWithin()).toBe(true)
    expect(await faults()).toEqual([])
    await page.unrouteAll()
  }
  expect(complaints).toEqual([])
})

test('an alarm leads to its episode, which is answered with a reason', async () => {
  await page.goto(`${plumbline.url}/models/team%2Fm`)
  await page.getByRole('link', { name: 'episode' }).first().click()
  await page.waitForURL('**/models/team%2Fm/episodes/2026-01-01T03%3A00%3A00.000Z')
  await page.getByRole('heading', { name: /X has drifted/ }).waitFor()
  await page.getByText('1 window with 100 events joins baseline').waitFor()
  await page.getByRole('button', { name: 'Propose a run' }).click()
  await page.getByLabel('Reason').fill('it fell')
  await page.getByLabel('Your name').fill('ann')
  await page.locator('form').getByRole('button', { name: 'Propose a run' }).click()
  await page.getByText('Run of by hand asked for').waitFor()
  await page.getByRole('button', { name: 'Accept as normal' }).click()
  await page.getByLabel('Reason').fill('a new market')
  await page.locator('form').getByRole('button', { name: 'Accept as normal' }).click()
  const done = page.getByRole('region', { name: 'What was done' })
  await done.getByText('a new market').waitFor()
  await page.getByText('accepted', { exact: true }).waitFor()
  await until('the run is among what was done', async () => {
    await page.reload()
    await done.getByText('a new market').waitFor()
    return (await done.getByText('it fell').count()) === 1
  })
  await page.goto(`${plumbline.url}/models/team%2Fm`)
  await page.getByText('Nothing is active.').waitFor()
  expect(complaints).toEqual([])
})

/** The events of a stream as they come, until there is one. */
async function nextEvent(response: Response): Promise<string> {
  let text = ''
  for await (const bytes of response.body!) {
    text += Buffer.from(bytes).toString()
    if (text.includes('event: window')) return text
  }
  return text
}

test('a window that is evaluated appears by itself, and streams are bounded', async () => {
  await page.goto(`${plumbline.url}/models/team%2Fm?tab=drift`)
  await page
    .getByText(/window to 2026-01-01/)
    .first()
    .waitFor()
  const url = `${plumbline.url}/v1/events`
  const own = await fetch(`${url}?model_id=team%2Fm`)
  expect(own.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  const other = await fetch(`${url}?model_id=other&seconds=5`)
  const [event, , nothing] = await Promise.all([
    nextEvent(own),
    post(
      `${plumbline.url}/v1/predictions`,
      [20, 21, 22].flatMap((hour) => events(hour, 0)),
    ),
    nextEvent(other),
  ])
  expect(event).toContain('data: {"model_id":"team/m"}')
  expect(nothing).not.toContain('event:')
  await page
    .getByText(/window to 2026-01-01 22:00/)
    .first()
    .waitFor()
  const open = await Promise.all(Array.from({ length: 14 }, () => fetch(`${url}?seconds=60`)))
  expect(open.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(2)
  expect(open.filter(({ status }) => status === 200).length).toBeGreaterThan(0)
  for (const { body } of open) await body?.cancel()
  // Their places are free again.
  await until('a stream may begin', async () => {
    const response = await fetch(url)
    await response.body?.cancel()
    return response.status === 200
  })
  expect(complaints).toEqual([])
})

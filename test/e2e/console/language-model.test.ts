/** The page of a language model begins with its answers, and has no tab that nothing is in. */
import { mkdirSync, writeFileSync } from 'node:fs'
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
import { windowsOf } from './planted-models.ts'
import { ask, post, startTarget, until, type Running } from '../../servers/processes.ts'

const directory = temporaryDirectory()
const HOURS = 6
const PER_HOUR = 60
const START = Date.UTC(2026, 0, 1)
let plumbline: Running
let page: Page
let complaints: string[] = []

const common =
  'task: llm\nwindows: { size: 1h, lateness: 15m, min_count: 20 }\nlabels: { horizon: 1h }\n'
const FILES = {
  'chat.yaml': `model_id: chat
${common}slices: [prompt_version]
reference_scores: { scores: [rouge_l, exact_match] }
`,
  'rated.yaml': `model_id: rated
${common}`,
  'bare.yaml': `model_id: bare
${common}`,
}

/** An agent's answers: a call of a model, and every other time a tool. */
const answersOf = (modelId: string) =>
  Array.from({ length: HOURS * PER_HOUR }, (_, i) => {
    const hour = Math.floor(i / PER_HOUR)
    const slow = hour === HOURS - 1 ? 3 : 1 + 0.05 * ((hour * 5) % 4)
    const at = START + hour * 3_600_000 + (i % PER_HOUR) * 50_000
    const common = {
      ...{ model_id: modelId, trace_id: `trace-${modelId}-${i}` },
      predicted_at: new Date(at).toISOString(),
    }
    const call = {
      ...common,
      ...{ prediction_id: `${modelId}-${i}`, model_version: i % 3 === 0 ? 'large-1' : 'small-2' },
      prediction: i % 9 === 0 ? 'length' : 'stop',
      latency_ms: slow * (900 + 40 * (i % 7)),
      time_to_first_token_ms: slow * (200 + 20 * (i % 5)),
      ...{ input_tokens: 300 + (i % 50), output_tokens: 80 + (i % 20), cost_usd: 0.002 },
      input_text: `Where is parcel ${i}?`,
      output_text: i % 4 === 0 ? 'It comes on Monday.' : 'The parcel comes today, before noon.',
      attributes: {
        operation: 'chat',
        prompt_name: 'parcels',
        prompt_version: String(1 + (i % 2)),
      },
    }
    const tool = {
      ...common,
      ...{ prediction_id: `${modelId}-${i}-tool`, model_version: 'execute_tool search' },
      attributes: { operation: 'execute_tool', tool: 'search' },
      status: i % 20 === 0 ? 'error' : 'ok',
    }
    return i % 2 === 0 ? [call, tool] : [call]
  }).flat()

const labelsOf = (modelId: string) =>
  Array.from({ length: HOURS * PER_HOUR }, (_, i) => {
    const label = (name: string, of: unknown) => ({
      ...{ label_id: `${modelId}-${i}-${name}`, model_id: modelId, name, label: of },
      ...{ prediction_id: `${modelId}-${i}`, source: 'user_feedback' },
      labelled_at: new Date(START + (i / PER_HOUR) * 3_600_000).toISOString(),
    })
    return [
      label('thumbs', i % 5 === 0 ? 'down' : 'up'),
      ...(i % 2 === 0 ? [label('helpful', 3 + (i % 3))] : []),
      ...(modelId === 'chat' ? [label('label', 'The parcel comes today.')] : []),
    ]
  }).flat()

const reopen = inChromium({
  start: () => {
    const models = join(directory, 'models')
    mkdirSync(models)
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(models, name), text)
    return startTarget('all', {
      PLUMBLINE_DATA_DIR: join(directory, 'data'),
      PLUMBLINE_MODELS_DIR: models,
      PLUMBLINE_DRIFT_SCAN_SECONDS: '1',
    })
  },
  fill: async ({ url, clickhouseUrl }) => {
    for (const id of ['chat', 'rated', 'bare']) await post(`${url}/v1/predictions`, answersOf(id))
    for (const id of ['chat', 'rated']) await post(`${url}/v1/labels`, labelsOf(id))
    const last = new Date(START + (HOURS - 2) * 3_600_000).toISOString().slice(0, -1)
    await until(
      'judgements and operations of all models are evaluated',
      async () =>
        (
          await ask(
            clickhouseUrl,
            `SELECT DISTINCT model_id, metric FROM window_metrics WHERE window_start >= '${last.replace('T', ' ')}' AND slice_key = ''
               AND ((subject IN ('output_text.rouge_l', 'helpful') AND metric = 'mean' AND label_maturity = 1) OR (model_id = 'bare' AND metric = 'latency_p95_ms'))`,
          )
        ).length === 3,
    )
  },
  take: (now) => ({ plumbline, page, complaints } = now),
})

const tabs = () => page.getByRole('tab').allInnerTexts()
const headline = () => page.locator('.headline select option:checked').innerText()
const open = async (id: string) => {
  await page.goto(`${plumbline.url}/models/${id}`)
  await page.locator('.headline canvas').waitFor()
  await page.getByRole('heading', { name: 'Finish reasons' }).waitFor()
  await page.waitForLoadState('networkidle')
}

for (const [name, look] of LOOKS)
  test(`a language model opens with what judges its answers: ${name}`, async () => {
    await reopen(look)
    await open('chat')
    expect(await tabs()).toEqual(['Answers', 'Drift', 'Data quality', 'Operations', 'Feedback'])
    expect(await headline()).toBe('ROUGE-L')
    await page.getByText('answers are scored beside reference texts').waitFor()
    const prompts = page.getByRole('region', { name: 'Answers by prompt and model' })
    await prompts.getByRole('row', { name: /Prompt\s+1/ }).waitFor()
    await prompts.getByRole('row', { name: /Model\s+large-1/ }).waitFor()
    const panel = page.locator('#panel')
    for (const title of ['Mean of helpful', 'thumbs = up', 'Time to first token, median (ms)'])
      await panel.getByText(title, { exact: true }).first().waitFor()
    for (const title of ['Steps of a task', 'Failed calls of tools'])
      await panel.getByText(title, { exact: true }).first().waitFor()
    // Numbers of earlier references are not shown twice.
    const titles = await panel.locator('figcaption bdi').allInnerTexts()
    expect(titles).toEqual([...new Set(titles)])
    const reasons = panel.locator('table.categories')
    expect(await reasons.innerText()).toContain('stop')
    expect(await panel.locator('table.features').innerText()).toContain('output_text.words')
    expect(await faultsOf(page)).toEqual([])
    expect(await isWithinPage(page)).toBe(true)
    await photograph(page, `language-model-${name}`, true)
    expect(complaints).toEqual([])
  })

test('another judgement is chosen by the address, and back undoes it', async () => {
  await open('chat')
  await page.locator('.headline select').selectOption({ label: 'Mean of helpful' })
  expect(decodeURIComponent(page.url())).toContain('metric=feedback/mean/helpful')
  await page
    .locator('.headline .figure')
    .getByText('Mean of helpful')
    .waitFor({ state: 'attached' })
  await page.goBack()
  expect(await headline()).toBe('ROUGE-L')
})

test('without reference texts the judgement with the most labels is first, and says so', async () => {
  await open('rated')
  expect(await headline()).toBe('thumbs = up')
  await page.getByText('the judgement with the most labels: ').waitFor()
})

test('without any judgement the page says what would be one, and shows what people feel first', async () => {
  await open('bare')
  expect(await headline()).toBe('Time to first token, 95th percentile (ms)')
  await page.getByText('no judgement of an answer has come yet').waitFor()
  await page.getByText('Nothing judges the answers of this range yet').waitFor()
})

test('the tab of feedback shows every named label', async () => {
  await page.goto(`${plumbline.url}/models/rated?tab=feedback`)
  for (const title of ['Mean of helpful', 'thumbs = down', 'Label coverage, thumbs'])
    await page.locator('#panel').getByText(title, { exact: true }).first().waitFor()
})

test('new embeddings have a drawer: their share over time, and events that stand for them', async () => {
  const span = { window_start: '2026-01-01T04:00:00.000Z', window_end: '2026-01-01T05:00:00.000Z' }
  await page.route(
    (url) => url.searchParams.get('subject') === '@embedding',
    (route) => {
      const row = windowsOf('drift', 'novelty').at(-1)!
      const metrics = [
        { ...row, ...span, subject: '@embedding', value: 0.21, verdict: 'alarm', reference: '' },
      ]
      return route.fulfill({ json: { model_id: 'bare', metrics } })
    },
  )
  const example = {
    ...{ ...span, kind: 'novel', subject: '@embedding', prediction_id: 'bare-17' },
    ...{ model_version: 'small-2', predicted_at: span.window_start, score: 0.4, features: {} },
    ...{ because: [], beyond: null, trace_url: null },
  }
  await answerWith(page, '/v1/models/bare/examples', { model_id: 'bare', examples: [example] })
  await page.goto(`${plumbline.url}/models/bare?tab=drift&feature=%40embedding`)
  const drawer = page.getByRole('dialog')
  await drawer.locator('canvas').waitFor()
  await drawer.getByText('New embeddings').first().waitFor()
  await drawer.getByText('bare-17').waitFor()
  await drawer.getByText('its embedding is unlike any of the baseline').waitFor()
  expect(await faultsOf(page)).toEqual([])
  await photograph(page, 'new-embeddings')
  expect(complaints).toEqual([])
})

const standing = (more: object) => ({
  ...{ judge: 'grounded', version: '1', label: 'grounded', asks: 'small-judge' },
  ...{
    prompt: 'prompts/grounded.yaml',
    sample: 0.05,
    standing: 'ready',
    reason: '',
    muted_at: null,
  },
  ...{ budget_usd: 2, spent_usd: 0.42, held_usd: 0 },
  questions: { open: 3, answered: 1812, invalid: 2, failed: 0, unasked: 0 },
  reasons: [{ state: 'invalid', reason: 'not_json', questions: 2 }],
  ...more,
})
const HOSTILE = '<img src=x onerror=alert(1)>'

test('judges say whether they are asked, what they spend and how far people agree; a person unmutes one', async () => {
  const muted = {
    ...{ judge: 'politeness', standing: 'muted', muted_at: new Date(START).toISOString() },
    ...{ reason: 'people agree at 0.1 to 0.3, below 0.4', label: 'politeness', reasons: [] },
  }
  const unready = {
    ...{ judge: HOSTILE, asks: HOSTILE, standing: 'unready', reason: HOSTILE, reasons: [] },
  }
  const judges = [standing({}), standing(muted), standing(unready)]
  await answerWith(page, '/v1/models/chat/judges', { model_id: 'chat', days: 30, judges })
  const found = { value: 0.74, ci_low: 0.66, ci_high: 0.81, reason: '' }
  const agreed = [
    { judge: 'grounded@1', label: 'grounded', items: 214, statistic: 'kappa', agreement: found },
    {
      ...{ judge: 'politeness@1', label: 'politeness', items: 1, statistic: 'kappa' },
      agreement: { value: null, ci_low: null, ci_high: null, reason: 'all answers are the same' },
    },
  ]
  await answerWith(page, '/v1/models/chat/agreement', {
    model_id: 'chat',
    days: 30,
    judges: agreed,
  })
  await open('chat')
  const table = page.getByRole('region', { name: 'Judges' })
  await table
    .getByRole('row', { name: /grounded version 1.*1,812 answered, 3 open.*0\.74/s })
    .waitFor()
  await table.getByText('2 invalid: not json').waitFor()
  await table.getByText('all answers are the same').waitFor()
  await table.getByText('no answers beside people’s').waitFor()
  await table.getByRole('button', { name: 'Unmute politeness' }).click()
  expect(await faultsOf(page)).toEqual([])
  const sent: unknown[] = []
  await page.route('**/v1/models/chat/judges/politeness/unmute', (route) => {
    sent.push(route.request().postDataJSON())
    return route.fulfill({ json: { model_id: 'chat', judge: 'politeness', version: '1' } })
  })
  await table.getByLabel('Reason').fill('the rubric was wrong')
  await table.getByLabel('Your name').fill('ann')
  await photograph(page, 'judges', true)
  await table.getByRole('button', { name: 'Ask it again' }).click()
  await table.getByLabel('Reason').waitFor({ state: 'detached' })
  expect(sent).toEqual([{ version: '1', reason: 'the rubric was wrong', actor: 'ann' }])
  await page.goto(`${plumbline.url}/models/chat?tab=feedback`)
  await table.getByRole('row', { name: /politeness/ }).waitFor()
  expect(complaints).toEqual([])
})

/**
 * A judge in a running Plumbline that is killed again and again while it asks: each prediction has
 * one label, the budget holds, and the answers are metrics of windows. The endpoint is a test
 * double, since no language model can be had here.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { temporaryDirectory } from '../harness.ts'
import { dataOf, judgeDouble, labels, says } from '../servers/judge-double.ts'
import { ask, prediction, startTarget, until, type Running } from '../servers/processes.ts'

const HOUR_MS = 3_600_000
const START = Date.UTC(2026, 0, 1)
const N = 120
const BUDGET_USD = 0.1
const KEY = 'sk-of-the-judge'

let plumbline: Running | undefined
afterAll(() => plumbline?.stop())

const isKind = labels((request) =>
  String(dataOf(request)['output_text']).endsWith('0') ? 'no' : 'yes',
)

function settings(directory: string, url: string): Record<string, string> {
  mkdirSync(join(directory, 'models', 'prompts'), { recursive: true })
  writeFileSync(
    join(directory, 'models', 'prompts', 'kind.yaml'),
    `{ version: '1', system: Is the answer kind?, user: '{{output_text}}' }`,
  )
  writeFileSync(
    join(directory, 'models', 'chat.yaml'),
    `model_id: chat
task: llm
windows: { size: 1h, lateness: 15m, min_count: 50 }
judges:
  - name: kind
    version: '3'
    prompt: prompts/kind.yaml
    answer: { classes: [yes, no] }
    endpoint: { url: "${url}", model: small, key: "secret://env/JUDGE_KEY" }
    sample: 1
    budget_usd_per_day: ${BUDGET_USD}
    max_tokens: 32
    timeout: 1s
    attempts: 10
    concurrency: 4
`,
  )
  writeFileSync(
    join(directory, 'prices.yaml'),
    'prices: [{ model: small, input_per_million: 1, output_per_million: 2 }]',
  )
  return {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_MODELS_DIR: join(directory, 'models'),
    PLUMBLINE_PRICES_FILE: join(directory, 'prices.yaml'),
    PLUMBLINE_DRIFT_SCAN_SECONDS: '1',
    JUDGE_KEY: KEY,
  }
}

const answer = (i: number, hour: number) =>
  prediction(i, {
    model_id: 'chat',
    model_version: '1',
    prediction_id: `p-${hour}-${i}`,
    predicted_at: new Date(START + hour * HOUR_MS + i * 1000).toISOString(),
    output_text: `answer ${hour} ${i}`,
  })

interface Told {
  judges: { standing: string; spent_usd: number; questions: Record<string, number> }[]
}
const told = async () =>
  ((await (await fetch(`${plumbline!.url}/v1/models/chat/judges`)).json()) as Told).judges[0]!

test('killed while it asks, a judge labels each prediction once within its budget', async () => {
  const double = await judgeDouble(isKind)
  const env = settings(temporaryDirectory(), double.url)
  plumbline = await startTarget('all', env)
  const sent = await fetch(`${plumbline.url}/v1/predictions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([
      ...Array.from({ length: N }, (_, i) => answer(i, 1)),
      // It closes the hour, and its window.
      ...Array.from({ length: 5 }, (_, i) => answer(i, 6)),
    ]),
  })
  expect(sent.ok, await sent.text()).toBe(true)
  for (let kill = 1; kill <= 3; kill++) {
    await until('it asks', async () => double.requests.length >= kill * 15)
    await plumbline.stop('SIGKILL')
    plumbline = await startTarget('all', env)
  }
  // Another fault beside the kills: for a while it is told to come later.
  double.reply = says(429, '{}', { 'retry-after': '1' })
  await until('it is told to wait', async () => (await told()).standing === 'paused')
  double.reply = isKind
  await until('all is answered', async () => (await told()).questions['answered'] === N, 120_000)
  const rows = () =>
    ask<{ label_id: string; prediction_id: string; label: string; labeler: string }>(
      plumbline!.clickhouseUrl,
      `SELECT label_id, prediction_id, label, labeler FROM labels WHERE model_id = 'chat'`,
    )
  await until('all are labels', async () => (await rows()).length >= N)
  const found = await rows()
  expect(found).toHaveLength(N)
  expect(new Set(found.map((row) => row.label_id)).size).toBe(N)
  expect(new Set(found.map((row) => row.prediction_id)).size).toBe(N)
  expect(new Set(found.map((row) => row.labeler))).toEqual(new Set(['kind@3']))
  expect((await told()).spent_usd).toBeLessThanOrEqual(BUDGET_USD)
  expect((await told()).spent_usd).toBeGreaterThanOrEqual(N * 0.00014)

  // Answers are numbers of windows like any other named label.
  await until('its window is evaluated', async () => {
    const [row] = await ask<{ value: number }>(
      plumbline!.clickhouseUrl,
      `SELECT value FROM window_metrics_latest WHERE model_id = 'chat' AND family = 'feedback' AND metric = 'rate' AND subject = 'kind=no' AND model_version = '' AND n_current = ${N} LIMIT 1`,
    )
    return row !== undefined && Math.abs(row.value - 0.1) < 1e-9
  })

  const metrics = await (await fetch(`${plumbline.url}/metrics`)).text()
  expect(metrics).toMatch(
    /plumbline_judge_questions_total\{model_id="chat",judge="kind",version="3",outcome="answered",reason=""\} \d+/,
  )
  await until('gauges are there', async () =>
    /plumbline_judge_budget_left_usd\{model_id="chat",judge="kind",version="3"\} 0\.0\d+/.test(
      await (await fetch(`${plumbline!.url}/metrics`)).text(),
    ),
  )
  // Its key is in no log and no answer.
  expect(double.requests[0]!.authorization).toBe(`Bearer ${KEY}`)
  expect(plumbline.log() + metrics + JSON.stringify(await told())).not.toContain(KEY)
})

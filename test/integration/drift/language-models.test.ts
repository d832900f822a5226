/**
 * A language model's application: its texts become features, its tokens a cost, its calls tasks; and
 * each is evaluated like any number.
 */
import { beforeAll, expect, test } from 'vitest'
import { derivation } from '../../../lib/models/derived/derived-fields.ts'
import { parsePrices } from '../../../lib/models/derived/price-table.ts'
import { eventPrivacy } from '../../../lib/models/event-privacy.ts'
import { parseModel, type Model, type Models } from '../../../lib/models/model-files.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { tasksOfWindow } from '../../../services/drift/queries/agents/tasks-of-window.ts'
import { exampleRoutes } from '../../../services/drift/http/example-routes.ts'
import type { Http } from '../../../lib/http/server.ts'
import { ProblemDocument } from '../../../schemas/http/errors.ts'
import { bareHttp } from '../../bare-http.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 1)
const WINDOWS = '{ size: 1d, lateness: 0s, min_count: 50 }'
const chat = parseModel(`
model_id: chat
task: llm
windows: ${WINDOWS}
trace_url: https://traces.example/trace/{trace_id}?view=tree
expectations: [{ name: short, feature: output_text.words, max: 7 }]
`)
const quiet = parseModel(
  `{ model_id: quiet, task: llm, windows: ${WINDOWS}, privacy: { drop: [output_text], mask: [email] } }`,
)
const byId = new Map([chat, quiet].map((model) => [model.modelId, model]))
const models: Models = { declared: [chat, quiet], get: (id) => byId.get(id) as Model }
const prices = parsePrices('prices: [{ model: m-*, input_per_million: 2, output_per_million: 10 }]')
const uniform = uniforms(11)
let stream: Pipeline
let evaluate: ReturnType<typeof evaluateOn>

beforeAll(async () => {
  stream = await pipeline({
    derive: derivation({
      descriptorsOf: (id) => models.get(id).descriptors,
      prices: () => prices,
    }),
    privacy: eventPrivacy(models, undefined),
  })
  evaluate = evaluateOn(stream.connect('drift'), { now: () => START + 400 * DAY })
})

/** A day of tasks of one agent's call, one model's call and some tools' calls each. */
const tasksOf = (modelId: string, day: number, failing: number, tasks = 60) => {
  // Days differ, and none goes on where the one before ended: they do not wander.
  const share = failing * (0.6 + 0.2 * ((day * 5) % 4))
  let calls = 0
  const fails = () => Math.floor(++calls * share) > Math.floor((calls - 1) * share)
  return Array.from({ length: tasks }, (_, task) => {
    const at = (k: number) => new Date(START + day * DAY + task * 600_000 + k * 1000).toISOString()
    const call = (k: number, operation: string, more: object) => ({
      prediction_id: `${day}-${task}-${k}`,
      model_id: modelId,
      model_version: operation === 'chat' ? 'm-1' : `${operation} x`,
      predicted_at: at(k),
      trace_id: `trace-${day}-${task}`,
      attributes: { operation, ...(operation === 'execute_tool' && { tool: 'search' }) },
      ...more,
    })
    const tools = 1 + Math.floor(3 * uniform())
    const tokens = 800 + Math.floor(400 * uniform())
    return [
      call(0, 'invoke_agent', { input_tokens: tokens, output_tokens: 100, cost_usd: 99 }),
      call(1, 'chat', {
        input_tokens: tokens,
        output_tokens: 100,
        input_text: 'Where is my parcel? Write to ada@example.org',
        output_text: task % 2 === 0 ? 'It comes today.' : 'It will come on Monday, I hope.',
      }),
      ...Array.from({ length: tools }, (_tool, k) =>
        call(2 + k, 'execute_tool', {
          input_text: `query ${k}`,
          status: fails() ? 'error' : 'ok',
        }),
      ),
    ]
  }).flat()
}

const results = (modelId: string, day: number) =>
  stream.db.query<{ metric: string; value: number; verdict: string; n_current: string }>(
    `SELECT metric, value, verdict, n_current FROM window_metrics_latest
     WHERE model_id = {model:String} AND window_start = {start:DateTime64(3, 'UTC')} AND family = 'operations'
       AND model_version = '' AND slice_key = '' AND metric IN ('steps_per_task', 'tool_error_ratio', 'loop_ratio', 'cost_per_task_usd') ORDER BY metric`,
    {
      model: modelId,
      start: new Date(START + day * DAY).toISOString().slice(0, -1).replace('T', ' '),
    },
  )

test('texts are features and tokens a cost, of what is stored and of what is dropped', async () => {
  await stream.predictions([...tasksOf('chat', 0, 0, 1), ...tasksOf('quiet', 0, 0, 1)])
  const rows = await stream.db.query<{ model_id: string; cost: number; input: string }>(
    `SELECT model_id, cost_usd AS cost, input_text AS input, output_text AS output, toString(features['output_text.words']) AS words,
       toString(features['output_text.script']) AS script, toString(features['output_text.refusal']) AS refuses
     FROM predictions WHERE model_version = 'm-1' ORDER BY model_id`,
  )
  const measured = { words: '3', script: 'latin', refuses: 'false' }
  expect(rows).toEqual([
    {
      model_id: 'chat',
      cost: expect.any(Number),
      input: 'Where is my parcel? Write to ada@example.org',
      output: 'It comes today.',
      ...measured,
    },
    {
      model_id: 'quiet',
      cost: expect.any(Number),
      input: 'Where is my parcel? Write to [email]',
      output: '',
      ...measured,
    },
  ])
  // 800 to 1 200 tokens at 2 dollars a million, and 100 at 10.
  for (const { cost } of rows) {
    expect(cost).toBeGreaterThanOrEqual(0.0026)
    expect(cost).toBeLessThanOrEqual(0.0034)
  }
})

test('tasks are counted without what their agent’s call contains', async () => {
  await stream.predictions(
    [1, 2, 3].flatMap((k) => [
      {
        prediction_id: `loop-${k}`,
        model_id: 'chat',
        model_version: 'execute_tool x',
        predicted_at: new Date(START + 20 * DAY + k).toISOString(),
        trace_id: 'loop',
        attributes: { operation: 'execute_tool', tool: 'search' },
        input_text: 'again',
        status: k === 3 ? 'error' : 'ok',
      },
      {
        prediction_id: `calm-${k}`,
        model_id: 'chat',
        model_version: k === 1 ? 'invoke_agent x' : 'm-1',
        predicted_at: new Date(START + 20 * DAY + k).toISOString(),
        trace_id: 'calm',
        attributes: { operation: k === 1 ? 'invoke_agent' : 'chat' },
        cost_usd: k,
      },
    ]),
  )
  const window = { start: START + 20 * DAY, end: START + 21 * DAY }
  const tasks = await tasksOfWindow(stream.db, { modelId: 'chat', window, every: 1 })
  expect(tasks).toEqual({
    steps: { n: 2, mean: 2.5, standardDeviation: expect.closeTo(Math.SQRT1_2, 12) },
    // 2 and 3 of the model's calls: what the agent's call says contains them.
    cost: { n: 1, mean: 5, standardDeviation: 0 },
    toolCalls: 3,
    toolErrors: 1,
    loops: 1,
  })
  expect(await tasksOfWindow(stream.db, { modelId: 'nobody', window, every: 1 })).toBeUndefined()
})

test('an event that is kept as an example links to its trace, whatever its id is', async () => {
  const http = bareHttp()
  http.addSchema(ProblemDocument)
  exampleRoutes(http as unknown as Http, { db: stream.db, models })
  await stream.predictions([
    ...tasksOf('chat', 30, 0),
    {
      prediction_id: 'long',
      model_id: 'chat',
      model_version: 'm-1',
      predicted_at: new Date(START + 30 * DAY).toISOString(),
      trace_id: '../x?y#z "<',
      output_text: 'An answer that is longer than it was said to be.',
    },
  ])
  await evaluate(chat)
  const answer = await http.inject(`/v1/models/chat/examples?subject=short`)
  expect(answer.json().examples).toEqual([
    expect.objectContaining({
      prediction_id: 'long',
      features: { 'output_text.words': 11 },
      trace_url: 'https://traces.example/trace/..%2Fx%3Fy%23z%20%22%3C?view=tree',
    }),
  ])
})

test('tools that begin to fail alarm, and steps that stay the same do not', async () => {
  for (let day = 1; day < 10; day++) await stream.predictions(tasksOf('quiet', day, 0.03))
  await stream.predictions(tasksOf('quiet', 10, 0.4))
  await evaluate(quiet)
  expect(await results('quiet', 3)).toContainEqual(
    expect.objectContaining({ metric: 'tool_error_ratio', verdict: 'none' }),
  )
  const last = new Map((await results('quiet', 10)).map((row) => [row.metric, row]))
  expect(last.get('tool_error_ratio')).toMatchObject({ verdict: 'alarm' })
  expect(last.get('steps_per_task')).toMatchObject({ verdict: 'ok', n_current: '60' })
  expect(last.get('cost_per_task_usd')).toMatchObject({ verdict: 'ok' })
  expect(last.get('loop_ratio')!.value).toBe(0)
})

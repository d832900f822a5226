/**
 * Judges are asked over HTTP, and their answers become labels: each prediction once, whatever the
 * endpoint does. The endpoint is a test double.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { parseAllowed } from '../../../lib/http/outgoing/address-rules.ts'
import { guardedFetch } from '../../../lib/http/outgoing/guarded-fetch.ts'
import type { Postgres } from '../../../lib/postgres/port.ts'
import type { Judging } from '../../../services/feedback/loop/judges/judging.ts'
import { addQuestions } from '../../../services/feedback/queries/judges/questions.ts'
import { migratedPostgres, temporaryDirectory } from '../../harness.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'
import {
  completion,
  dataOf,
  judgeDouble,
  labels,
  says,
  type JudgeDouble,
} from '../../servers/judge-double.ts'
import { DAY, judgingOf, modelWithJudge, moneyOf, predictionsOf, statesOf } from './asked.ts'

let stream: Pipeline
let postgres: Postgres
let double: JudgeDouble
beforeAll(async () => {
  stream = await pipeline()
  postgres = await migratedPostgres(temporaryDirectory())
  double = await judgeDouble(labels(() => 'yes'))
})

const isShort = labels((request) =>
  String(dataOf(request)['output_text']).length < 5 ? 'yes' : 'no',
)

/** A model with predictions, its judge, and the asking of a process. */
async function asking(
  modelId: string,
  texts: readonly string[],
  more = '',
  parts: Partial<Judging> & { sample?: number } = {},
) {
  double.requests.length = 0
  double.open.most = 0
  await stream.predictions(predictionsOf(modelId, texts))
  const directory = temporaryDirectory()
  const { sample = 1 } = parts
  const model = modelWithJudge(directory, { modelId, url: double.url, more, sample })
  return { directory, model, ...judgingOf(stream, postgres, [model], parts) }
}

test('answers become labels of the judge, with the probability of the draw', async () => {
  double.reply = isShort
  const { all, emit, sent, counts, faults } = await asking('labelled', ['ja', 'a long one'])
  await all()
  expect(faults).toEqual([])
  await emit()
  expect(
    sent.toSorted((a, b) => String(a['prediction_id']).localeCompare(String(b['prediction_id']))),
  ).toEqual([
    {
      label_id: expect.stringMatching(/^judge:[0-9a-f]{32}$/) as string,
      model_id: 'labelled',
      prediction_id: 'p-0',
      label: 'yes',
      labelled_at: '2025-06-05T06:00:00.000Z',
      source: 'judge',
      name: 'grounded',
      labeler: 'grounded@1',
      comment: 'because',
      inclusion_probability: 1,
    },
    expect.objectContaining({ prediction_id: 'p-1', label: 'no' }),
  ])
  expect(double.requests[0]).toMatchObject({
    path: '/v1/chat/completions',
    authorization: undefined,
    body: {
      model: 'small',
      temperature: 0,
      max_tokens: 512,
      response_format: { type: 'json_schema', json_schema: { strict: true } },
    },
  })
  expect(counts).toEqual({ drawn: 2, asked: 2, answered: 2 })
  // The double's 100 and 20 tokens at 1 and 2 dollars a million.
  expect(await moneyOf(postgres, 'labelled')).toEqual({ spent: 2 * 140_000, reserved: 0 })
  await all()
  await emit()
  expect(sent).toHaveLength(2)
})

test('a sample is a part of every larger one, with its probability', async () => {
  double.reply = isShort
  const texts = Array.from({ length: 200 }, (_, i) => `text ${i}`)
  const quarter = await asking('sampled', texts, '', { sample: 0.25 })
  await quarter.all()
  await quarter.emit()
  const some = quarter.sent.map((label) => label['prediction_id'])
  expect(some.length).toBeGreaterThan(20)
  expect(some.length).toBeLessThan(90)
  expect(new Set(quarter.sent.map((label) => label['inclusion_probability']))).toEqual(
    new Set([0.25]),
  )
  const half = modelWithJudge(quarter.directory, {
    modelId: 'sampled',
    url: double.url,
    judge: `{ name: other, version: '1', prompt: prompts/g.yaml, sample: 0.5, answer: { classes: [yes, no] }, endpoint: { url: "${double.url}", model: small } }`,
  })
  const larger = judgingOf(stream, postgres, [half])
  await larger.all()
  await larger.emit()
  const more = new Set(larger.sent.map((label) => label['prediction_id']))
  expect(some.every((id) => more.has(id))).toBe(true)
  expect(more.size).toBeGreaterThan(some.length)
})

test('equal prompts are asked once, and the answer is taken again for nothing', async () => {
  double.reply = isShort
  const { all, emit, sent, counts } = await asking(
    'cached',
    Array.from({ length: 20 }, () => 'ja'),
    ', concurrency: 1',
  )
  await all()
  await emit()
  expect(sent).toHaveLength(20)
  expect(double.requests).toHaveLength(1)
  expect(counts).toEqual({ drawn: 20, asked: 1, answered: 1, cached: 19 })
  expect(await moneyOf(postgres, 'cached')).toEqual({ spent: 140_000, reserved: 0 })
})

test.each([
  ['lies', completion('{"comment":"x","label":"maybe"}'), 'not_a_class'],
  ['chats', completion('Sure! The answer is yes.'), 'not_json'],
  ['misshapes', completion('{"verdict":"yes"}'), 'wrong_shape'],
  ['breaks', '<html>it works</html>', 'not_a_completion'],
  ['floods', 'x'.repeat(3 << 20), 'too_large'],
  ['floods_within', completion('x'.repeat(100_000)), 'too_large'],
])('an endpoint that %s gives no label, and the reason is counted', async (what, text, reason) => {
  double.reply = says(200, text)
  const { all, emit, sent, counts } = await asking(`it_${what}`, ['a', 'b'])
  await all()
  await emit()
  expect(sent).toEqual([])
  expect(await statesOf(postgres, `it_${what}`)).toEqual({ [`invalid:${reason}`]: 2 })
  expect(counts).toEqual({ drawn: 2, asked: 2, [`invalid:${reason}`]: 2 })
})

test('what says nothing of its tokens is charged as the most that it may cost', async () => {
  double.reply = says(200, completion('{"comment":"","label":"yes"}', { prompt_tokens: 'free' }))
  const { all } = await asking('untold', ['a'])
  await all()
  const { spent, reserved } = await moneyOf(postgres, 'untold')
  expect(reserved).toBe(0)
  // 512 tokens of answer, and at least one for each byte that was sent.
  expect(spent).toBeGreaterThan(
    512 * 2000 + Buffer.byteLength(JSON.stringify(double.requests[0]!.body)) * 1000,
  )
})

test('429 leaves the endpoint alone for as long as it asks, and the answer comes later', async () => {
  double.reply = says(429, '{"error":{"message":"slow down"}}', { 'retry-after': '120' })
  const { all, emit, sent, clock } = await asking('limited', ['a'])
  await all()
  expect(double.requests).toHaveLength(1)
  clock.now += 119_000
  await all()
  expect(double.requests).toHaveLength(1)
  double.reply = labels(() => 'yes')
  clock.now += 2000
  await all()
  await emit()
  expect(sent).toHaveLength(1)
  expect(await moneyOf(postgres, 'limited')).toEqual({ spent: 140_000, reserved: 0 })
})

test('an endpoint that fails is tried ever less often, and then the question has failed', async () => {
  double.reply = says(500, 'oh no')
  const { all, clock, counts } = await asking('failing', ['a'], ', attempts: 3, concurrency: 1')
  const waits: number[] = []
  for (let tries = 1, waited = 0; tries <= 3;) {
    await all()
    if (double.requests.length < tries) {
      clock.now += 100
      waited += 100
      continue
    }
    waits.push(waited)
    waited = 0
    tries++
  }
  expect(waits[2]!).toBeGreaterThan(waits[1]!)
  expect(await statesOf(postgres, 'failing')).toEqual({ 'failed:server_error': 1 })
  expect(counts).toEqual({ drawn: 1, asked: 3, 'failed:server_error': 1 })
  expect(await moneyOf(postgres, 'failing')).toEqual({ spent: 0, reserved: 0 })
})

test('an answer that does not come in time is charged, and tried again', async () => {
  double.reply = () => {}
  const { all, counts } = await asking('slow', ['a'], ', timeout: 1s, attempts: 1')
  await all()
  expect(counts).toEqual({ drawn: 1, asked: 1, 'failed:timeout': 1 })
  expect((await moneyOf(postgres, 'slow')).spent).toBeGreaterThan(512 * 2000)
})

test('an answer that trickles ends with the time of all of it', async () => {
  double.reply = (_request, response) => {
    response.writeHead(200)
    const drip = setInterval(() => response.write(' '), 20)
    response.on('close', () => clearInterval(drip))
  }
  const { all, counts } = await asking('dripping', ['a'], ', timeout: 1s, attempts: 1')
  await all()
  expect(counts).toMatchObject({ 'failed:timeout': 1 })
})

test('the key is sent to the endpoint alone, and is in no problem that is kept', async () => {
  const key = 'sk-very-secret-1234'
  double.reply = says(401, `{"error":{"message":"Incorrect API key provided: ${key}"}}`)
  const settings = { modelId: 'keyed', url: double.url }
  const directory = temporaryDirectory()
  await stream.predictions(predictionsOf('keyed', ['a']))
  const judge = `{ name: grounded, version: '1', prompt: prompts/g.yaml, sample: 1, answer: { classes: [yes, no] }, endpoint: { url: "${double.url}", model: small, key: "secret://env/JUDGE_KEY" } }`
  const model = modelWithJudge(directory, { ...settings, judge })
  const { all } = judgingOf(stream, postgres, [model], {
    environment: (name) => (name === 'JUDGE_KEY' ? key : undefined),
  })
  double.requests.length = 0
  await all()
  expect(double.requests[0]!.authorization).toBe(`Bearer ${key}`)
  const [version] = await postgres.query<{ problem: string }>(
    `select problem from judge_versions where model_id = 'keyed'`,
  )
  expect(version!.problem).toBe(
    'the endpoint answered 401: {"message":"Incorrect API key provided: ***"}',
  )
  expect(JSON.stringify(await postgres.query('select * from judge_questions'))).not.toContain(key)
  const without = judgingOf(stream, postgres, [
    modelWithJudge(directory, { ...settings, judge: judge.replace("'1'", "'2'") }),
  ])
  await without.all()
  expect(double.requests).toHaveLength(1)
  expect(without.counts).toMatchObject({ 'failed:no_secret': 1 })
})

test('an address that may not be reached gets nothing', async () => {
  const { all, counts } = await asking('inward', ['a'], '', {
    fetch: guardedFetch(parseAllowed('')),
  })
  await all()
  expect(double.requests).toEqual([])
  expect(counts).toMatchObject({ 'failed:address_refused': 1 })
})

test('no more is asked at a time than the judge may, and others do not wait for it', async () => {
  double.reply = () => {}
  const texts = Array.from({ length: 10 }, (_, i) => `text ${i}`)
  const hanging = await asking('hanging', texts, ', concurrency: 3, timeout: 2s, attempts: 1')
  const other = await judgeDouble(labels(() => 'yes'))
  await stream.predictions(predictionsOf('quick', ['a']))
  const quick = modelWithJudge(temporaryDirectory(), { modelId: 'quick', url: other.url })
  const both = judgingOf(stream, postgres, [hanging.model, quick])
  await both.all()
  expect(double.open.most).toBe(3)
  expect(await statesOf(postgres, 'quick')).toEqual({ answered: 1 })
})

test('a prompt that changes under its version is asked nothing, nor one that is gone', async () => {
  double.reply = labels(() => 'yes')
  const { directory, model, step } = await asking('changed', ['a', 'b', 'c'], ', concurrency: 1')
  await step()
  const file = join(directory, 'prompts', 'g.yaml')
  writeFileSync(file, "{ version: '2', system: other, user: '{{output_text}}' }")
  await step()
  rmSync(file)
  await step()
  expect(double.requests).toHaveLength(1)
  const next = modelWithJudge(directory, {
    modelId: 'changed',
    url: double.url,
    judge: `{ name: grounded, version: '2', prompt: prompts/g.yaml, sample: 1, answer: { classes: [yes, no] }, endpoint: { url: "${double.url}", model: small } }`,
  })
  expect(next.judges[0]!.version).not.toBe(model.judges[0]!.version)
  await judgingOf(stream, postgres, [next]).all()
  expect(await statesOf(postgres, 'changed')).toEqual({ answered: 4, open: 2 })
})

test('predictions without the field, or erased since, are unasked', async () => {
  double.reply = labels(() => 'yes')
  const { judging, model, all, counts } = await asking('bare', ['a'])
  await stream.predictions([
    { ...predictionsOf('bare', ['b'])[0], prediction_id: 'silent', output_text: '' },
  ])
  const of = { modelId: model.modelId, judge: 'grounded', version: '1' }
  const gone = { questionId: 'q-gone', predictionId: 'never there', inclusionProbability: 1 }
  await addQuestions(postgres, of, [gone], judging.now())
  await all()
  expect(counts).toMatchObject({ 'unasked:field_missing': 1, 'unasked:gone': 1, answered: 1 })
})

test('a command is a judge where commands are allowed', async () => {
  const script = join(temporaryDirectory(), 'judge.mjs')
  writeFileSync(
    script,
    `let text = ''
for await (const chunk of process.stdin) text += chunk
const asked = JSON.parse(text).messages.at(-1).content
const content = JSON.stringify({ comment: String(process.env.HOME), label: asked.includes('"ja"') ? 'yes' : 'no' })
console.log(JSON.stringify({ choices: [{ message: { content } }] }))`,
  )
  const judge = `{ name: own, version: '1', prompt: prompts/g.yaml, sample: 1, budget_usd_per_day: 0, answer: { classes: [yes, no] }, command: ["${process.execPath}", "${script}"] }`
  await stream.predictions(predictionsOf('commanded', ['ja', 'nein']))
  const model = modelWithJudge(temporaryDirectory(), { modelId: 'commanded', url: '', judge })
  const forbidden = judgingOf(stream, postgres, [model], { allowsCommands: false })
  await forbidden.all()
  expect(forbidden.counts).toEqual({})
  const { all, emit, sent } = judgingOf(stream, postgres, [model])
  await all()
  await emit()
  expect(
    new Map(sent.map(({ prediction_id, label, comment }) => [prediction_id, [label, comment]])),
  ).toEqual(
    // None of our environment reaches it.
    new Map([
      ['p-0', ['yes', 'undefined']],
      ['p-1', ['no', 'undefined']],
    ]),
  )
})

test.each([
  ['is not there', '["/no/such/program"]'],
  ['fails', `["${process.execPath}", "-e", "console.error('no \\\\u0000 luck'); process.exit(3)"]`],
  ['floods', `["${process.execPath}", "-e", "process.stdout.write('x'.repeat(5 << 20))"]`],
  ['hangs', `["${process.execPath}", "-e", "setInterval(() => {}, 1000)"]`],
])('a command that %s gives no label', async (what, command) => {
  const modelId = `command ${what}`
  const judge = `{ name: own, version: '1', prompt: prompts/g.yaml, sample: 1, attempts: 1, timeout: 1s, answer: { classes: [yes, no] }, command: ${command} }`
  await stream.predictions(predictionsOf(modelId, ['a']))
  const model = modelWithJudge(temporaryDirectory(), { modelId, url: '', judge })
  const { all, emit, sent } = judgingOf(stream, postgres, [model])
  await all()
  await emit()
  expect(sent).toEqual([])
  const [state] = Object.keys(await statesOf(postgres, modelId))
  expect(state).toMatch(/^(failed:(command_failed|timeout)|invalid:too_large)$/)
})

test('numbers of a range are labels too', async () => {
  double.reply = labels(() => 4)
  await stream.predictions(predictionsOf('starred', ['a']))
  const model = modelWithJudge(temporaryDirectory(), {
    modelId: 'starred',
    url: double.url,
    answer: '{ minimum: 1, maximum: 5, whole: true }',
  })
  const { all, emit, sent } = judgingOf(stream, postgres, [model])
  await all()
  await emit()
  expect(sent).toMatchObject([
    { label: 4, labelled_at: new Date(DAY + 6 * 3_600_000).toISOString() },
  ])
})

test('of a pair both orders are asked and paid for, and a judge that likes the first gives ties', async () => {
  const directory = temporaryDirectory()
  const judge = (name: string) =>
    `{ name: ${name}, version: '1', prompt: prompts/pair.yaml, sample: 1, answer: { pair: [output_text, attributes.other] }, endpoint: { url: "${double.url}", model: small } }`
  await stream.predictions(
    predictionsOf('paired', ['good', 'bad'], (i) => ({
      attributes: { other: i === 0 ? 'bad' : 'good' },
    })),
  )
  const model = (name: string) => {
    const made = modelWithJudge(directory, { modelId: 'paired', url: '', judge: judge(name) })
    writeFileSync(
      join(directory, 'prompts', 'pair.yaml'),
      "{ version: '1', system: Which is better?, user: '{{first}} {{second}}' }",
    )
    return made
  }
  const labelsOf = async (name: string) => {
    const { all, emit, sent, counts } = judgingOf(stream, postgres, [model(name)])
    double.requests.length = 0
    await all()
    await emit()
    expect(double.requests).toHaveLength(4)
    expect(counts).toEqual({ drawn: 2, asked: 4, answered: 2 })
    const of = (id: string) => sent.find((label) => label['prediction_id'] === id)!['label']
    return [of('p-0'), of('p-1')]
  }
  double.reply = labels((request) => (dataOf(request)['first'] === 'good' ? 'first' : 'second'))
  expect(await labelsOf('fair')).toEqual(['first', 'second'])
  double.reply = labels(() => 'first')
  expect(await labelsOf('biased')).toEqual(['tie', 'tie'])
  expect(await moneyOf(postgres, 'paired')).toEqual({ spent: 8 * 140_000, reserved: 0 })
  double.reply = (request, response) =>
    double.requests.length % 2 === 0
      ? says(500, 'no')(request, response)
      : labels(() => 'first')(request, response)
  const half = judgingOf(stream, postgres, [
    modelWithJudge(directory, {
      modelId: 'paired',
      url: '',
      judge: judge('half').replace('sample: 1', 'sample: 1, attempts: 1, concurrency: 1'),
    }),
  ])
  double.requests.length = 0
  await half.all()
  // The answer to the first order is paid for, the refusal of the second is not.
  expect(half.counts).toMatchObject({ asked: 2, 'failed:server_error': 1 })
  expect((await moneyOf(postgres, 'paired')).spent).toBe(9 * 140_000)
})

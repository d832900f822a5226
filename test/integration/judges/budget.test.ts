/**
 * Several processes ask one judge on one PostgreSQL server: the budget of a day holds, and killed
 * processes leave neither a doubled label nor money that nobody counts.
 */
import { beforeAll, expect, test } from 'vitest'
import { NO_PRICES } from '../../../lib/models/derived/price-table.ts'
import { serverPostgres, type Postgres } from '../../../lib/postgres/port.ts'
import {
  askStep,
  tidyStep,
  underWayEnded,
} from '../../../services/feedback/loop/judges/ask-judges.ts'
import type { Judging } from '../../../services/feedback/loop/judges/judging.ts'
import { standingOf } from '../../../services/feedback/queries/judges/standing.ts'
import type { ModelJudge } from '../../../schemas/language-models/judges.ts'
import { temporaryDirectory } from '../../harness.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'
import { completion, judgeDouble, labels, type JudgeDouble } from '../../servers/judge-double.ts'
import { postgresServer } from '../../servers/postgres-server.ts'
import { judgingOf, modelWithJudge, moneyOf, predictionsOf, statesOf } from './asked.ts'

let stream: Pipeline
let connections: Postgres[]
let double: JudgeDouble
beforeAll(async () => {
  const { url, stop } = await postgresServer()
  connections = [serverPostgres(url), serverPostgres(url), serverPostgres(url)]
  stream = await pipeline()
  double = await judgeDouble(labels(() => 'yes'))
  return async () => {
    await Promise.all(connections.map((db) => db.close()))
    await stop()
  }
})

const texts = (n: number) => Array.from({ length: n }, (_, i) => `text ${i}`)

async function processesOf(modelId: string, n: number, more: string) {
  await stream.predictions(predictionsOf(modelId, texts(n)))
  const model = modelWithJudge(temporaryDirectory(), { modelId, url: double.url, more })
  return connections.map((postgres) => judgingOf(stream, postgres, [model]))
}

test('three processes with eight requests each never hold and spend more than the budget', async () => {
  double.requests.length = 0
  double.open.most = 0
  double.reply = (request, response) =>
    void setTimeout(() => labels(() => 'yes')(request, response), 20)
  const budget = 60 * 140_000
  // The most that one answer may cost, more than twenty times what it does.
  const most = 3_200_000
  const processes = await processesOf(
    'budgeted',
    150,
    `, budget_usd_per_day: ${budget / 1e9}, concurrency: 8, max_tokens: 16`,
  )
  const [first] = connections
  // The server itself refuses any moment at which more is held and spent.
  await first!.exec(
    `alter table judge_days add constraint kept check (model_id <> 'budgeted' or spent_nano_usd + reserved_nano_usd <= ${budget})`,
  )
  for (let round = 0; round < 20; round++) {
    await Promise.all(processes.map(({ step }) => step()))
    for (const { clock } of processes) clock.now += 11_000
  }
  expect(processes.flatMap(({ faults }) => faults)).toEqual([])
  const { spent, reserved } = await moneyOf(first!, 'budgeted')
  expect(reserved).toBe(0)
  expect(spent).toBe(double.requests.length * 140_000)
  // What is left does not pay for the most that one more answer may cost.
  expect(spent).toBeGreaterThan(budget - most)
  expect(double.open.most).toBeGreaterThan(1)
  // The next day has a budget of its own.
  for (const { clock } of processes) clock.now += 18 * 3_600_000
  await Promise.all(processes.map(({ step }) => step()))
  expect((await moneyOf(first!, 'budgeted')).spent).toBeGreaterThan(spent)
})

test('processes that race ask each question once', async () => {
  double.requests.length = 0
  double.reply = labels(() => 'yes')
  const processes = await processesOf('raced', 120, ', concurrency: 8')
  await Promise.all(processes.map(({ all }) => all()))
  await Promise.all(processes.map(({ all }) => all()))
  expect(double.requests).toHaveLength(120)
  expect(await statesOf(connections[0]!, 'raced')).toEqual({ answered: 120 })
  await Promise.all(processes.map(({ emit }) => emit()))
  const ids = processes.flatMap(({ sent }) => sent.map((label) => label['label_id']))
  // Sent twice by two processes at once, a label has the same id, which counts once.
  expect(new Set(ids).size).toBe(120)
})

test('a process that is gone while it asks: another takes over, and its money counts as spent', async () => {
  double.requests.length = 0
  double.reply = () => {}
  const [gone, next] = await processesOf('left', 1, ', timeout: 5s')
  await askStep(gone!.loop)
  await expect.poll(() => double.requests.length).toBe(1)
  const { reserved } = await moneyOf(connections[0]!, 'left')
  expect(reserved).toBeGreaterThan(0)
  // Within the claim nobody else asks.
  await next!.all()
  expect(double.requests).toHaveLength(1)
  double.reply = labels(() => 'no')
  next!.clock.now += 36_000
  await next!.all()
  await next!.emit()
  expect(next!.sent).toHaveLength(1)
  expect(await moneyOf(connections[0]!, 'left')).toEqual({ spent: reserved + 140_000, reserved: 0 })
  // What the first one still hears of its request changes nothing.
  await underWayEnded(gone!.loop)
  expect(await statesOf(connections[0]!, 'left')).toEqual({ answered: 1 })
  expect(await moneyOf(connections[0]!, 'left')).toEqual({ spent: reserved + 140_000, reserved: 0 })
})

test('a process that ends while it asks gives the question back, and counts what it may have cost', async () => {
  double.requests.length = 0
  double.reply = () => {}
  await stream.predictions(predictionsOf('stopped', texts(1)))
  const model = modelWithJudge(temporaryDirectory(), { modelId: 'stopped', url: double.url })
  const stopping = new AbortController()
  const ending = judgingOf(stream, connections[0]!, [model], { stopping: stopping.signal })
  await askStep(ending.loop)
  await expect.poll(() => double.requests.length).toBe(1)
  stopping.abort()
  await underWayEnded(ending.loop)
  expect(await statesOf(connections[0]!, 'stopped')).toEqual({ open: 1 })
  const { spent, reserved } = await moneyOf(connections[0]!, 'stopped')
  expect([spent > 0, reserved]).toEqual([true, 0])
  double.reply = labels(() => 'yes')
  const next = judgingOf(stream, connections[1]!, [model])
  await next.all()
  expect(await statesOf(connections[0]!, 'stopped')).toEqual({ answered: 1 })
})

test('a judge whose tokens cost more than it was told stops for the day', async () => {
  double.requests.length = 0
  double.reply = (_request, response) =>
    void response.end(
      completion('{"comment":"","label":"yes"}', {
        prompt_tokens: 5_000_000_000,
        completion_tokens: 1,
      }),
    )
  const [one] = await processesOf('lied', 20, ', concurrency: 1')
  await one!.all()
  one!.clock.now += 60_000
  await one!.all()
  expect(double.requests).toHaveLength(1)
})

test('questions that are not asked within a day are ended, and their money is counted', async () => {
  double.reply = () => {}
  const [one] = await processesOf('late', 3, ', concurrency: 1, timeout: 1s, attempts: 9')
  await askStep(one!.loop)
  await expect
    .poll(async () => (await moneyOf(connections[0]!, 'late')).reserved)
    .toBeGreaterThan(0)
  const { reserved } = await moneyOf(connections[0]!, 'late')
  one!.clock.now += 25 * 3_600_000
  await tidyStep(one!.judging)
  expect(await statesOf(connections[0]!, 'late')).toEqual({ 'unasked:expired': 3 })
  expect(one!.counts['unasked:expired']).toBe(3)
  expect(await moneyOf(connections[0]!, 'late')).toEqual({ spent: reserved, reserved: 0 })
  await underWayEnded(one!.loop)
  expect(await moneyOf(connections[0]!, 'late')).toEqual({ spent: reserved, reserved: 0 })
})

test('a judge without a price, or with a budget below one answer, is asked nothing and says why', async () => {
  const [plain] = await processesOf('unpriced', 1, '')
  const model = plain!.loop.models.declared[0]!
  const standing = async (parts: Partial<Judging>, more: Partial<ModelJudge> = {}) => {
    const found = await standingOf({ ...plain!.judging, ...parts }, model, {
      ...model.judges[0]!,
      ...more,
    })
    return found.kind === 'ready' ? '' : found.reason
  }
  expect(await standing({})).toBe('')
  expect(await standing({ prices: () => NO_PRICES })).toBe(
    'the price file has no price of small: add one, or set usd_per_call',
  )
  expect(await standing({ prices: () => NO_PRICES }, { usd_per_call: 0.01 })).toBe('')
  expect(await standing({}, { budget_usd_per_day: 0.001 })).toMatch(
    /^one answer may cost 0\.001\d US dollars or more, above budget_usd_per_day 0\.001$/,
  )
})

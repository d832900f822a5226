/**
 * Candidates that get their traffic step by step: launched over real HTTP, judged by what both
 * versions serve, kept in real stores; and schedulers that die at any moment.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseAllowed } from '../../../lib/http/outgoing/address-rules.ts'
import { guardedFetch } from '../../../lib/http/outgoing/guarded-fetch.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import type { EmbeddedPostgres, Postgres } from '../../../lib/postgres/port.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { runFindings } from '../../../services/alerts/queries/findings.ts'
import { parsePolicies } from '../../../services/retrain-trigger/decide/policies.ts'
import { goOn } from '../../../services/retrain-trigger/decide/rollout.ts'
import { launcher } from '../../../services/retrain-trigger/launchers/launch.ts'
import { launchDue } from '../../../services/retrain-trigger/loop/decision-loop.ts'
import { lookAtOutcomes } from '../../../services/retrain-trigger/loop/outcomes.ts'
import { recordDecision } from '../../../services/retrain-trigger/queries/decision-ledger.ts'
import { reportRun } from '../../../services/retrain-trigger/queries/reports.ts'
import { moveByPerson } from '../../../services/retrain-trigger/queries/rollout/moves.ts'
import { readTransitions } from '../../../services/retrain-trigger/queries/run-history.ts'
import type { Run } from '../../../services/retrain-trigger/queries/run-record.ts'
import { listRuns, readHistory, readRun } from '../../../services/retrain-trigger/queries/runs.ts'
import { withdrawRun } from '../../../services/retrain-trigger/queries/withdrawals.ts'
import { migratedPostgres, temporaryDirectory } from '../../harness.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const START = Date.UTC(2025, 4, 5)
const HOUR = 3_600_000
const MINUTE = 60_000

let stream: Pipeline
let postgres: EmbeddedPostgres
let receiver: Server
let now = START + 30 * 24 * HOUR
/** Where the events of the next step begin. */
let streamAt = START
/** What the receiver was told, by `webhook-id`: the same launch may come twice. */
const told = new Map<string, { share: number; action: string; model_id: string }>()

beforeAll(async () => {
  stream = await pipeline()
  postgres = await migratedPostgres(temporaryDirectory())
  receiver = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      const { data } = JSON.parse(text) as { data: { share: number } & Record<string, string> }
      const { share, action, model_id } = data
      told.set(String(request.headers['webhook-id']), {
        share,
        action: action!,
        model_id: model_id!,
      })
      response.writeHead(200).end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
})
afterAll(() => void receiver.close())

const modelOf = (modelId: string, promote: string) =>
  parseModel(`
model_id: ${modelId}
task: binary
labels: { horizon: 0s }
retrain:
  - name: p
    when: any(performance.accuracy, alarm)
    launch: { kind: webhook, url: 'http://127.0.0.1:1/unused' }
    promote:
      launch: { kind: webhook, url: 'http://127.0.0.1:${(receiver.address() as AddressInfo).port}/traffic' }
      served_when: answered
      ${promote}
`)
type Model = ReturnType<typeof modelOf>

/** A process that looks and launches once; `sql` is its way to the control database. */
async function turn(model: Model, sql: Postgres = postgres, db = stream.db): Promise<void> {
  now += MINUTE
  const ledger = { postgres: sql, now: () => now }
  const log = pino({ level: 'silent' })
  // Runs of other tests have turns of their own.
  await postgres.query(
    'update runs set look_at = case when model_id = $1 then $2::timestamptz else $3::timestamptz end where look_at is not null',
    [model.modelId, new Date(0), new Date(now + 1000 * HOUR)],
  )
  await lookAtOutcomes({ ledger, db, models: { get: () => model }, log })
  const jobs = launcher({
    ...{ ledger, log, secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}` },
    ...{ publicUrl: () => 'http://plumbline', allowsCommands: false, random: () => 1 },
    readDataset: () => Promise.reject(new Error('these policies name no data set')),
    fetch: guardedFetch(parseAllowed('loopback')),
    environment: () => undefined,
  })
  await launchDue({
    engine: { policies: parsePolicies([model]), ledger },
    jobs,
    failed: (_model, _policy, error) => {
      throw error
    },
  })
  await Promise.all(jobs.underWay.values())
}

let causes = 0
/** A run whose job has made version 8, beside version 7 that serves. */
async function candidate(model: Model): Promise<string> {
  const ledger = { postgres, now: () => now }
  const about = { modelId: model.modelId, cause: `window:${causes++}`, windowEnd: START }
  const run = await recordDecision(
    ledger,
    { ...about, policy: 'p', revision: 1, decision: { action: 'launch', reason: 'alarm' } },
    {
      ...{ ...about, policy: model.retrain[0]!, reason: 'alarm', decidedAt: START },
      ...{ labelsKnown: 0, modelFile: '' },
    },
  )
  await postgres.query(`update runs set state = 'launching' where run_id = $1`, [run!.run_id])
  await serve(model, 40, 0)
  await reportRun(ledger, run!.run_id, 'job', { state: 'succeeded', new_version: '8' })
  return run!.run_id
}

const current = async (runId: string): Promise<Run> => (await readRun(postgres, runId))!
const shares = (model: Model) =>
  [...told.values()].filter(({ model_id: id }) => id === model.modelId).map(({ share }) => share)

let events = 0
/** Requests of which every `each`th goes to version 8 (0: none); both are right of `right` in 10. */
async function serve(model: Model, n: number, each: number, right = [9, 9], of = ['7', '8']) {
  const places = [0, 0]
  const made = Array.from({ length: n }, (_, i) => {
    const isNew = each > 0 && i % each === 0
    const isRight = places[isNew ? 1 : 0]!++ % 10 < right[isNew ? 1 : 0]!
    streamAt += 1000
    return {
      ...{ model_id: model.modelId, model_version: of[isNew ? 1 : 0], latency_ms: 10 },
      ...{ prediction: isRight ? '1' : '0', prediction_id: `e${events++}` },
      predicted_at: new Date(streamAt).toISOString(),
    }
  })
  await stream.predictions(made)
  await stream.labels(
    made.map(({ prediction_id: id, predicted_at: at }) => ({
      ...{ label_id: id, model_id: model.modelId, prediction_id: id, label: '1' },
      ...{ labelled_at: at, source: 'ground_truth' },
    })),
  )
}

/** Turns until the run stands so. */
async function turnUntil(model: Model, runId: string, state: string): Promise<Run> {
  for (let i = 0; i < 8; i++) {
    const run = await current(runId)
    if (run.rollout?.state === state) return run
    await turn(model)
  }
  throw new Error(`not ${state}: ${JSON.stringify((await current(runId)).rollout)}`)
}

test('a candidate that is not worse gets its traffic step by step, and is promoted at the last', async () => {
  const model = modelOf('good', 'steps: [20, 50, 100]\n      min_events: 20')
  const runId = await candidate(model)
  expect(await current(runId)).toMatchObject({ state: 'promoting', rollout: { place: -1 } })
  const first = await turnUntil(model, runId, 'watching')
  expect(first.rollout).toMatchObject({ share: 20, place: 0, current_version: '7' })
  await serve(model, 50, 5)
  await turn(model)
  expect((await current(runId)).rollout).toMatchObject({
    state: 'watching',
    reason: '10 of 20 units of each version',
  })
  await serve(model, 60, 5)
  await turn(model)
  expect(await turnUntil(model, runId, 'watching')).toMatchObject({ rollout: { share: 50 } })
  await serve(model, 60, 2)
  await turn(model)
  const done = await turnUntil(model, runId, 'done')
  expect(done).toMatchObject({ state: 'promoted', rollout: { share: 100 } })
  expect(shares(model)).toEqual([20, 50, 100])
  const states = (await readTransitions(postgres, runId)).map(({ state, actor }) => [state, actor])
  expect(states).toEqual([
    ['queued', 'policy'],
    ['succeeded', 'job'],
    ['promoting', 'policy'],
    ...[0, 1, 2].flatMap(() => [
      ['step.queued', 'policy'],
      ['step.launching', 'launcher'],
      ['step.succeeded', 'launcher'],
    ]),
    ['promoted', 'policy'],
  ])
  // Steps are no runs of their own: not in lists, and no policy counts them.
  expect(await listRuns(postgres, ['good'], 10)).toHaveLength(1)
  expect(await readHistory(postgres, 'good', 'p')).toMatchObject([{ promoted: true }])
})

test('a worse candidate is taken back by a launch, and one whose policy proposes is held for people', async () => {
  const quick = 'steps: [50, 100]\n      min_events: 1000\n      on_worse:'
  const back = modelOf('back', `${quick} roll_back`)
  const backId = await candidate(back)
  await turnUntil(back, backId, 'watching')
  await serve(back, 400, 2, [9, 4])
  await turn(back)
  const taken = await turnUntil(back, backId, 'back')
  expect(taken.state).toBe('rolled_back')
  expect(taken.message).toContain('at 50 % version 8 is worse than 7: accuracy 0.4 beside 0.9')
  expect(shares(back)).toEqual([50, 0])

  const held = modelOf('held', `${quick} page`)
  const heldId = await candidate(held)
  await turnUntil(held, heldId, 'watching')
  await serve(held, 400, 2, [9, 4])
  await turn(held)
  const waiting = await current(heldId)
  expect(waiting.rollout).toMatchObject({ state: 'held', proposes: 'roll_back', share: 50 })
  const [finding] = (await runFindings(postgres, now)).filter(({ run_id: id }) => id === heldId)
  expect(finding).toMatchObject({ kind: 'canary', severity: 'alarm' })
  await turn(held)
  expect((await current(heldId)).rollout!.turn).toBe(waiting.rollout!.turn)
  const ledger = { postgres, now: () => now }
  const ann = { actor: 'ann', message: 'as proposed' }
  await moveByPerson(ledger, heldId, ann, () => ({ kind: 'roll_back', reason: '' }))
  expect((await turnUntil(held, heldId, 'back')).message).toContain('as proposed')
  expect(shares(held)).toEqual([50, 0])
  const [person] = (await readTransitions(postgres, heldId)).filter(
    ({ state }) => state === 'roll_back.queued',
  )
  expect(person).toMatchObject({ actor: 'ann' })
})

test('a withdrawn cause, a version that is gone and a share that is not given are held', async () => {
  const ledger = { postgres, now: () => now }
  const terms = 'steps: [50, 100]\n      min_events: 40'
  const model = modelOf('held-so', terms)
  const withdrawn = await candidate(model)
  await turnUntil(model, withdrawn, 'watching')
  const { cause } = await current(withdrawn)
  await withdrawRun(ledger, { modelId: 'held-so', policy: 'p', cause, revision: 2 })
  const run = await current(withdrawn)
  expect(run.rollout).toMatchObject({ state: 'held', severity: 'warning' })
  expect(run.rollout!.reason).toContain('withdrew the evidence')

  // A person lets it go on: the next share, and the end.
  const served = new Map([['7', 40]])
  await moveByPerson(ledger, withdrawn, { actor: 'ann', message: 'still wanted' }, (row, rollout) =>
    goOn({ rollout, version: row.new_version, served }),
  )
  expect((await turnUntil(model, withdrawn, 'done')).state).toBe('promoted')

  const gone = modelOf('gone', terms)
  const goneId = await candidate(gone)
  await turnUntil(gone, goneId, 'watching')
  await serve(gone, 100, 2, [9, 9], ['9', '8'])
  await turn(gone)
  expect((await current(goneId)).rollout).toMatchObject({
    state: 'held',
    reason: 'version 7, which it is held against, serves no longer, and 9 does',
  })

  const unequal = modelOf('unequal', terms.replace('40', '400'))
  const unequalId = await candidate(unequal)
  await turnUntil(unequal, unequalId, 'watching')
  await serve(unequal, 400, 10)
  await turn(unequal)
  const { reason } = (await current(unequalId)).rollout!
  expect(reason).toContain('of 400 units went to the candidate, 0.5 were meant to')
})

/** A way to the control database that breaks at the nth statement or transaction, before or after it. */
function breaking(nth: number, isAfter: boolean): Postgres & { isDead: () => boolean } {
  let calls = 0
  const dies = async <T>(work: () => Promise<T>): Promise<T> => {
    calls++
    if (calls > nth) throw new Error('the process is dead')
    if (calls < nth) return work()
    if (isAfter) await work()
    throw new Error('the process has died')
  }
  return {
    ...postgres,
    isDead: () => calls >= nth,
    query: (...args: Parameters<Postgres['query']>) => dies(() => postgres.query(...args)),
    transaction: (work: Parameters<Postgres['transaction']>[0]) =>
      dies(() => postgres.transaction(work)),
  } as Postgres & { isDead: () => boolean }
}

/** What was served, without a store: as many units of both versions as every step asks for. */
const counted = {
  query: async (sql: string) => {
    if (sql.includes('FROM watermarks')) return [{ at: String(streamAt) }]
    if (sql.includes('GROUP BY version')) return ['7', '8'].map((version) => ({ version, n: '90' }))
    const units = { units: '90', labelled: '90', errors: [], worth: [], latencies: [], costs: [] }
    const right = { correct: Array.from({ length: 90 }, () => 1), failed: [] }
    return ['7', '8'].map((arm) => ({ arm, ...units, ...right }))
  },
} as unknown as Pipeline['db']

/** Deaths of schedulers that are asked for: a setting, since ten thousand take minutes. */
const DEATHS = Number(
  process.env['ROLLOUT_DEATHS'] ?? (process.env['FAULTS'] === 'all' ? 10_000 : 20),
)

test(
  'schedulers that die at any moment, two at a time: each step is launched once, in its order',
  async () => {
    const random = uniforms(11)
    let [deaths, turns, rollouts] = [0, 0, 0]
    while (deaths < DEATHS) {
      const model = modelOf(
        `crashed-${rollouts++}`,
        'steps: [48, 50, 52, 100]\n      min_events: 20',
      )
      const runId = await candidate(model)
      for (let i = 0; i < 300; i++) {
        if ((await current(runId)).state === 'promoted') break
        const both = [0, 1].map(() => breaking(1 + Math.floor(random() * 14), random() < 0.5))
        await Promise.allSettled(both.map((sql) => turn(model, sql, counted)))
        deaths += both.filter(({ isDead }) => isDead()).length
        turns++
      }
      expect((await current(runId)).rollout).toMatchObject({
        reason: 'all of the traffic is its own',
        state: 'done',
      })
      expect([model.modelId, shares(model)]).toEqual([model.modelId, [48, 50, 52, 100]])
    }
    if (DEATHS > 20)
      console.log(
        `${deaths} deaths in ${turns} turns of two schedulers, ${rollouts} rollouts of 4 steps: each step launched once, in its order`,
      )
  },
  60_000 + DEATHS * 1000,
)

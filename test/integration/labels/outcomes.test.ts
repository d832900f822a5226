/**
 * What becomes of a run whose job has succeeded: candidates by their shadow predictions and by what
 * jobs report, and promotions by the windows of the new version; in real stores.
 */
import { beforeAll, expect, test } from 'vitest'
import { parseModel, type Model } from '../../../lib/models/model-files.ts'
import type { EmbeddedPostgres } from '../../../lib/postgres/port.ts'
import type { RetrainPolicy } from '../../../schemas/model-retrain.ts'
import type { Trigger } from '../../../schemas/http/runs/run-outcomes.ts'
import { lookAtOutcomes } from '../../../services/retrain-trigger/loop/outcomes.ts'
import { countCandidate } from '../../../services/retrain-trigger/queries/candidate-counts.ts'
import { recordDecision } from '../../../services/retrain-trigger/queries/decision-ledger.ts'
import { reportRun, type RunReport } from '../../../services/retrain-trigger/queries/reports.ts'
import type { Run } from '../../../services/retrain-trigger/queries/run-record.ts'
import { readPhases, countOutcomes } from '../../../services/retrain-trigger/queries/run-counts.ts'
import { readTransitions } from '../../../services/retrain-trigger/queries/run-history.ts'
import { rollBackRun } from '../../../services/retrain-trigger/queries/run-transitions.ts'
import { readHistory, readRun } from '../../../services/retrain-trigger/queries/runs.ts'
import { migratedPostgres, temporaryDirectory } from '../../harness.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

/** Before the harness receives it: events of the future move no watermark. */
const START = Date.UTC(2025, 4, 5)
const HOUR = 3_600_000
const MINUTE = 60_000
const at = (ms: number) => new Date(ms).toISOString()

let stream: Pipeline
let postgres: EmbeddedPostgres
let now = START + 30 * 24 * HOUR
const ledger = () => ({ postgres, now: () => now })
const models = (text: string): { get: () => Model } => ({ get: () => parseModel(text) })

beforeAll(async () => {
  stream = await pipeline()
  postgres = await migratedPostgres(temporaryDirectory())
})

let causes = 0
type Terms = Pick<RetrainPolicy, 'accept' | 'validation' | 'watch'>

/** A run of a model whose job has reported. */
async function reported(
  modelId: string,
  terms: Terms,
  report: Omit<RunReport, 'state'>,
  triggers: Trigger[] = [],
): Promise<Run> {
  const about = { modelId, cause: `c${causes++}`, windowEnd: START + 2 * HOUR }
  const policy = { name: 'p', approval: 'none', ...terms } as const
  const run = await recordDecision(
    ledger(),
    { ...about, policy: 'p', revision: 0, decision: { action: 'launch', reason: 'alarm' } },
    {
      ...{
        ...about,
        policy,
        reason: 'alarm',
        decidedAt: START,
        labelsKnown: 0,
        modelFile: '',
        triggers,
      },
      detectedAt: START + 2 * HOUR + MINUTE,
    },
  )
  return reportRun(ledger(), run!.run_id, 'job', { state: 'succeeded', ...report })
}

const look = async (run: Run, model: string, errors: unknown[] = []): Promise<Run> => {
  const log = { error: (...told: unknown[]) => void errors.push(told) }
  // Runs of other tests have looks of their own.
  await postgres.query('update runs set look_at = $2 where run_id = $1 and look_at is not null', [
    run.run_id,
    new Date(0),
  ])
  await lookAtOutcomes({
    ledger: ledger(),
    db: stream.db,
    models: models(model),
    log: log as never,
  })
  expect(errors).toEqual([])
  return (await readRun(postgres, run.run_id))!
}

/** Requests that version 7 served and version 8 answered as a shadow: 8 is right of 9 in 10. */
async function shadowed(modelId: string, requests: number): Promise<void> {
  const events = Array.from({ length: requests }, (_, i) => {
    const common = {
      model_id: modelId,
      request_id: `r${i}`,
      predicted_at: at(START + i * 1000),
    }
    const isPositive = i % 2 === 0
    const answer = (isRight: boolean) => (isRight === isPositive ? '1' : '0')
    return [
      {
        ...{ ...common, prediction_id: `${modelId}-7-${i}`, model_version: '7' },
        ...{ prediction: answer(i % 5 !== 0), score: 0.5, latency_ms: 10 },
      },
      {
        ...{ ...common, prediction_id: `${modelId}-8-${i}`, model_version: '8', shadow: true },
        ...{ prediction: answer(i % 10 !== 0), score: isPositive ? 0.9 : 0.2, latency_ms: i },
      },
    ]
  })
  // A shadow that nothing was served beside, and one that has no label.
  const alone = { model_id: modelId, model_version: '8', shadow: true, prediction: '0' }
  await stream.predictions([
    ...events.flat(),
    { ...alone, prediction_id: `${modelId}-x`, request_id: 'x', predicted_at: at(START) },
  ])
  await stream.labels(
    Array.from({ length: requests - 1 }, (_, i) => ({
      ...{ label_id: `${modelId}-${i}`, model_id: modelId, prediction_id: `${modelId}-7-${i}` },
      ...{ label: i % 2 === 0 ? '1' : '0', labelled_at: at(START), source: 'ground_truth' },
    })),
  )
}

test('shadow predictions beside what was served are counted by the truth of either', async () => {
  await shadowed('counted', 200)
  const model = parseModel('{ model_id: counted, task: binary, labels: { horizon: 0s } }')
  const counts = await countCandidate(stream.db, model, { version: '8', newest: START + HOUR })
  // Forty of 199 labels divide by 5, 20 by 10; the candidate is wrong on positives alone.
  expect(counts!.current).toMatchObject({ events: 200, labelled: 199, correct: 159, p50: 10 })
  expect(counts!.candidate).toMatchObject({ events: 200, labelled: 199, correct: 179 })
  expect(counts!.candidate).toMatchObject({ tp: 80, fp: 0, fn: 20, scored: 199, auc: 1 })
  expect(counts!.candidate.logLoss).toBeCloseTo(-100 * Math.log(0.9) - 99 * Math.log(0.8), 9)
  expect(counts!.candidate.brier).toBeCloseTo(100 * 0.01 + 99 * 0.04, 9)
  // Truth that may not be whole yet is left out.
  const young = parseModel('{ model_id: counted, task: binary, labels: { horizon: 1h } }')
  const early = await countCandidate(stream.db, young, {
    version: '8',
    newest: START + HOUR + 9999,
  })
  expect(early!.candidate).toMatchObject({ events: 200, labelled: 10 })
  expect(await countCandidate(stream.db, model, { version: '9', newest: START })).toBeUndefined()
})

test('a candidate is promoted by its shadow predictions, and one that does not reach its line is rejected', async () => {
  await shadowed('gated', 300)
  const model = '{ model_id: gated, task: binary, labels: { horizon: 0s } }'
  const accept = ['performance.accuracy >= 0.85', 'performance.accuracy >= current + 0.05']
  const good = await reported('gated', { accept }, { new_version: '8' })
  expect(good).toMatchObject({ state: 'validating', acceptance: { decision: 'waiting' } })
  expect(await look(good, model)).toMatchObject({
    state: 'promoted',
    acceptance: { requirements: [{ met: true, source: 'shadow', n: 299 }, { met: true }] },
    repair: null,
  })
  const told = await readTransitions(postgres, good.run_id)
  expect(told.map(({ state, actor }) => [state, actor])).toEqual([
    ['queued', 'policy'],
    ['succeeded', 'job'],
    ['validating', 'policy'],
    ['promoted', 'policy'],
  ])
  const slow = { accept: ['operations.latency_p95_ms <= current * 2'] }
  const bad = await look(await reported('gated', slow, { new_version: '8' }), model)
  expect(bad).toMatchObject({ state: 'rejected', acceptance: { requirements: [{ line: 20 }] } })
  expect(bad.message).toContain('not reached: operations.latency_p95_ms <= current * 2')
  // It costs no cool-down, and its job may tell of its success again.
  const past = await readHistory(postgres, 'gated', 'p')
  const [first, second] = [good, bad].map((run) => past.find(({ cause }) => cause === run.cause))
  expect(first).toMatchObject({ promoted: true, failed: false })
  expect(second).toMatchObject({ promoted: false, failed: true })
  const again = { state: 'succeeded', new_version: '8' } as const
  expect((await reportRun(ledger(), bad.run_id, 'job', again)).state).toBe('rejected')
})

test('what is incomplete waits for a report, or for the time limit', async () => {
  const model = '{ model_id: told, task: regression }'
  const terms = {
    accept: ['performance.mae <= current'],
    validation: { evidence: 'reported', min_events: 200, within: '1d' } as const,
  }
  const run = await reported('told', terms, { metrics: { 'performance.mae': 2 } })
  const waiting = await look(run, model)
  expect(waiting.acceptance).toMatchObject({
    decision: 'waiting',
    reason:
      'the evidence is incomplete: performance.mae <= current (the version that serves has no such number)',
  })
  const late = { state: 'succeeded', current_metrics: { 'performance.mae': 2.5 } } as const
  await reportRun(ledger(), run.run_id, 'job', late)
  expect(await look(run, model)).toMatchObject({
    state: 'promoted',
    acceptance: { requirements: [{ source: 'reported', candidate: 2, current: 2.5 }] },
  })
  const silent = await reported('told', terms, {})
  now += 24 * HOUR
  const over = await look(silent, model)
  expect(over.state).toBe('rejected')
  expect(over.message).toContain('incomplete at the time limit')
})

const trigger: Trigger = {
  ...{ family: 'performance', metric: 'accuracy', subject: '', slice: null, version: '' },
  ...{ from: at(START + HOUR), to: at(START + 2 * HOUR), test: { level: 'alarm' } },
}
/** Windows of an hour of a model, from the nth on. */
const windows = (modelId: string, from: number, values: readonly number[], verdict: string) =>
  stream.db.insertRows(
    'window_metrics',
    values.map((value, i) => ({
      ...{ model_id: modelId, family: 'performance', metric: 'accuracy', convention: 'plumbline' },
      ...{
        window_start: at(START + (from + i) * HOUR),
        window_end: at(START + (from + i + 1) * HOUR),
      },
      ...{ value, ci_low: value - 0.02, ci_high: value + 0.02, ci_level: 0.95, verdict },
      ...{ method: 'observed', revision: 1, computed_at: at(START) },
    })),
    `${modelId} ${from}`,
  )

test('a promotion is watched by the windows since its version is served, and closes with what it came to', async () => {
  const model = '{ model_id: watched, task: binary, windows: { size: 1h } }'
  await windows('watched', 0, [0.6, 0.62], 'alarm')
  const run = await reported(
    'watched',
    { watch: { windows: 3, within: '60d' } },
    { new_version: '8' },
    [trigger],
  )
  expect(run).toMatchObject({ state: 'succeeded', repair: { outcome: 'watching' } })
  // Windows of the version before, after the promotion: they tell nothing of the new one.
  await windows('watched', 2, [0.61, 0.6], 'alarm')
  expect((await look(run, model)).repair).toMatchObject({
    reason: '0 of 3 windows of the new version',
  })
  await stream.predictions([
    {
      ...{ model_id: 'watched', model_version: '8', prediction: '1', prediction_id: 'w' },
      predicted_at: at(START + 4 * HOUR + MINUTE),
    },
  ])
  await windows('watched', 4, [0.8, 0.82, 0.81], 'ok')
  const closed = await look(run, model)
  expect(closed.repair).toMatchObject({
    outcome: 'repaired',
    metrics: [{ metric: 'performance.accuracy', n_before: 2, n_after: 3, outcome: 'repaired' }],
  })
  const [metric] = closed.repair!.metrics
  expect(metric!.difference).toBeCloseTo(0.2, 12)
  expect(metric!.ci_low).toBeGreaterThan(0.1)
  expect((await readTransitions(postgres, run.run_id)).at(-1)).toMatchObject({
    state: 'outcome.repaired',
    reason: closed.repair!.reason,
  })
  expect(await countOutcomes(postgres)).toContainEqual({
    ...{ model_id: 'watched', outcome: 'repaired', n: 1 },
  })
  const phases = (await readPhases(postgres)).filter(({ model_id: id }) => id === 'watched')
  expect(phases.find(({ phase }) => phase === 'detect')!.seconds).toBe(60)
  expect(phases.map(({ phase }) => phase).toSorted()).toEqual([
    'decide',
    'detect',
    'launch',
    'repair',
  ])
  const back = await rollBackRun(ledger(), run.run_id, 'ann', 'complaints')
  expect(back).toMatchObject({ state: 'rolled_back', message: 'complaints' })
  await expect(rollBackRun(ledger(), run.run_id, 'ann', 'twice')).rejects.toMatchObject({
    status: 409,
  })
})

test('a promotion that made it worse says so, and one that nobody serves is closed as unknown', async () => {
  const model = '{ model_id: worse, task: binary }'
  await windows('worse', 0, [0.6, 0.62], 'alarm')
  const run = await reported('worse', {}, {}, [trigger])
  await stream.predictions([
    {
      ...{ model_id: 'worse', model_version: '7', prediction: '1', prediction_id: 'v' },
      predicted_at: at(START + 2 * HOUR),
    },
  ])
  await look(run, model)
  await windows('worse', 2, [0.4, 0.42, 0.41, 0.4], 'alarm')
  const closed = await look(run, model)
  expect(closed.repair!.outcome).toBe('made_worse')
  expect(closed.repair!.reason).toContain('performance.accuracy 0.61 before, 0.4075 after')
  const unserved = await reported('worse', {}, { new_version: '9' }, [trigger])
  now += 61 * 24 * HOUR
  expect((await look(unserved, model)).repair).toMatchObject({
    outcome: 'unknown',
    reason: 'no window of the new version has a value',
  })
})

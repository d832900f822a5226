/**
 * Alarms begin, a new version takes over, its baseline is learned, and alarms end: what the demo
 * shows, on a stream of days.
 */
import { beforeAll, expect, test } from 'vitest'
import { summarize, type Summary } from '../../../examples/summary.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 1)
const EVENTS = 240
const iso = (ms: number) => new Date(ms).toISOString()
const dateOf = (day: number) => iso(START + day * DAY).slice(0, 10)
/** The inputs move and the first version fails; the second one takes over; its inputs move too. */
const [MOVED, PROMOTED, MOVED_AGAIN, DAYS] = [11, 14, 25, 26]

const model = parseModel(`
model_id: elec2
task: binary
windows: { size: 1d, lateness: 1h, min_count: 100 }
references:
  training: { kind: fixed, from: ${iso(START)}, to: ${iso(START + 10 * DAY)}, baseline: true }
`)

const uniform = uniforms(7)
let on: Pipeline
let summary: Summary

async function emit(day: number, version: string, accuracy: number, shadow = false) {
  const moved = (day >= MOVED ? 2 : 0) + (day >= MOVED_AGAIN ? 2 : 0)
  const events = Array.from({ length: EVENTS }, (_, i) => ({
    prediction_id: `${day}-${version}-${i}`,
    model_id: 'elec2',
    model_version: version,
    predicted_at: iso(START + day * DAY + (i * DAY) / EVENTS),
    prediction: i % 2 === 0 ? '1' : '0',
    shadow,
    features: { x: uniform() + uniform() + uniform() + moved },
  }))
  await on.predictions(events)
  await on.labels(
    events.map(({ prediction_id, prediction, predicted_at }) => ({
      label_id: prediction_id,
      model_id: 'elec2',
      prediction_id,
      label: (prediction === '1') === uniform() < accuracy ? '1' : '0',
      labelled_at: predicted_at,
      source: 'ground_truth',
    })),
  )
}

interface Told {
  verdict: string
  reason: string
  reference: string
  value: number
}
const told = async (day: number, metric: string): Promise<Told> =>
  (
    await on.db.query<Told>(
      `SELECT verdict, reason, reference, value FROM window_metrics_latest
       WHERE model_id = 'elec2' AND model_version = '' AND metric = {metric:String} AND subject = {subject:String} AND method = 'observed' AND convention = 'plumbline'
         AND window_start = {start:DateTime64(3, 'UTC')} AND (reference != 'training' OR {day:UInt8} < ${PROMOTED})`,
      {
        metric,
        subject: metric === 'psi' ? 'x' : '',
        start: iso(START + day * DAY).slice(0, 23),
        day,
      },
    )
  )[0]!

beforeAll(async () => {
  on = await pipeline()
  for (let day = 0; day < DAYS; day++) {
    if (day < PROMOTED) await emit(day, '1', day < MOVED ? 0.85 : 0.5)
    else {
      await emit(day, '2', 0.8)
      await emit(day, '1', 0.5, true)
    }
  }
  await evaluateOn(on.connect('drift'), { now: () => START + 400 * DAY })(model)
  await on.db.insertRows(
    'retrain_runs_log',
    [
      {
        run_id: 'r',
        model_id: 'elec2',
        policy: 'accuracy',
        state: 'succeeded',
        reason: 'alarm of performance.accuracy in 2 windows',
        message: 'trained',
        window_end: iso(START + 13 * DAY).slice(0, 23),
        new_version: '2',
        revision: 1,
        at: iso(START).slice(0, 23),
      },
    ],
    'run',
  )
  summary = await summarize({
    query: (sql: string, params = {}) => on.db.query(sql, params),
  } as never)
}, 300_000)

test('inputs that moved alarm until the new version takes over', async () => {
  expect(await told(MOVED - 1, 'psi')).toMatchObject({ verdict: 'ok', reference: 'training' })
  for (let day = MOVED; day < PROMOTED; day++) {
    expect(await told(day, 'psi')).toMatchObject({ verdict: 'alarm', reference: 'training' })
    expect(await told(day, 'accuracy')).toMatchObject({ verdict: 'alarm' })
  }
})

test('while its baseline is learned drift has values and no verdict, and performance is beside the windows before', async () => {
  for (let n = 1; n <= 8; n++) {
    if (n > 1)
      expect(await told(PROMOTED + n - 1, 'psi')).toMatchObject({
        verdict: 'none',
        reason: `learning, window ${n} of 8`,
        reference: 'version 2',
      })
    const accuracy = await told(PROMOTED + n - 1, 'accuracy')
    expect(accuracy).toMatchObject({ verdict: 'ok', reference: 'before version 2' })
    expect(accuracy.reason).toContain(`learning, window ${n} of 8`)
  }
})

test('then the baseline is its own: the inputs it was made for are calm, and what moves again alarms', async () => {
  for (let day = PROMOTED + 8; day < MOVED_AGAIN; day++) {
    expect(await told(day, 'psi')).toMatchObject({ verdict: 'ok', reference: 'version 2' })
    expect(await told(day, 'accuracy')).toMatchObject({ verdict: 'ok', reference: 'version 2' })
  }
  expect(await told(MOVED_AGAIN, 'psi')).toMatchObject({
    verdict: 'alarm',
    reference: 'version 2',
  })
})

test('the summary of the demo says when alarms began, what was done, and when they ended', () => {
  const { text, loopClosed } = summary
  expect(text).toMatch(new RegExp(`alarms began +week to ${dateOf(MOVED + 1)}`))
  expect(text).toMatch(new RegExp(`retraining +called for by the week to ${dateOf(13)}`))
  expect(text).toMatch(
    new RegExp(`version 2 promoted +its first week is the one to ${dateOf(PROMOTED + 1)}`),
  )
  expect(text).toMatch(new RegExp(`learning +8 weeks, to ${dateOf(PROMOTED + 8)}`))
  expect(text).toMatch(
    new RegExp(`alarms ended +the last week of them is the one to ${dateOf(PROMOTED)}`),
  )
  expect(text).toMatch(/since then +1 of 12 weeks have an alarm; 0 were accepted/)
  expect(loopClosed).toBe(true)
})

test('weekly windows are tested by the noise between their days until there are eight', async () => {
  const weekly = parseModel(
    '{ model_id: weekly, task: binary, windows: { size: 7d, lateness: 1h, min_count: 20 } }',
  )
  const WEEKS = 10
  const perDay = 24
  await on.predictions(
    Array.from({ length: WEEKS * 7 * perDay }, (_, i) => ({
      prediction_id: `w${i}`,
      model_id: 'weekly',
      model_version: '1',
      predicted_at: iso(START + (i * DAY) / perDay),
      prediction: i % 2 === 0 ? '1' : '0',
      features: { x: uniform() + (Math.floor(i / (7 * perDay)) === 5 ? 2 : 0) },
    })),
  )
  await evaluateOn(on.connect('drift'), { now: () => START + (WEEKS * 7 + 1) * DAY })(weekly)
  const rows = await on.db.query<{
    week: string
    verdict: string
    reason: string
    n_current: string
  }>(
    `SELECT intDiv(dateDiff('day', toDateTime('2026-01-01', 'UTC'), window_start), 7) AS week, verdict, reason, n_current FROM window_metrics_latest
     WHERE model_id = 'weekly' AND metric = 'psi' AND subject = 'x' AND convention = 'plumbline'`,
  )
  const of = (week: number) => rows.find((row) => row.week === String(week))!
  expect(of(3)).toMatchObject({ verdict: 'none', n_current: String(7 * perDay) })
  expect(of(3).reason).toMatch(
    /^learning, window 4 of 8; learning takes 8 windows of 7d, 56 days: it starts with windows of 1d/,
  )
  expect(of(4)).toMatchObject({ verdict: 'ok' })
  expect(of(5)).toMatchObject({ verdict: 'alarm' })
  expect(of(5).reason).toContain(
    'by the noise between 35 windows of 1d, while the baseline is learned (window 6 of 8)',
  )
  expect(of(8)).toMatchObject({ verdict: 'ok' })
  expect(of(8).reason).not.toContain('1d')
})

/** A policy is tried on windows of the real stores, beside the runs that were decided on them. */
import { beforeAll, expect, test, vi } from 'vitest'
import type { Http } from '../../../lib/http/server.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import type { EmbeddedPostgres } from '../../../lib/postgres/port.ts'
import { ProblemDocument } from '../../../schemas/http/errors.ts'
import type { PolicyTrialAnswer } from '../../../schemas/http/runs/policy-trials.ts'
import { addPolicies, addPolicyTrial } from '../../../services/retrain-trigger/http/trial-routes.ts'
import type { RetrainRoutesOptions } from '../../../services/retrain-trigger/http/options.ts'
import { policyEngine } from '../../../services/retrain-trigger/loop/policies.ts'
import { policyQueries } from '../../../services/retrain-trigger/queries/policy-queries.ts'
import { keepAlerts } from '../../../services/retrain-trigger/queries/trials/received-alerts.ts'
import { bareHttp } from '../../bare-http.ts'
import { migratedPostgres } from '../../harness.ts'
import { pipeline } from '../../pipeline.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 5)
const iso = (day: number) => new Date(START + day * DAY).toISOString()
const sql = (day: number) => iso(day).slice(0, -1).replace('T', ' ')
/** Ten daily windows: drift alarms on 3, 4, 7 and 8; accuracy falls from 3 on. */
const ALARMS = new Set([3, 4, 7, 8])

let ask: (body: object, status?: number) => Promise<PolicyTrialAnswer>
let postgres: EmbeddedPostgres
let http: ReturnType<typeof bareHttp>
/** What readers of windows wait for. */
let gate: Promise<unknown> = Promise.resolve()
let waiting = 0

beforeAll(async () => {
  const on = await pipeline()
  postgres = await migratedPostgres(on.directory)
  const cohort = { model_id: 'm', model_version: '', variant: '', slice_key: '', slice_value: '' }
  for (let day = 0; day < 10; day++) {
    const window = { ...cohort, window_start: sql(day), window_end: sql(day + 1) }
    const verdict = ALARMS.has(day) ? 'alarm' : 'ok'
    const result = { ...window, revision: 1, convention: 'plumbline', computed_at: sql(day + 1) }
    await on.db.insertRows('window_revisions', [
      { ...window, revision: 1, events: 10, worst: verdict, computed_at: sql(day + 1) },
    ])
    await on.db.insertRows('verdicts', [
      { ...result, verdict_id: `v${day}`, family: 'drift', metric: 'psi', subject: 'x', verdict },
    ])
    await on.db.insertRows('window_metrics', [
      {
        ...result,
        family: 'performance',
        metric: 'accuracy',
        method: 'observed',
        value: day < 3 ? 0.9 : 0.7,
      },
    ])
  }
  await postgres.query(
    `insert into runs (run_id, model_id, policy, cause, state, reason, decided_at, created_at, updated_at, window_end)
     values ('r', 'm', 'own', 'w', 'promoted', 'r', $1, $1, $1, $1)`,
    [new Date(START + 8 * DAY)],
  )
  const rollout = { place: 1, share: 5, verdict: { decision: 'worse', evaluated_at: iso(6) } }
  await postgres.query(
    `insert into runs (run_id, model_id, policy, cause, state, reason, decided_at, created_at, updated_at, new_version, rollout)
     values ('c', 'm', 'own', 'c', 'promoting', 'r', $1, $1, $1, '8', $2)`,
    [new Date(START + 5 * DAY), JSON.stringify(rollout)],
  )
  // Events came until the fourth day, and from the seventh until the middle of the ninth.
  const heard = [0, 1, 2, 3, 4, 7, 8, 8.5].map((day) => ({
    ...{
      model_id: 'heard',
      prediction_id: `p${day}`,
      predicted_at: sql(day),
      received_at: sql(day),
    },
  }))
  await on.db.insertRows('predictions', heard)
  const model = parseModel(
    '{ model_id: m, task: binary, retrain: [{ name: own, when: "any(drift.psi, alarm)", launch: { kind: webhook, url: "https://jobs.example.com/" }, promote: { launch: { kind: webhook, url: "https://jobs.example.com/" } } }] }',
  )
  const queries = policyQueries(on.db)
  const gated = {
    ...queries,
    windows: async (modelId: string) => {
      waiting++
      await gate
      return queries.windows(modelId)
    },
  }
  const engine = policyEngine(
    { declared: [model] },
    { queries: gated, ledger: { postgres, now: Date.now } },
  )
  http = bareHttp()
  http.addSchema(ProblemDocument)
  const options = {
    engine,
    rollouts: { db: on.db, models: { get: () => model }, ledger: { postgres, now: Date.now } },
  } as unknown as RetrainRoutesOptions
  addPolicyTrial(http as unknown as Http, options)
  addPolicies(http as unknown as Http, options)
  ask = async (body, status = 200) => {
    const answer = await http.inject({ method: 'POST', url: '/v1/policy-trials', payload: body })
    expect(answer.statusCode, answer.body).toBe(status)
    return answer.json<PolicyTrialAnswer>()
  }
})

const SPAN = { model_id: 'm', from: iso(1), to: iso(10) }

test('what it would have launched stands beside what was done, with how the model did', async () => {
  const answer = await ask({ ...SPAN, when: 'any(drift.psi, alarm)', cooldown: '3d' })
  expect(answer).toMatchObject({ windows: 10, metric: 'accuracy', untold: [] })
  expect(answer.decisions.map(({ window_end, launches }) => [window_end, launches])).toEqual([
    [iso(4), true],
    [iso(5), false],
    [iso(8), true],
    [iso(9), false],
  ])
  expect(answer.decisions[0]).toMatchObject({ value: 0.7, value_after: 0.7 })
  expect(answer.runs).toEqual([
    {
      run_id: 'r',
      policy: 'own',
      state: 'promoted',
      window_end: iso(8),
      value: 0.7,
      value_after: 0.7,
    },
  ])
})

test('every window stands on the timeline with its worst verdict and how the model did', async () => {
  const { timeline } = await ask({ ...SPAN, when: 'any(drift.psi, alarm)' })
  expect(timeline.map(({ window_end }) => window_end)).toEqual(
    Array.from({ length: 10 }, (_, day) => iso(day + 1)),
  )
  expect(timeline.slice(2, 5)).toEqual([
    { window_end: iso(3), verdict: 'ok', value: 0.9 },
    { window_end: iso(4), verdict: 'alarm', value: 0.7 },
    { window_end: iso(5), verdict: 'alarm', value: 0.7 },
  ])
})

test('a written policy is tried with its numbers, one of which may be turned', async () => {
  const policy = '- when: performance.accuracy < 0.95, for=2 # both\n  cooldown: 3d'
  const first = await ask({ ...SPAN, policy })
  expect(first.knobs.map(({ says, value, low, high }) => [says, value, low, high])).toEqual([
    ['limit', 0.95, 0.675, 0.975],
    ['for', 2, 1, 12],
    ['cooldown', 3, 0, 60],
    ['max_per_month', 100, 1, 100],
  ])
  expect(first.policy).toBe('when: performance.accuracy < 0.95, for=2 # both\ncooldown: 3d\n')
  const launches = ({ decisions }: PolicyTrialAnswer) =>
    decisions.filter((one) => one.launches).map(({ window_end }) => window_end)
  expect(launches(first)).toEqual([iso(2), iso(5), iso(8)])
  const turned = await ask({ ...SPAN, policy, turn: { knob: 0, value: 0.8 } })
  expect(turned.policy).toContain('performance.accuracy < 0.8, for=2 # both')
  expect(launches(turned)).toEqual([iso(5), iso(8)])
  const none = await ask({ ...SPAN, policy, turn: { knob: 0, value: 0.5 } })
  expect(launches(none)).toEqual([])
})

test('the policies in force are shown without what they launch', async () => {
  const { statusCode, body } = await http.inject('/v1/models/m/policies')
  expect([statusCode, body]).toEqual([200, expect.not.stringContaining('example.com')])
  const { policies } = JSON.parse(body) as { policies: { name: string; text: string }[] }
  expect(policies).toEqual([
    { name: 'own', text: expect.stringContaining('when: any(drift.psi, alarm)') },
  ])
  expect((await ask({ ...SPAN, policy: policies[0]!.text })).windows).toBe(10)
})

test('schedules tick in their time zone, about the newest window then', async () => {
  const when = 'any(drift.psi, alarm) and schedule("30 9 * * *", timezone="Australia/Sydney")'
  const { decisions, untold } = await ask({ ...SPAN, when })
  expect(decisions.map(({ at, occasion, window_end }) => [at, occasion, window_end])).toEqual(
    [4, 5, 8, 9].map((day) => [iso(day).replace('T00:00', 'T22:30'), 'tick', iso(day)]),
  )
  expect(untold).toEqual([])
  const often = await ask({ ...SPAN, when: 'schedule("* * * * *")', cooldown: '1h' })
  expect(often.untold[0]).toMatchObject({ test: 'schedule' })
  expect(often.untold[0]!.reason).toContain('1000 at most')
  expect(often.decisions).toHaveLength(1000)
})

test('alerts that came in are tried, and it is said since when they are known', async () => {
  const when = 'alert("Late")'
  expect((await ask({ ...SPAN, when })).untold).toEqual([
    { test: 'alert', reason: 'no alert that came in has been kept yet' },
  ])
  const came = (cause: string, name: string, more: object = {}) => ({
    ...{ modelId: 'm', cause, name, policy: undefined, reason: 'r', ...more },
  })
  const at = START + 3.25 * DAY
  await keepAlerts(postgres, [came('a', 'Late'), came('b', 'Other')], at)
  await keepAlerts(postgres, [came('a', 'Late'), came('c', 'Late', { modelId: 'n' })], at + 1)
  await keepAlerts(postgres, [came('d', 'Late', { policy: 'own' })], at + 2)
  const { decisions, untold } = await ask({ ...SPAN, when })
  expect(decisions).toMatchObject([
    { at: iso(3.25), occasion: 'alert', window_end: iso(3), launches: true, value: 0.9 },
  ])
  expect(untold).toEqual([
    { test: 'alert', reason: `alerts are known from ${iso(3.25)} on: those before were not kept` },
  ])
  expect((await ask({ ...SPAN, from: iso(4), when })).untold).toEqual([])
})

test('silences are those of the events that are stored, each once', async () => {
  const when = 'silent(for="1d")'
  expect((await ask({ ...SPAN, when })).untold).toEqual([
    {
      test: 'silence',
      reason: 'no event of this range is stored, so when the last one came is not known',
    },
  ])
  const { decisions, untold } = await ask({ ...SPAN, model_id: 'heard', when })
  expect(decisions.map(({ at, occasion, launches }) => [at, occasion, launches])).toEqual([
    [new Date(START + 5 * DAY + 1).toISOString(), 'news', true],
    [new Date(START + 9.5 * DAY + 1).toISOString(), 'news', true],
  ])
  expect(untold).toEqual([])
})

test('of candidates the newest verdict is tried, and that earlier ones are gone is said', async () => {
  const { decisions, untold } = await ask({ ...SPAN, when: 'canary == worse' })
  expect(decisions).toMatchObject([
    { at: iso(6), reason: 'canary 8 is worse at 5 % of the traffic' },
  ])
  expect(untold).toMatchObject([{ test: 'canary', reason: expect.stringContaining('1 of this') }])
})

test('tests look back beyond the span', async () => {
  const when = 'any(drift.psi, alarm, for=2)'
  expect(
    (await ask({ ...SPAN, from: iso(5), when })).decisions.map((one) => one.window_end),
  ).toEqual([iso(5), iso(9)])
})

test('nothing is kept, and bad questions are refused with a sentence', async () => {
  const rows = await postgres.query(
    'select (select count(*) from runs) as runs, (select count(*) from decisions) as decisions',
  )
  expect(rows).toEqual([{ runs: 2, decisions: 0 }])
  for (const [wrong, sentence] of [
    [{ when: 'any(drift.psy, alarm)' }, 'psi'],
    [{ when: 'any(' }, 'when'],
    [{ when: 'any(drift.psi, alarm)', to: iso(-5) }, 'from must be before to'],
    [{ when: 'any(drift.psi, alarm)', to: '2099-01-01T00:00:00Z' }, 'three years at most'],
    [{ when: 'any(drift.psi, alarm)', cooldown: 'soon' }, 'cooldown'],
    [{}, 'either when or policy'],
    [{ when: 'any(drift.psi, alarm)', policy: 'when: x' }, 'either when or policy'],
    [{ when: 'any(drift.psi, alarm)', turn: { knob: 0, value: 1 } }, 'turn must stand'],
    [{ policy: 'when: any(drift.psi, alarm)', cooldown: '1d' }, 'must stand in policy'],
    [{ policy: 'when: any(drift.psi, alarm' }, 'when: expected'],
    [{ policy: 'when: any(drift.psy, alarm)' }, 'did you mean psi'],
    [{ policy: 'when: any(drift.psi, alarm)\nmax_per_moon: 1' }, 'max_per_month'],
    [{ policy: 'when: any(drift.psi, alarm)', turn: { knob: 9, value: 1 } }, 'turn.knob'],
    [{ policy: 'when: any(drift.psi, alarm)', turn: { knob: 1, value: 0 } }, 'max_per_month'],
    [{ policy: 'when: any(drift.psi, alarm)', turn: { knob: 0, value: 0.5 } }, 'turn.value'],
  ] as const)
    expect(JSON.stringify(await ask({ ...SPAN, ...wrong }, 400))).toContain(sentence)
})

test('two are tried beside one another, a third is refused with when to ask again', async () => {
  const opened = Promise.withResolvers<undefined>()
  gate = opened.promise
  waiting = 0
  const payload = { ...SPAN, when: 'any(drift.psi, alarm)' }
  const post = (body: object = payload) =>
    http.inject({ method: 'POST', url: '/v1/policy-trials', payload: body })
  const under = [post(), post()]
  await vi.waitUntil(() => waiting === 2)
  const third = await post()
  expect(third.statusCode).toBe(429)
  expect(third.json()).toMatchObject({ message: '2 policies are being tried: ask again' })
  expect(third.headers['retry-after']).toBe('5')
  // What is wrong with a question is told even so: it costs nothing.
  expect((await post({ ...payload, when: 'any(' })).statusCode).toBe(400)
  opened.resolve(undefined)
  for (const { statusCode } of await Promise.all(under)) expect(statusCode).toBe(200)
  expect((await post()).statusCode).toBe(200)
})

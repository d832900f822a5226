/** Policies are asked by themselves, a bounded number of windows at a time, on real stores. */
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import { parseModel } from '../../lib/models/model-files.ts'
import { serverPostgres, type Postgres } from '../../lib/postgres/port.ts'
import {
  evaluatePolicies,
  policyEngine,
  tickPolicies,
} from '../../services/retrain-trigger/loop/policies.ts'
import { decideByHistory } from '../../services/retrain-trigger/queries/decision-ledger.ts'
import { listDecisions, readAnswers } from '../../services/retrain-trigger/queries/decisions.ts'
import { failRun } from '../../services/retrain-trigger/launchers/job.ts'
import { replayRun } from '../../services/retrain-trigger/loop/replay.ts'
import { askByAlert, requestRun } from '../../services/retrain-trigger/loop/requests.ts'
import {
  policyQueries,
  type PolicyQueries,
} from '../../services/retrain-trigger/queries/policy-queries.ts'
import type { Run } from '../../services/retrain-trigger/queries/run-record.ts'
import { rejectRun, reportRun } from '../../services/retrain-trigger/queries/run-transitions.ts'
import { listRuns } from '../../services/retrain-trigger/queries/runs.ts'
import { migratedClickHouse, migratedPostgres, temporaryDirectory } from '../harness.ts'
import { postgresServer } from '../postgres-server.ts'

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 5)
const DAILY = { cron: '0 3 * * *', timezone: 'UTC' }

let db: ClickHouse
let postgres: Postgres
beforeAll(async () => {
  ;({ db } = await migratedClickHouse())
  postgres = await migratedPostgres(temporaryDirectory())
})

const declared = (...texts: string[]) => ({ declared: texts.map((text) => parseModel(text)) })

const evaluated = (modelId: string, windows: number, revision = 1) =>
  db.insertRows(
    'window_revisions',
    Array.from({ length: windows }, (_, i) => ({
      model_id: modelId,
      window_start: new Date(START + i * HOUR).toISOString(),
      window_end: new Date(START + (i + 1) * HOUR).toISOString(),
      revision,
      events: 60,
      worst: 'ok',
    })),
    `${modelId} ${revision}`,
  )

const policy = (name: string, when: string) =>
  `{ name: ${name}, when: '${when}', launch: { kind: webhook, url: "http://127.0.0.1:9/" }, cooldown: 1h }`

test('450 windows are answered for in three passes, each once, and anew under a newer revision', async () => {
  const models = declared(
    `{ model_id: long, task: binary, windows: { size: 1h, lateness: 15m, min_count: 50 }, retrain: [${policy('p', 'any(drift.psi, alarm)')}] }`,
  )
  const engine = policyEngine(models, {
    queries: policyQueries(db),
    ledger: { postgres, now: Date.now },
  })
  await evaluated('long', 450)
  const answered: number[] = []
  for (let more = true; more;) {
    ;({ more } = await evaluatePolicies(engine, 'long'))
    answered.push((await readAnswers(postgres, 'long', 'p')).size)
  }
  expect(answered).toEqual([200, 400, 450])
  await evaluated('long', 3, 2)
  expect(await evaluatePolicies(engine, 'long')).toEqual({ failures: [], more: false })
  const revisions = [...(await readAnswers(postgres, 'long', 'p')).values()].map((a) => a.revision)
  expect(revisions.filter((revision) => revision === 2).length).toBe(3)
  expect((await listDecisions(postgres, 'long', 10)).length).toBe(10)
})

/**
 * Refuses, for as long as it is told to, the lock under which policies named `broken…` are decided
 * about.
 */
const unless = (refuses: () => boolean, whole: Postgres): Postgres => ({
  ...whole,
  transaction: (body) =>
    whole.transaction((tx) =>
      body({
        query: async (sql, params) => {
          if (refuses() && sql.includes('advisory_xact_lock') && /"broken/.test(String(params)))
            throw new Error('refused\u0007')
          return tx.query(sql, params)
        },
      }),
    ),
})

test('a policy that cannot be evaluated is told of until it can be, and its neighbours are asked, by windows and by the clock', async () => {
  const models = declared(
    `{ model_id: some, task: binary, windows: { size: 1h, lateness: 15m, min_count: 50 }, retrain: [${[
      policy('broken', 'any(drift.psi, alarm)'),
      policy('whole', 'any(drift.psi, alarm)'),
      policy('broken_clock', 'schedule("0 3 * * *")'),
      policy('whole_clock', 'schedule("0 3 * * *")'),
    ].join(', ')}] }`,
  )
  let refuses = true
  const engine = policyEngine(models, {
    queries: policyQueries(db),
    ledger: { postgres: unless(() => refuses, postgres), now: Date.now },
  })
  await evaluated('some', 2)
  const failed = ({ failures }: { failures: { policy: string }[] }) => failures.map((f) => f.policy)
  const told = async () =>
    (await listDecisions(postgres, 'some', 100))
      .filter(({ cause }) => cause === 'failure')
      .map((d) => [d.policy, d.reason])
      .toSorted(([a], [b]) => (a! < b! ? -1 : 1))
  expect(failed(await evaluatePolicies(engine, 'some'))).toEqual(['broken'])
  expect(failed(await tickPolicies(engine, 'some', DAILY, START))).toEqual(['broken_clock'])
  expect((await readAnswers(postgres, 'some', 'whole')).size).toBe(2)
  expect((await listRuns(postgres, ['some'], 10)).map((run) => run.policy)).toEqual(['whole_clock'])
  const reason = 'it could not be evaluated: refused '
  expect(await told()).toEqual([
    ['broken', reason],
    ['broken_clock', reason],
  ])
  refuses = false
  expect(failed(await evaluatePolicies(engine, 'some'))).toEqual([])
  expect(await told()).toEqual([['broken_clock', reason]])
  expect(failed(await tickPolicies(engine, 'some', DAILY, START))).toEqual([])
  expect(await told()).toEqual([])
})

test('processes that decide about one policy at the same moment launch one run', async () => {
  const { url, stop } = await postgresServer()
  const connections = [serverPostgres(url), serverPostgres(url)]
  onTestFinished(async () => {
    await Promise.all(connections.map((connection) => connection.close()))
    await stop()
  })
  const [first] = connections
  for (let round = 0; round < 20; round++) {
    const modelId = `raced-${round}`
    await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        decideByHistory(
          { postgres: connections[i % 2]!, now: Date.now },
          { modelId, policy: 'p', cause: `window:${i}`, windowEnd: START + i * HOUR, revision: 1 },
          (runs) =>
            runs.length > 0
              ? { action: 'none', reason: 'a run is under way' }
              : { action: 'launch', reason: 'drift' },
          { policy: { name: 'p', approval: 'none' }, decidedAt: START, labelsKnown: 0 },
        ),
      ),
    )
    expect((await listRuns(first!, [modelId], 10)).length).toBe(1)
    expect((await listDecisions(first!, modelId, 10)).length).toBe(6)
  }
})

const engineOf = (text: string, queries: Partial<PolicyQueries> = {}) =>
  policyEngine(declared(text), {
    queries: { ...policyQueries(db), ...queries },
    ledger: { postgres, now: Date.now },
  })
const model = (id: string, when: string, more = '') =>
  `{ model_id: ${id}, task: regression, retrain: [{ name: p, when: '${when}', launch: { kind: webhook, url: "http://127.0.0.1:9/" }, ${more} }] }`
const statesOf = async (modelId: string) =>
  (await listRuns(postgres, [modelId], 20)).map((run) => run.state)

test('labels are counted from the last run, whether it was rejected or asked for by a person', async () => {
  let labels = 11
  const engine = engineOf(model('counted', 'labels.new > 10', 'approval: one'), {
    labelledOutcomes: async () => labels,
  })
  const reject = async () => {
    const [run] = await listRuns(postgres, ['counted'], 1)
    await rejectRun(engine.ledger, run!.run_id, 'ann', 'not now')
  }
  await evaluatePolicies(engine, 'counted')
  await reject()
  await evaluatePolicies(engine, 'counted')
  expect(await statesOf('counted')).toEqual(['rejected'])
  labels = 22
  await evaluatePolicies(engine, 'counted')
  expect(await statesOf('counted')).toEqual(['awaiting_approval', 'rejected'])
  await reject()
  labels = 40
  const asked = { modelId: 'counted', policy: 'p', reason: 'a look', actor: 'ann' }
  await requestRun(engine, asked)
  await reject()
  await evaluatePolicies(engine, 'counted')
  expect((await statesOf('counted')).length).toBe(3)
  labels = 51
  await evaluatePolicies(engine, 'counted')
  expect((await statesOf('counted')).length).toBe(4)
})

test('a condition of windows or a schedule is asked on both, and a schedule ticks on over one window', async () => {
  const engine = engineOf(model('both', 'performance.r2 < 0.75 or schedule("0 3 * * *")'))
  await db.insertRows(
    'window_metrics',
    [0, 1].flatMap((i) =>
      (['observed', 'dle'] as const).map((method) => ({
        model_id: 'both',
        window_start: new Date(START + i * HOUR).toISOString(),
        window_end: new Date(START + (i + 1) * HOUR).toISOString(),
        ...{ family: 'performance', metric: 'r2', convention: 'plumbline', verdict: 'none' },
        ...{ method, value: method === 'observed' ? 0.8 - i * 0.1 : 0.1, revision: 1 },
      })),
    ),
    'both',
  )
  await evaluated('both', 2)
  const end = async (revision: string) => {
    const [run] = await listRuns(postgres, ['both'], 1)
    await reportRun(engine.ledger, run!.run_id, 'job', {
      state: 'succeeded',
      new_version: revision,
    })
  }
  await evaluatePolicies(engine, 'both')
  expect((await listRuns(postgres, ['both'], 9)).map((run) => run.reason)).toEqual([
    'performance.r2 0.7 < 0.75',
  ])
  await end('2')
  for (const day of [1, 2]) {
    await tickPolicies(engine, 'both', DAILY, Date.now() + day * 24 * HOUR)
    await end(`3.${day}`)
  }
  expect((await statesOf('both')).length).toBe(3)
})

test('an alert that a policy waits for launches it once, however often it flaps', async () => {
  const engine = engineOf(model('alerted', 'alert("Late") and not silent(for="2h")'))
  const flap = async (i: number, name = 'Late') => {
    const alert = { modelId: 'alerted', policy: undefined, name, cause: `alert:a:${i}`, reason: '' }
    const { launched, reasons } = await askByAlert(engine, alert)
    for (const run of launched) await failRun(engine.ledger, { run_id: run } as Run, 'no')
    return { launched: launched.length, reasons }
  }
  expect((await flap(0, 'Early')).reasons[0]).toContain('waits for Early')
  expect(await flap(1)).toEqual({ launched: 1, reasons: [] })
  expect((await flap(1)).reasons).toEqual(['this alert has already launched a run'])
  for (const i of [2, 3, 4, 5]) {
    const { launched, reasons } = await flap(i)
    expect(launched).toBe(0)
    expect(reasons[0]).toContain('within the last hour')
  }
})

test('versions, predictions and silence are read from the stores', async () => {
  const queries = policyQueries(db)
  expect(await queries.lastReceived('quiet')).toBeUndefined()
  await db.insertRows(
    'watermarks',
    [0, 1].map((i) => ({
      ...{ model_id: 'quiet', topic: 't', partition: `${i}` },
      ...{ newest: new Date(START).toISOString(), received_at: new Date(START + i).toISOString() },
    })),
    'quiet',
  )
  await db.insertRows(
    'event_counts',
    [false, true].map((shadow) => ({ model_id: 'quiet', step: START / 1000, shadow, events: 12 })),
    'quiet counts',
  )
  expect(await queries.lastReceived('quiet')).toBe(START + 1)
  expect(await queries.predictions('quiet')).toBe(12)
  const engine = engineOf(model('quiet', 'silent(for="2h") and predictions.new > 11'))
  await evaluatePolicies(engine, 'quiet')
  await evaluatePolicies(engine, 'quiet')
  expect((await listRuns(postgres, ['quiet'], 9)).map((run) => run.reason)).toEqual([
    'no event for 2h; 12 new predictions',
  ])
})

/** A window of `again` with a verdict and a value, in one revision. */
async function stored(revision: number, verdict: string, value: number) {
  const same = {
    ...{ model_id: 'again', window_start: new Date(START).toISOString(), revision },
    ...{ window_end: new Date(START + HOUR).toISOString(), convention: 'plumbline', verdict },
  }
  const drift = { ...same, family: 'drift', metric: 'psi', subject: 'amount', value: 0.4 }
  await db.insertRows('verdicts', [{ ...drift, verdict_id: `v${revision}` }], `v${revision}`)
  const r2 = { ...same, family: 'performance', metric: 'r2', verdict: 'none', value }
  await db.insertRows('window_metrics', [{ ...r2, method: 'observed' }], `m${revision}`)
  await evaluated('again', 1, revision)
}

test('a decision is made again from the revisions it saw, and what was changed since is told', async () => {
  const engine = engineOf(model('again', 'any(drift.psi, alarm) and performance.r2 < 0.75'))
  await stored(1, 'alarm', 0.7)
  await evaluatePolicies(engine, 'again')
  const [run] = await listRuns(postgres, ['again'], 1)
  const reason = 'alarm of drift.psi of amount; performance.r2 0.7 < 0.75'
  const recomputed = { action: 'launch', reason }
  const identical = { outcome: 'identical', differences: [], recomputed, windows: 1 }
  expect(await replayRun(engine, run!)).toMatchObject(identical)
  // A window that is restated later is not what was seen.
  await stored(2, 'ok', 0.9)
  expect(await replayRun(engine, run!)).toMatchObject(identical)
  const altered = async (table: string, how: string) => {
    await db.command(
      `ALTER TABLE ${table} ${how} WHERE model_id = 'again' AND revision = 1 SETTINGS mutations_sync = 2`,
    )
    return (await replayRun(engine, run!)).differences
  }
  expect(await altered('window_metrics', 'UPDATE value = 0.74')).toEqual([
    'stored metric results are not those that the decision saw',
    `the reason is “alarm of drift.psi of amount; performance.r2 0.74 < 0.75”, and “${reason}” was recorded`,
  ])
  await altered('window_metrics', 'UPDATE value = 0.7')
  expect(await altered('verdicts', "UPDATE verdict = 'ok'")).toContain(
    'the action is none, and launch was recorded',
  )
  await altered('window_metrics', 'DELETE')
  expect((await altered('verdicts', 'DELETE'))[0]).toBe(
    'revision 1 of the window that ends at 2026-01-05T01:00:00.000Z is not stored any more',
  )
})

test('a run that a person asked for has nothing to replay, and an edited entry is named', async () => {
  const engine = engineOf(model('asked', 'labels.new > 10'), { labelledOutcomes: async () => 11 })
  await evaluatePolicies(engine, 'asked')
  const [decided] = await listRuns(postgres, ['asked'], 1)
  expect((await replayRun(engine, decided!)).outcome).toBe('identical')
  await postgres.query(
    `update audit_log set detail = jsonb_set(detail, '{grounds,new_labels}', '3') where subject = $1`,
    [decided!.run_id],
  )
  expect((await replayRun(engine, decided!)).differences).toEqual([
    expect.stringMatching(/^audit entry \d+ was edited$/),
    'the action is none, and launch was recorded',
    expect.stringContaining('the condition does not hold'),
  ])
  const asked = { modelId: 'asked', policy: 'p', reason: 'a look', actor: 'ann' }
  expect(await replayRun(engine, (await requestRun(engine, asked))!)).toMatchObject({
    outcome: 'not_replayable',
    differences: ['ann asked for it: no condition was evaluated'],
  })
})

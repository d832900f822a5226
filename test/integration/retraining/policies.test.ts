/** Policies are asked by themselves, a bounded number of windows at a time, on real stores. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { serverPostgres, type Postgres } from '../../../lib/postgres/port.ts'
import {
  evaluatePolicies,
  policyEngine,
  tickPolicies,
} from '../../../services/retrain-trigger/loop/policies.ts'
import { decideByHistory } from '../../../services/retrain-trigger/queries/decision-ledger.ts'
import { listDecisions, readAnswers } from '../../../services/retrain-trigger/queries/decisions.ts'
import { failRun } from '../../../services/retrain-trigger/launchers/job.ts'
import { askByAlert, requestRun } from '../../../services/retrain-trigger/loop/requests.ts'
import {
  policyQueries,
  type PolicyQueries,
} from '../../../services/retrain-trigger/queries/policy-queries.ts'
import type { Run } from '../../../services/retrain-trigger/queries/run-record.ts'
import { pino } from 'pino'
import { parseAllowed } from '../../../lib/http/outgoing/address-rules.ts'
import { guardedFetch } from '../../../lib/http/outgoing/guarded-fetch.ts'
import { datasetReader } from '../../../services/retrain-trigger/queries/dataset.ts'
import { beginLaunch, launcher } from '../../../services/retrain-trigger/launchers/launch.ts'
import {
  failLostCommands,
  launchDue,
} from '../../../services/retrain-trigger/loop/decision-loop.ts'
import type { Ledger } from '../../../services/retrain-trigger/queries/ledger.ts'
import { reportRun } from '../../../services/retrain-trigger/queries/reports.ts'
import { rejectRun } from '../../../services/retrain-trigger/queries/run-transitions.ts'
import { listRuns } from '../../../services/retrain-trigger/queries/runs.ts'
import { migratedClickHouse, migratedPostgres, temporaryDirectory } from '../../harness.ts'
import { postgresServer } from '../../servers/postgres-server.ts'
import { until } from '../../servers/processes.ts'

const HOUR = 3_600_000
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
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
          {
            policy: { name: 'p', approval: 'none' },
            decidedAt: START,
            labelsKnown: 0,
            modelFile: '',
          },
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

const jobsOf = (ledger: Ledger) =>
  launcher({
    ...{ ledger, log: pino({ level: 'silent' }), secret: SECRET, publicUrl: () => 'http://p' },
    ...{
      allowsCommands: true,
      random: () => 1,
      readDataset: datasetReader(db),
      environment: () => undefined,
    },
    fetch: guardedFetch(parseAllowed('loopback')),
  })

test('a scheduler that starts leaves the commands of another alone, and fails those of one that died', async () => {
  const { url, stop } = await postgresServer()
  const [own, other] = [serverPostgres(url), serverPostgres(url)]
  onTestFinished(async () => {
    await Promise.all([own.close(), other.close()])
    await stop()
  })
  const file = join(temporaryDirectory(), 'go')
  const script = `while [ ! -e ${file} ]; do sleep 0.05; done`
  const command = { kind: 'command' as const, command: ['sh', '-c', script] }
  const models = declared(
    `{ model_id: long, task: binary, retrain: [{ name: p, when: 'labels.new > 1', launch: { kind: command, command: [sh] } }] }`,
  )
  const engineOn = (ledger: Ledger) => policyEngine(models, { queries: policyQueries(db), ledger })
  const engine = engineOn({ postgres: own, now: Date.now })
  const asked = { modelId: 'long', policy: 'p', reason: 'r', actor: 'ann' }
  const stateOf = async (run: Run) =>
    (await listRuns(own, ['long'], 9)).find(({ run_id: id }) => id === run.run_id)!.state
  const launched = async () => {
    const run = (await requestRun(engine, asked))!
    beginLaunch(jobsOf(engine.ledger), run, command)
    await until('it is launched', async () => (await stateOf(run)) === 'launching')
    return run
  }
  const run = await launched()
  await failLostCommands(engineOn({ postgres: other, now: Date.now }))
  expect(await stateOf(run)).toBe('launching')
  writeFileSync(file, '')
  await until('it has ended', async () => (await stateOf(run)) === 'succeeded')
  rmSync(file)
  const lost = await launched()
  // As if the process that runs it had given no sign of life for two minutes.
  await failLostCommands(engineOn({ postgres: other, now: () => Date.now() + 120_000 }))
  expect(await stateOf(lost)).toBe('failed')
  writeFileSync(file, '')
})

test('a freeze holds back what is due until its end, and says so', async () => {
  const day = (days: number) => new Date(Date.now() + days * 24 * HOUR).toISOString().slice(0, 10)
  const freeze = `freezes: [{ from: ${day(-1)}, to: ${day(2)}, reason: holidays }]`
  const engine = engineOf(model('frozen', 'labels.new > 10', freeze))
  await requestRun(engine, { modelId: 'frozen', policy: 'p', reason: 'r', actor: 'ann' })
  await launchDue({ engine, jobs: jobsOf(engine.ledger), failed: () => {} })
  expect((await listRuns(postgres, ['frozen'], 1))[0]).toMatchObject({
    ...{ state: 'queued', attempts: 0, next_attempt_at: `${day(2)}T00:00:00.000Z` },
    message: `frozen from ${day(-1)} to ${day(2)} (holidays)`,
  })
})

test('a window that is restated without its alarm cancels what is not launched, and is noted on what is', async () => {
  const policies = ['waits', 'begun', 'stands'].map(
    (name) =>
      `{ name: ${name}, when: 'performance.r2 < ${name === 'stands' ? 1 : 0.75}', approval: ${name === 'waits' ? 'one' : 'none'}, launch: { kind: webhook, url: "http://127.0.0.1:9/" } }`,
  )
  const engine = engineOf(
    `{ model_id: restated, task: regression, retrain: [${policies.join(', ')}] }`,
  )
  const stated = async (value: number, revision: number) => {
    await db.insertRows(
      'window_metrics',
      [
        {
          ...{ model_id: 'restated', family: 'performance', metric: 'r2', method: 'observed' },
          ...{ window_start: new Date(START).toISOString(), convention: 'plumbline' },
          ...{ window_end: new Date(START + HOUR).toISOString(), verdict: 'none', value, revision },
        },
      ],
      `restated ${revision}`,
    )
    await evaluated('restated', 1, revision)
    await evaluatePolicies(engine, 'restated')
  }
  const runs = async () =>
    new Map((await listRuns(postgres, ['restated'], 9)).map((run) => [run.policy, run]))
  await stated(0.7, 1)
  const begun = (await runs()).get('begun')!
  expect(begun.triggers).toMatchObject([{ metric: 'r2', test: { sign: '<', limit: 0.75 } }])
  await reportRun(engine.ledger, begun.run_id, 'job', { state: 'running' })
  await stated(0.8, 2)
  const why = 'revision 2 of its window withdrew the evidence: the condition no longer holds'
  const after = await runs()
  expect(after.get('waits')).toMatchObject({ state: 'cancelled', message: why })
  expect(after.get('begun')).toMatchObject({ state: 'running', notes: [why] })
  expect(after.get('stands')).toMatchObject({ state: 'queued', notes: [] })
  // It is looked at once.
  await evaluatePolicies(engine, 'restated')
  expect((await runs()).get('begun')!.notes).toEqual([why])
})

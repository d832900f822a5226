/**
 * Runs whose jobs a system runs, over real HTTP, kept in a real control database. The system is a
 * double of Airflow 3 that answers as the recorded server does.
 */
import { parseAllowed } from '../../../lib/http/outgoing/address-rules.ts'
import { guardedFetch } from '../../../lib/http/outgoing/guarded-fetch.ts'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type EmbeddedPostgres } from '../../../lib/postgres/port.ts'
import type { LaunchOf } from '../../../schemas/launch-systems.ts'
import {
  beginLaunch,
  launcher,
  stopLaunches,
  type Launcher,
} from '../../../services/retrain-trigger/launchers/launch.ts'
import { startJob } from '../../../services/retrain-trigger/launchers/remote-job.ts'
import { jobFollower } from '../../../services/retrain-trigger/loop/follow-jobs.ts'
import { recordDecision } from '../../../services/retrain-trigger/queries/decision-ledger.ts'
import type { Run } from '../../../services/retrain-trigger/queries/run-record.ts'
import { reportRun } from '../../../services/retrain-trigger/queries/reports.ts'
import { cancelRun } from '../../../services/retrain-trigger/queries/run-transitions.ts'
import { readDueRuns, readRun } from '../../../services/retrain-trigger/queries/runs.ts'
import { migratedPostgres, temporaryDirectory } from '../../harness.ts'
import { until } from '../../servers/processes.ts'

const noDataset = () => Promise.reject(new Error('these policies name no data set'))

const directory = temporaryDirectory()
let postgres: EmbeddedPostgres
let airflow: AirflowDouble
let now = Date.UTC(2026, 0, 1)

/** What the double of Airflow keeps: DAG runs by id, and requests it was sent. */
interface AirflowDouble {
  url: string
  states: Map<string, string>
  requests: string[]
  /** Status of every answer, where it is to fail. */
  failing: number | undefined
  server: Server
}

async function airflowDouble(): Promise<AirflowDouble> {
  const double = { states: new Map<string, string>(), requests: [] as string[] }
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      airflow.requests.push(`${request.method} ${request.url}`)
      const send = (status: number, body: object) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      if (airflow.failing) return send(airflow.failing, { detail: 'out of order' })
      if (request.headers.authorization !== 'Bearer t0ken')
        return send(403, { detail: 'Invalid JWT token' })
      const body = (text === '' ? {} : JSON.parse(text)) as Record<string, string>
      const id = request.method === 'POST' ? body['dag_run_id']! : request.url!.split('/').at(-1)!
      if (request.method === 'POST' && double.states.has(id))
        return send(409, { detail: { reason: 'Unique constraint violation' } })
      if (request.method === 'POST') double.states.set(id, 'queued')
      if (!double.states.has(id)) return send(404, { detail: 'not found' })
      if (request.method === 'PATCH') double.states.set(id, body['state']!)
      return send(200, { dag_run_id: id, state: double.states.get(id) })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { ...double, url, failing: undefined, server }
}

beforeAll(async () => {
  postgres = await migratedPostgres(directory)
})
beforeEach(async () => {
  airflow?.server.close()
  airflow = await airflowDouble()
})
afterAll(async () => {
  airflow.server.close()
})

const how = (): LaunchOf<'airflow'> => ({
  kind: 'airflow',
  url: airflow.url,
  dag: 'retrain',
  headers: { authorization: 'Bearer secret://env/TOKEN' },
  poll: '30s',
  ends_within: '2h',
})

const ledger = () => ({ postgres, now: () => now })

const jobs = (): Launcher =>
  launcher({
    ledger: ledger(),
    log: pino({ level: 'silent' }),
    secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
    publicUrl: () => 'http://plumbline',
    allowsCommands: false,
    random: () => 1,
    readDataset: noDataset,
    fetch: guardedFetch(parseAllowed('loopback')),
    environment: (name) => (name === 'TOKEN' ? 't0ken' : undefined),
  })

let runs = 0
async function newRun(): Promise<Run> {
  const named = { modelId: 'm', cause: `c${runs++}`, windowEnd: undefined }
  const run = await recordDecision(
    ledger(),
    { ...named, policy: 'drifted', revision: 0, decision: { action: 'launch', reason: 'r' } },
    {
      ...named,
      policy: { name: 'drifted', approval: 'none' },
      reason: 'r',
      decidedAt: 0,
      labelsKnown: 0,
      modelFile: '',
    } as Parameters<typeof recordDecision>[2],
  )
  return run!
}

const launched = async (run: Run): Promise<void> => {
  const all = jobs()
  beginLaunch(all, run, how())
  await Promise.all(all.underWay.values())
}

/** One look at the jobs that are due, by a process of its own, `ms` later. */
async function follow(ms: number): Promise<void> {
  now += ms
  const all = jobs()
  const follower = jobFollower(all, how)
  await follower.look()
  await follower.settled()
  await stopLaunches(all)
}

const current = async (run: Run) => (await readRun(postgres, run.run_id))!
const dagRun = (run: Run) => `plumbline-${run.run_id}`
const MINUTE = 60_000

test('a job is started once, followed to its end, and tells its state', async () => {
  const run = await newRun()
  await launched(run)
  expect(await current(run)).toMatchObject({ state: 'launching', job_id: dagRun(run) })
  await follow(MINUTE)
  expect((await current(run)).state).toBe('launching')
  airflow.states.set(dagRun(run), 'running')
  await follow(MINUTE)
  expect((await current(run)).state).toBe('running')
  airflow.states.set(dagRun(run), 'success')
  await follow(MINUTE)
  expect((await current(run)).state).toBe('succeeded')
  const asked = airflow.requests.length
  await follow(MINUTE)
  expect(airflow.requests.length).toBe(asked)
})

test('a process that dies after the start: the next one finds the job and starts no other', async () => {
  const run = await newRun()
  const dead = jobs()
  const outcome = await startJob(dead, run, how(), {
    attempt: 1,
    stopping: new AbortController().signal,
  })
  expect(outcome.kind).toBe('started')
  await launched(run)
  expect(await current(run)).toMatchObject({ state: 'launching', job_id: dagRun(run) })
  expect(airflow.states.size).toBe(1)
})

test('a refusal for good fails the run with the system’s own sentence; another is tried again', async () => {
  const refused = await newRun()
  airflow.failing = 422
  await launched(refused)
  expect(await current(refused)).toMatchObject({
    state: 'failed',
    message: 'not launched: airflow answered 422: out of order',
  })
  airflow.failing = 503
  const later = await newRun()
  await launched(later)
  expect((await current(later)).state).toBe('queued')
  airflow.failing = undefined
  now += 10 * MINUTE
  const [due] = (await readDueRuns(postgres, new Date(now))).filter(
    ({ run_id: id }) => id === later.run_id,
  )
  await launched(due!)
  expect((await current(later)).state).toBe('launching')
})

test('a run that is called off has its job cancelled, however long the system is away', async () => {
  const run = await newRun()
  await launched(run)
  await cancelRun(ledger(), run.run_id, 'ann', 'not now')
  airflow.failing = 503
  await follow(MINUTE)
  expect(airflow.states.get(dagRun(run))).toBe('queued')
  airflow.failing = undefined
  await follow(10 * MINUTE)
  expect(airflow.states.get(dagRun(run))).toBe('failed')
  expect((await current(run)).state).toBe('cancelled')
})

test('a run that is called off while its job is being started has it cancelled', async () => {
  const run = await newRun()
  const all = jobs()
  const outcome = startJob(all, run, how(), { attempt: 1, stopping: all.following })
  await cancelRun(ledger(), run.run_id, 'ann', 'not now')
  await outcome
  beginLaunch(all, run, how())
  await Promise.all(all.underWay.values())
  expect((await current(run)).state).toBe('cancelled')
})

test('a job that takes too long is cancelled, and its run has timed out', async () => {
  const run = await newRun()
  await launched(run)
  airflow.states.set(dagRun(run), 'running')
  await follow(3 * 60 * MINUTE)
  await follow(MINUTE)
  expect(airflow.states.get(dagRun(run))).toBe('failed')
  expect(await current(run)).toMatchObject({
    state: 'timed_out',
    message: 'the job did not end within 2h',
  })
})

test('a job that its system has lost fails its run after five looks, not after one', async () => {
  const run = await newRun()
  await launched(run)
  airflow.states.clear()
  for (let look = 1; look <= 4; look++) await follow(10 * MINUTE)
  expect((await current(run)).state).toBe('launching')
  await follow(10 * MINUTE)
  expect(await current(run)).toMatchObject({
    state: 'failed',
    message: `airflow has no such job: ${dagRun(run)}`,
  })
})

test('a report may come twice and late: the answer is the same, and the version is kept', async () => {
  const run = await newRun()
  await launched(run)
  airflow.states.set(dagRun(run), 'success')
  await follow(MINUTE)
  const report = { state: 'succeeded' as const, new_version: '8' }
  const first = await reportRun(ledger(), run.run_id, 'job', report)
  const second = await reportRun(ledger(), run.run_id, 'job', report)
  expect(first).toMatchObject({ state: 'succeeded', new_version: '8' })
  expect(second).toEqual(first)
  await expect(
    reportRun(ledger(), run.run_id, 'job', { state: 'succeeded', new_version: '9' }),
  ).rejects.toThrow('made version 8')
  await expect(reportRun(ledger(), run.run_id, 'job', { state: 'failed' })).rejects.toThrow(
    'failed follows only on',
  )
})

test('two processes look at once: each job is asked after by one', async () => {
  for (let i = 0; i < 10; i++) await launched(await newRun())
  const before = airflow.requests.length
  now += MINUTE
  const both = [jobFollower(jobs(), how), jobFollower(jobs(), how)]
  const looks = await Promise.all(both.map((one) => one.look()))
  for (const one of both) await one.settled()
  expect(looks[0]! + looks[1]!).toBe(10)
  expect(airflow.requests.length - before).toBe(10)
})

test('a system that hangs holds up its own jobs alone', async () => {
  const hanging = createServer(() => {})
  await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve))
  const hangingUrl = `http://127.0.0.1:${(hanging.address() as AddressInfo).port}`
  const stuck = await newRun()
  await launched(stuck)
  const well = await newRun()
  await launched(well)
  const all = jobs()
  const launchOf = (run: Pick<Run, 'run_id'>) =>
    run.run_id === stuck.run_id ? { ...how(), url: hangingUrl } : how()
  const follower = jobFollower(all, (run) => launchOf(run as Run))
  now += MINUTE
  await follower.look()
  for (const state of ['running', 'success']) {
    airflow.states.set(dagRun(well), state)
    await until(`the other is ${state}`, async () => {
      now += MINUTE
      await follower.look()
      const { state: known } = await current(well)
      return known === (state === 'success' ? 'succeeded' : 'running')
    })
  }
  expect((await current(stuck)).state).toBe('launching')
  await stopLaunches(all)
  await follower.settled()
  hanging.closeAllConnections()
  hanging.close()
})

/**
 * The launcher of Prefect with the real server: `E2E_REAL=prefect`. A virtual environment is made and
 * the package installed, unless `E2E_REAL_VENV` names one that has it.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseAllowed } from '../../lib/http/outgoing/address-rules.ts'
import { guardedFetch } from '../../lib/http/outgoing/guarded-fetch.ts'
import type { EmbeddedPostgres } from '../../lib/postgres/port.ts'
import type { LaunchOf } from '../../schemas/launch-systems.ts'
import {
  beginLaunch,
  launcher,
  stopLaunches,
  type Launcher,
} from '../../services/retrain-trigger/launchers/launch.ts'
import { startJob } from '../../services/retrain-trigger/launchers/remote-job.ts'
import { jobFollower } from '../../services/retrain-trigger/loop/follow-jobs.ts'
import { recordDecision } from '../../services/retrain-trigger/queries/decision-ledger.ts'
import type { Run } from '../../services/retrain-trigger/queries/run-record.ts'
import { cancelRun } from '../../services/retrain-trigger/queries/run-transitions.ts'
import { readRun } from '../../services/retrain-trigger/queries/runs.ts'
import { migratedPostgres, temporaryDirectory } from '../harness.ts'
import { until } from '../servers/processes.ts'

/** As `docs/launchers.md` was recorded; later versions of fastapi are none that it starts with. */
const PACKAGES = ['prefect==3.9.1', 'fastapi==0.139.*']

const directory = temporaryDirectory()
const children: ChildProcess[] = []
/** What was exchanged, a line each. */
const exchanged: string[] = []
let postgres: EmbeddedPostgres
let url: string
let deployment: string

/** The folder of the programs of a virtual environment that has Prefect. */
function programs(): string {
  const given = process.env['E2E_REAL_VENV']
  if (given) return join(given, 'bin')
  const folder = join(directory, 'venv')
  execFileSync('python3', ['-m', 'venv', folder])
  execFileSync(join(folder, 'bin/pip'), ['install', '--quiet', ...PACKAGES])
  return join(folder, 'bin')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

function start(program: string, args: readonly string[], env: Record<string, string>) {
  const child = spawn(program, args, {
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: directory, ...env },
    stdio: 'ignore',
  })
  children.push(child)
}

const get = async (path: string) => {
  const response = await fetch(`${url}/api${path}`).catch(() => undefined)
  return response?.ok ? ((await response.json()) as Record<string, string>) : undefined
}

async function startPrefect() {
  const bin = programs()
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  const env = {
    PREFECT_HOME: join(directory, 'prefect'),
    PREFECT_API_URL: `${url}/api`,
    PREFECT_SERVER_ANALYTICS_ENABLED: 'false',
    // The runner looks often, so that the test is short.
    PREFECT_RUNNER_POLL_FREQUENCY: '1',
    DO_NOT_TRACK: '1',
  }
  start(join(bin, 'prefect'), ['server', 'start', '--host', '127.0.0.1', '--port', `${port}`], env)
  await until('Prefect answers', async () => (await get('/admin/version')) !== undefined)
  exchanged.push(`version ${JSON.stringify(await get('/admin/version'))}`)
  writeFileSync(
    join(directory, 'flow.py'),
    readFileSync(join(import.meta.dirname, 'flow.py'), 'utf8'),
  )
  start(join(bin, 'python'), ['flow.py'], env)
  const served = () => get('/deployments/name/retrain/plumbline')
  await until('the flow is served', async () => (await served()) !== undefined)
  deployment = (await served())!['id']!
}

const ledger = () => ({ postgres, now: Date.now })
const reach = guardedFetch(parseAllowed('loopback'))

const jobs = (): Launcher =>
  launcher({
    ledger: ledger(),
    log: pino({ level: 'silent' }),
    secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
    publicUrl: () => 'http://plumbline',
    allowsCommands: false,
    random: () => 1,
    readDataset: () => Promise.reject(new Error('these policies name no data set')),
    fetch: async (address, options) => {
      const answer = await reach(address, options)
      const { pathname } = new URL(address)
      const text = await answer.clone().text()
      exchanged.push(`${options?.method} ${pathname} -> ${answer.status} ${text.slice(0, 160)}`)
      return answer
    },
    environment: () => undefined,
  })

const how = (more: Partial<LaunchOf<'prefect'>> = {}): LaunchOf<'prefect'> => ({
  ...{ kind: 'prefect', url, deployment, headers: {}, poll: '1s', ends_within: '1h' },
  ...more,
})

let runs = 0
async function newRun(): Promise<Run> {
  const named = { modelId: 'm', cause: `c${runs++}`, windowEnd: undefined }
  const run = await recordDecision(
    ledger(),
    { ...named, policy: 'p', revision: 0, decision: { action: 'launch', reason: 'r' } },
    {
      ...{ ...named, policy: { name: 'p', approval: 'none' }, reason: 'r', decidedAt: 0 },
      ...{ labelsKnown: 0, modelFile: '' },
    } as Parameters<typeof recordDecision>[2],
  )
  return run!
}

const launched = async (launch: LaunchOf<'prefect'>) => begun(await newRun(), launch)

/** Launches a run, again after each passing failure: Prefect on SQLite answers 503 while it is busy. */
async function begun(run: Run, launch: LaunchOf<'prefect'>): Promise<Run> {
  await until('the run is launched, or refused', async () => {
    const { next_attempt_at: next } = await current(run)
    if (next !== null && Date.parse(next) > Date.now()) return false
    const all = jobs()
    beginLaunch(all, await current(run), launch)
    await Promise.all(all.underWay.values())
    return (await current(run)).state !== 'queued'
  })
  return current(run)
}

const current = async (run: Run) => (await readRun(postgres, run.run_id))!

/** Follows the jobs until the run is in a state. */
async function follow(run: Run, state: string, launch = how()) {
  await until(`the run is ${state}`, async () => {
    const all = jobs()
    const follower = jobFollower(all, () => launch)
    await follower.look()
    await follower.settled()
    await stopLaunches(all)
    return (await current(run)).state === state
  })
}

const stateOf = async (run: Run) =>
  (await get(`/flow_runs/${(await current(run)).job_id}`))!['state_type']

describe('Prefect', () => {
  beforeAll(async () => {
    expect(existsSync('/usr/bin/python3') || existsSync('/usr/local/bin/python3')).toBe(true)
    postgres = await migratedPostgres(directory)
    await startPrefect()
  })
  afterAll(() => {
    for (const child of children) child.kill('SIGTERM')
    const kept = process.env['E2E_REAL_KEEP']
    if (kept) writeFileSync(kept, `${exchanged.join('\n')}\n`)
  })

  test('a flow run is started once, found by its key, and followed to its end', async () => {
    const launch = how({ parameters: { seconds: 2, reason: '{{reason}}' } })
    const run = await newRun()
    // The process dies after its request: the next one's answers the same flow run.
    let job = ''
    await until('Prefect has taken it', async () => {
      const dead = jobs()
      const { following: stopping } = dead
      const outcome = await startJob(dead, run, launch, { attempt: 1, stopping })
      if (outcome.kind === 'started') job = outcome.job.id
      return job !== ''
    })
    expect(await begun(run, launch)).toMatchObject({ state: 'launching', job_id: job })
    const starts = exchanged.filter(
      (line) => line.includes(job) && line.includes('create_flow_run'),
    )
    expect(starts.map((line) => line.match(/-> (\d+)/)![1])).toEqual(['201', '200'])
    await follow(run, 'succeeded')
    expect(await stateOf(run)).toBe('COMPLETED')
  })

  test('a flow that fails fails its run, with what Prefect says of it', async () => {
    const run = await launched(how({ parameters: { fail: true } }))
    await follow(run, 'failed')
    expect((await current(run)).message).toContain('no data for this region')
  })

  test('a run that is called off ends its flow run while it runs', async () => {
    const run = await launched(how({ parameters: { seconds: 600 } }))
    await follow(run, 'running')
    await cancelRun(ledger(), run.run_id, 'ann', 'not now')
    await until('Prefect has cancelled it', async () => {
      await follow(run, 'cancelled')
      return (await stateOf(run)) === 'CANCELLED'
    })
  })

  test('what Prefect refuses fails the run with its sentence', async () => {
    const unknown = await launched(how({ deployment: '00000000-0000-4000-8000-000000000000' }))
    expect(unknown).toMatchObject({ state: 'failed', message: expect.stringContaining('404') })
    const wrong = await launched(how({ parameters: { seconds: 'many' } }))
    expect(wrong).toMatchObject({ state: 'failed', message: expect.stringContaining('seconds') })
  })
})

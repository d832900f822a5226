/**
 * Runs are launched over real HTTP to endpoints that misbehave, kept in a real control database.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseAllowed } from '../../../lib/http/outgoing/address-rules.ts'
import { guardedFetch } from '../../../lib/http/outgoing/guarded-fetch.ts'
import { type EmbeddedPostgres } from '../../../lib/postgres/port.ts'
import {
  firstBreak,
  incompleteness,
  readAudit,
  readEvidence,
} from '../../../lib/postgres/audit-log.ts'
import {
  beginLaunch,
  launcher,
  stopLaunches,
} from '../../../services/retrain-trigger/launchers/launch.ts'
import { recordDecision } from '../../../services/retrain-trigger/queries/decision-ledger.ts'
import type {
  DatasetQuestion,
  DatasetReader,
} from '../../../services/retrain-trigger/queries/dataset.ts'
import type { TrainingData } from '../../../schemas/model-retrain.ts'
import type { Ledger } from '../../../services/retrain-trigger/queries/ledger.ts'
import { isTokenOf } from '../../../services/retrain-trigger/queries/run-token.ts'
import type { Run } from '../../../services/retrain-trigger/queries/run-record.ts'
import {
  listRuns,
  readDueRuns,
  readRun,
  readTokenHashes,
} from '../../../services/retrain-trigger/queries/runs.ts'
import { migratedPostgres, temporaryDirectory } from '../../harness.ts'
import { until } from '../../servers/processes.ts'

const noDataset: DatasetReader = () => Promise.reject(new Error('these policies name no data set'))

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const directory = temporaryDirectory()
let postgres: EmbeddedPostgres
let ledger: Ledger
const servers: Server[] = []

beforeAll(async () => {
  postgres = await migratedPostgres(directory)
  ledger = { postgres, now: Date.now }
})
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

async function endpoint(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const seen: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      seen.push(body)
      answer(request, response)
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`, seen }
}

let runs = 0
async function newRun(policy: string, dataset?: TrainingData): Promise<Run> {
  const named = { modelId: 'm', cause: `c${runs++}` }
  const run = await recordDecision(
    ledger,
    {
      ...{ ...named, policy, windowEnd: undefined, revision: 0 },
      decision: { action: 'launch', reason: 'r' },
    },
    {
      ...{
        ...named,
        policy: { name: policy, approval: 'none', ...(dataset && { dataset }) },
        reason: 'r',
      },
      ...{ windowEnd: undefined, decidedAt: 0, labelsKnown: 0, modelFile: '' },
    },
  )
  return run!
}

const jobs = (timeoutMs: number, own: Ledger = ledger, readDataset: DatasetReader = noDataset) =>
  launcher({
    ...{ ledger: own, log: pino({ level: 'silent' }), secret: SECRET, timeoutMs },
    ...{
      publicUrl: () => 'http://plumbline',
      allowsCommands: false,
      random: () => 1,
      readDataset,
    },
    environment: (name) => (name === 'TOKEN' ? 's3cret' : undefined),
    fetch: guardedFetch(parseAllowed('loopback')),
  })
/** Makes the first try of a run's launch as old as that. */
const triedFor = (run: Run, ms: number) =>
  postgres.query('update runs set first_attempt_at = $2 where run_id = $1', [
    run.run_id,
    new Date(Date.now() - ms),
  ])
const HOUR = 3_600_000
const stateOf = async (run: Run) => (await readRun(postgres, run.run_id))?.state
const postponed = async (run: Run) => {
  const [row] = await postgres.query<{ next_attempt_at: Date | null }>(
    'select next_attempt_at from runs where run_id = $1',
    [run.run_id],
  )
  return row?.next_attempt_at ? row.next_attempt_at.getTime() - Date.now() : undefined
}

test.each([
  [
    'Retry-After as an HTTP date',
    429,
    { 'retry-after': new Date(Date.now() + 900_000).toUTCString() },
  ],
  ['Retry-After in seconds', 503, { 'retry-after': '800' }],
])('%s is waited for, and the run is tried again', async (_, status, headers) => {
  const hook = await endpoint((_request, response) => response.writeHead(status, headers).end())
  const run = await newRun('p')
  const all = jobs(5000)
  beginLaunch(all, run, { kind: 'webhook', url: hook.url })
  await until('it is postponed', async () => ((await postponed(run)) ?? 0) > 600_000)
  beginLaunch(all, (await readRun(postgres, run.run_id))!, { kind: 'webhook', url: hook.url })
  await stopLaunches(all)
  expect(hook.seen.length).toBe(1)
  expect(await stateOf(run)).toBe('queued')
})

test('endpoints that hang, close or redirect hold up nobody else, and each is told by its reason', async () => {
  const hangs = await endpoint(() => {})
  const closes = await endpoint((request) => request.socket.destroy())
  const redirects = await endpoint((_request, response) =>
    response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(),
  )
  const endless = await endpoint((_request, response) => {
    response.writeHead(200).write('x'.repeat(1 << 20))
  })
  const all = jobs(3000)
  const begin = async (url: string, triedMs = 0) => {
    const run = await newRun('q')
    await triedFor(run, triedMs)
    beginLaunch(all, run, { kind: 'webhook', url })
    return run
  }
  const [hung, closed, redirected] = [
    await begin(hangs.url, 6 * HOUR),
    await begin(closes.url, 6 * HOUR),
    await begin(redirects.url, 6 * HOUR),
  ]
  const good = await begin(endless.url)
  await until('the good one is launched', async () => (await stateOf(good)) === 'launching')
  expect(await stateOf(hung)).toBe('queued')
  for (const [run, why] of [
    [hung, 'timeout'],
    [closed, 'socket hang up'],
    [redirected, 'redirects are not followed'],
  ] as const) {
    await until('it has failed', async () => (await stateOf(run)) === 'failed')
    expect((await readRun(postgres, run.run_id))!.message).toContain(why)
  }
  await stopLaunches(all)
})

test('a job gets a token for its run alone, and neither the token nor its hash is shown', async () => {
  const hook = await endpoint((_request, response) => response.writeHead(202).end())
  const [run, other] = [await newRun('t'), await newRun('t')]
  const all = jobs(5000)
  beginLaunch(all, run, { kind: 'webhook', url: hook.url })
  await until('it is launched', async () => (await stateOf(run)) === 'launching')
  await stopLaunches(all)
  const { status_url } = (JSON.parse(hook.seen[0]!) as { data: { status_url: string } }).data
  const token = new URL(status_url).searchParams.get('token')!
  expect(isTokenOf(token, await readTokenHashes(postgres, run.run_id))).toBe(true)
  expect(isTokenOf(token, await readTokenHashes(postgres, other.run_id))).toBe(false)
  expect(isTokenOf('', await readTokenHashes(postgres, run.run_id))).toBe(false)
  expect(JSON.stringify(await listRuns(postgres, undefined, 100))).not.toContain('token')
})

test('a job is given the manifest of its data set, and is not launched before it was read', async () => {
  const hook = await endpoint((_request, response) => response.writeHead(202).end())
  const run = await newRun('learns', { span: '2h' })
  const without = jobs(5000)
  beginLaunch(without, run, { kind: 'webhook', url: hook.url })
  await until('it is put off', async () => (await postponed(run)) !== undefined)
  await stopLaunches(without)
  expect([hook.seen, await stateOf(run)]).toEqual([[], 'queued'])
  await postgres.query('update runs set next_attempt_at = null where run_id = $1', [run.run_id])
  const dataset = {
    ...{ as_of: run.created_at, from: run.decided_at, to: run.decided_at, sha256: 'f'.repeat(64) },
    parts: (['predictions', 'labels'] as const).map((table) => ({
      ...{ table, query: 'SELECT 1', parameters: {}, schema: [], names: [] },
      ...{ rows: 2, weight: 2, content_sha256: 'e'.repeat(64) },
    })),
  }
  const asked: DatasetQuestion[] = []
  const all = jobs(5000, ledger, async (question) => {
    asked.push(question)
    return dataset
  })
  beginLaunch(all, run, { kind: 'webhook', url: hook.url })
  await until('it is launched', async () => (await stateOf(run)) === 'launching')
  await stopLaunches(all)
  const asOf = Date.parse(run.created_at)
  expect(asked).toEqual([{ modelId: 'm', asOf, from: -2 * HOUR, to: 0, attributes: {} }])
  const { data } = JSON.parse(hook.seen[0]!) as { data: object }
  expect(data).toMatchObject({ dataset, dataset_sha256: dataset.sha256, ...run.configuration })
  expect((await readRun(postgres, run.run_id))!.dataset).toEqual(dataset)
})

test('a command does not start unless commands are allowed', async () => {
  const run = await newRun('command')
  const all = jobs(5000)
  beginLaunch(all, run, { kind: 'command', command: ['true'] })
  await until('it has failed', async () => (await stateOf(run)) === 'failed')
  expect((await readRun(postgres, run.run_id))!.message).toContain('PLUMBLINE_ALLOW_COMMANDS')
  await stopLaunches(all)
})

test('due runs of one policy, however many, leave room for those of others', async () => {
  for (let i = 0; i < 30; i++) await newRun('many')
  const late = await newRun('late')
  const due = await readDueRuns(postgres, new Date())
  expect(due.filter((run) => run.policy === 'many').length).toBe(2)
  expect(due.map((run) => run.run_id)).toContain(late.run_id)
})

test('entries cut off the end of the audit log are missed', async () => {
  const told = async (mirrored?: number) =>
    incompleteness(
      firstBreak(await readAudit(postgres, 0, 1000)),
      await readEvidence(postgres, mirrored),
    )
  expect(await told()).toBeUndefined()
  const { head } = await readEvidence(postgres, undefined)
  await postgres.query('delete from audit_log where sequence > $1', [head.entries - 2])
  expect(await told()).toContain(`its head counts ${head.entries}`)
  await postgres.query(
    'update audit_head set entries = $1, hash = (select hash from audit_log where sequence = $1)',
    [head.entries - 2],
  )
  expect(await told()).toBeUndefined()
  expect(await told(head.entries)).toContain(`copy of entry ${head.entries}`)
})

test.each([
  [400, '{"detail": "conf is no object"}', 'conf is no object'],
  [401, '{"error": {"code": 7}}', '{"code":7}'],
  [403, 'no entry', 'no entry'],
  [404, '<html><body>nothing here</body></html>', 'the webhook answered 404'],
  [409, '{"message": "the run exists"}', 'the run exists'],
  [422, '{"detail": [{"msg": "field required"}]}', 'field required'],
])('%i fails at once, in the words of the answer', async (status, said, wanted) => {
  const hook = await endpoint((_request, response) => response.writeHead(status).end(said))
  const run = await newRun('refused')
  const all = jobs(5000)
  beginLaunch(all, run, { kind: 'webhook', url: hook.url })
  await until('it has failed', async () => (await stateOf(run)) === 'failed')
  await stopLaunches(all)
  expect((await readRun(postgres, run.run_id))!.message).toContain(wanted)
  expect(hook.seen.length).toBe(1)
})

test('what fails for now is tried for hours, later each time, and the store keeps when', async () => {
  const hook = await endpoint((_request, response) => response.writeHead(503).end('starting'))
  const run = await newRun('patient')
  let now = Date.now()
  const pauses: number[] = []
  for (let attempt = 1; attempt <= 14; attempt++) {
    const all = jobs(5000, { postgres, now: () => now })
    beginLaunch(all, (await readRun(postgres, run.run_id))!, { kind: 'webhook', url: hook.url })
    await until('it is tried', async () => hook.seen.length === attempt)
    // A launch that has been sent is recorded, however soon the process stops.
    await until('it is recorded', async () => all.underWay.size === 0)
    await stopLaunches(all)
    const pause = (await postponed(run))! + Date.now() - now
    pauses.push(Math.round(pause / 1000))
    now += pause
  }
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300, 300])
  expect(await stateOf(run)).toBe('queued')
  now += 6 * HOUR
  const last = jobs(5000, { postgres, now: () => now })
  beginLaunch(last, run, { kind: 'webhook', url: hook.url })
  await until('it has failed', async () => (await stateOf(run)) === 'failed')
  await stopLaunches(last)
  const { message } = (await readRun(postgres, run.run_id))!
  expect(message).toContain('not launched after 15 attempts in 6 hours')
  expect(message).toContain('503: starting')
})

test('launchers of three processes post a run once', async () => {
  const hook = await endpoint((_request, response) => response.writeHead(202).end())
  const all = [jobs(5000), jobs(5000), jobs(5000)]
  for (let round = 0; round < 20; round++) {
    const run = await newRun('raced')
    for (const one of all) beginLaunch(one, run, { kind: 'webhook', url: hook.url })
    await until('it is launched', async () => (await stateOf(run)) === 'launching')
    await until('all have looked', async () => all.every(({ underWay }) => underWay.size === 0))
  }
  expect(hook.seen.length).toBe(20)
})

test('a claim of a process that died ends, and the run is posted under its id again', async () => {
  const ids: unknown[] = []
  const hangs = await endpoint((request, response) => {
    ids.push(request.headers['webhook-id'])
    if (ids.length > 1) response.writeHead(202).end()
  })
  const run = await newRun('died')
  const dead = jobs(60_000)
  beginLaunch(dead, run, { kind: 'webhook', url: hangs.url })
  await until('it is posted', async () => ids.length === 1)
  const claimed = async (now: number) =>
    (await readDueRuns(postgres, new Date(now))).some(({ run_id }) => run_id === run.run_id)
  expect(await claimed(Date.now() + 60_000)).toBe(false)
  expect(await claimed(Date.now() + 90_000)).toBe(true)
  const next = jobs(5000, { postgres, now: () => Date.now() + 90_000 })
  beginLaunch(next, run, { kind: 'webhook', url: hangs.url })
  await until('it is launched', async () => (await stateOf(run)) === 'launching')
  await Promise.all([stopLaunches(next), stopLaunches(dead)])
  expect(ids).toEqual([run.run_id, run.run_id])
})

test('headers and body are those of the model file, with the secret in its place', async () => {
  const headers: IncomingMessage['headers'][] = []
  const hook = await endpoint((request, response) => {
    headers.push(request.headers)
    response.writeHead(202).end()
  })
  const run = await newRun('templated')
  const all = jobs(5000)
  const how = {
    ...{ kind: 'webhook' as const, url: hook.url },
    headers: { authorization: 'Bearer secret://env/TOKEN', 'x-run': '{{run_id}}' },
    body: { dag_run_id: 'plumbline-{{ run_id }}', conf: { why: ['{{reason}}', 1, null] } },
  }
  beginLaunch(all, run, how)
  await until('it is launched', async () => (await stateOf(run)) === 'launching')
  expect(headers[0]).toMatchObject({ authorization: 'Bearer s3cret', 'x-run': run.run_id })
  expect(JSON.parse(hook.seen[0]!)).toEqual({
    dag_run_id: `plumbline-${run.run_id}`,
    conf: { why: ['r', 1, null] },
  })
  expect(
    new Webhook(SECRET).verify(hook.seen[0]!, headers[0] as Record<string, string>),
  ).toBeDefined()
  const unset = await newRun('templated')
  beginLaunch(all, unset, { ...how, headers: { authorization: 'secret://env/ABSENT' } })
  await until('it has failed', async () => (await stateOf(unset)) === 'failed')
  expect((await readRun(postgres, unset.run_id))!.message).toContain('ABSENT is not set')
  await stopLaunches(all)
})

test('a launch to an address that is not allowed fails its run at once, and says which setting', async () => {
  const all = jobs(5000)
  const begin = async (how: Parameters<typeof beginLaunch>[2]) => {
    const run = await newRun('inside')
    beginLaunch(all, run, how)
    await until('it has failed', async () => (await stateOf(run)) === 'failed')
    return (await readRun(postgres, run.run_id))!
  }
  const metadata = { kind: 'webhook', url: 'http://169.254.169.254/latest/' } as const
  expect(await begin(metadata)).toMatchObject({
    attempts: 1,
    message:
      'not launched: nothing is sent to 169.254.169.254: 169.254.169.254 tells secrets of its machine (PLUMBLINE_LAUNCH_ADDRESSES says what may be reached besides public addresses)',
  })
  const airflow = { kind: 'airflow', url: 'http://10.0.0.1:8080', dag: 'd' } as const
  expect((await begin(airflow)).message).toContain('10.0.0.1 is a private address')
  await stopLaunches(all)
})

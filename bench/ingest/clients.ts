/**
 * Kafka clients beside one another: the same topic of predictions with 20 features, consumed to its
 * end, and what each client can do for exactly-once.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { median } from 'simple-statistics'
import { startKafka } from '../../deploy/local/kafka.ts'
import { asJson, PARTITIONS, produce } from './events.ts'
import type { Abilities, ClientTask } from './kafka-client.ts'
import type { Result } from '../result.ts'
import { type Measured } from './measured.ts'

const PEERS = { '@platformatic/kafka': '2.12.1', '@confluentinc/kafka-javascript': '1.10.1' }
const FOLDER = fileURLToPath(new URL('../../.local/kafka-clients', import.meta.url))
const RUNNER = fileURLToPath(new URL('kafka-client.ts', import.meta.url))
/** Bare kafkajs on Node 24: `lib/event-log/kafkajs-patches/request-timer.ts` mends it. */
const NO_WARNING = '--disable-warning=TimeoutNegativeWarning'
const NAMES: Record<ClientTask['client'], string> = {
  kafkajs: 'kafkajs 2.2.4, bare',
  patched: 'kafkajs 2.2.4 with our patches',
  platformatic: `@platformatic/kafka ${PEERS['@platformatic/kafka']}`,
  confluent: `@confluentinc/kafka-javascript ${PEERS['@confluentinc/kafka-javascript']}`,
}

/**
 * Each client in alternating rounds, in a process of its own that is warm before it is measured.
 */
export async function benchClients(rounds: number, events: number): Promise<Result[]> {
  installPeers()
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-bench-'))
  const kafka = await startKafka({ directory: join(directory, 'kafka') })
  try {
    const { brokers } = kafka
    const bytes = await produce(brokers, 'clients', events, asJson)
    const clients = Object.keys(NAMES) as ClientTask['client'][]
    const run = <T>(client: ClientTask['client'], task: ClientTask['task'], group: string): T =>
      found({ client, task, brokers, topic: 'clients', group, events, peers: FOLDER })
    const measured = new Map(clients.map((client) => [client, [] as Measured[]]))
    for (let round = 0; round < rounds; round++)
      for (const client of clients)
        measured.get(client)!.push(run<Measured>(client, 'consume', `${client}-${round}`))
    const able = new Map(
      clients.map((client) => [client, run<Abilities>(client, 'abilities', client)]),
    )
    return resultsOf(measured, able, { rounds, events, bytes_per_event: bytes })
  } finally {
    await kafka.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

function resultsOf(
  measured: ReadonlyMap<ClientTask['client'], readonly Measured[]>,
  able: ReadonlyMap<ClientTask['client'], Abilities>,
  { rounds, ...settings }: { rounds: number; events: number; bytes_per_event: number },
): Result[] {
  return (['cpuPerSecond', 'wallPerSecond'] as const).flatMap((unit) => {
    const of = (client: ClientTask['client']) => median(measured.get(client)!.map((m) => m[unit]))
    return [...measured.keys()].map((client) => ({
      name: NAMES[client],
      value: of(client),
      unit: unit === 'cpuPerSecond' ? 'events/CPU-s' : 'events/s',
      against: 'kafkajs as we use it',
      ratio: of(client) / of('patched'),
      rounds,
      settings: { ...settings, partitions: PARTITIONS, features: 20 },
      note: Object.entries(able.get(client)!)
        .map(([what, can]) => `${what}: ${can}`)
        .join('; '),
    }))
  })
}

/** What a client of its own process prints. */
function found<T>(task: ClientTask): T {
  const out = execFileSync(process.execPath, [NO_WARNING, RUNNER, JSON.stringify(task)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 300_000,
  })
  return JSON.parse(out.trim().split('\n').at(-1)!) as T
}

/** The package of the Node that runs this, which has its headers. */
const NODE_PACKAGE = `node-${process.platform}-${process.arch}`

/**
 * The peers, once: the one by Confluent is compiled for the Node that runs this and against the
 * machine's zlib and OpenSSL, which takes some minutes.
 */
function installPeers(): void {
  const installed = (name: string) => join(FOLDER, 'node_modules', name)
  if (Object.keys(PEERS).every((name) => existsSync(installed(name)))) return
  mkdirSync(FOLDER, { recursive: true })
  console.error(`installing ${Object.keys(PEERS).join(' and ')} (once; the latter is compiled)`)
  const install = (dependencies: Record<string, string>) => {
    writeFileSync(join(FOLDER, 'package.json'), JSON.stringify({ private: true, dependencies }))
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: FOLDER,
      env: {
        ...process.env,
        // Install scripts are run by the Node that is found first, and compile for it.
        PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
        npm_config_nodedir: installed(NODE_PACKAGE),
        CKJS_LINKING: 'dynamic',
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
  }
  const node = { [NODE_PACKAGE]: process.versions.node }
  install(node)
  install({ ...node, ...PEERS })
}

/** A local Apache Kafka: one node in KRaft mode, on loopback, its data in a folder of its own. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ended } from './child-process.ts'

const LIBS = fileURLToPath(new URL('../../.local/kafka', import.meta.url))
/** What `kafka-classes.ts` makes: Kafka's classes as Java maps them, and a formatted folder. */
export const CLASSES = join(LIBS, 'classes.jsa')
export const FORMATTED = join(LIBS, 'formatted')
const LOG4J = fileURLToPath(new URL('log4j2.xml', import.meta.url))
const JAVA_OPTIONS = [
  '-Xmx512m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  `-Dlog4j2.configurationFile=${LOG4J}`,
]
/** Saves half the time of a start. Where it does not fit the Java machine it is passed over. */
const sharedClasses = () => (existsSync(CLASSES) ? [`-XX:SharedArchiveFile=${CLASSES}`] : [])
/** What only a broker that hangs exceeds: on a machine under load it takes a minute. */
const START_TIMEOUT_MS = 240_000

export interface LocalKafka {
  brokers: string
  pid: number
  stop: () => Promise<void>
  /** SIGKILL, as a crash. */
  kill: () => Promise<void>
}

export interface LocalKafkaOptions {
  /** Data, configuration and log; kept between starts. */
  directory: string
  port?: number
  controllerPort?: number
  /** What tests want besides: listeners for others than this machine's tools, say. */
  extra?: KafkaExtras
}

export interface KafkaExtras {
  /** Properties of the broker, which come after ours and win. */
  properties?: Readonly<Record<string, string | number>>
  /** Listeners beside the plain one, such as `SASL_SSL://127.0.0.1:9094`. */
  listeners?: readonly string[]
  javaOptions?: readonly string[]
  /** Users of SCRAM, as `kafka-storage format --add-scram` takes them. */
  scram?: readonly string[]
}

/** Whether Java and the Kafka libraries are here; otherwise the sentence what to install. */
export function whyNoKafka(): string | undefined {
  if (spawnSync('java', ['-version']).status !== 0)
    return 'Java 17 or newer is not installed (Debian: apt-get install openjdk-17-jre-headless)'
  if (!existsSync(join(LIBS, '.installed')))
    return 'Apache Kafka is not fetched: install Maven (Debian: apt-get install maven) and run node deploy/local/setup.mjs --kafka'
  return undefined
}

/** Starts the broker and resolves when it answers on its port. */
export async function startKafka({
  directory,
  port = 0,
  controllerPort = 0,
  extra = {},
}: LocalKafkaOptions): Promise<LocalKafka> {
  const missing = whyNoKafka()
  if (missing) throw new Error(missing)
  mkdirSync(directory, { recursive: true })
  const broker = port || (await freePort())
  const controller = controllerPort || (await freePort())
  const properties = join(directory, 'server.properties')
  writeFileSync(properties, configuration(directory, { broker, controller }, extra))
  format(directory, properties, extra.scram)
  const output = openSync(join(directory, 'kafka.log'), 'a')
  const child = spawn(
    'java',
    [
      ...JAVA_OPTIONS,
      ...sharedClasses(),
      ...(extra.javaOptions ?? []),
      '-cp',
      join(LIBS, '*'),
      'kafka.Kafka',
      properties,
    ],
    {
      stdio: ['ignore', output, output],
    },
  )
  await answering(child, broker, join(directory, 'kafka.log'))
  const end = async (signal: NodeJS.Signals) => void (await ended(child, signal))
  return {
    brokers: `127.0.0.1:${broker}`,
    pid: child.pid!,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}

function configuration(
  directory: string,
  { broker, controller }: { broker: number; controller: number },
  { listeners = [], properties = {} }: KafkaExtras,
): string {
  const plain = `PLAINTEXT://127.0.0.1:${broker}`
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: [plain, ...listeners, `CONTROLLER://127.0.0.1:${controller}`].join(','),
    'advertised.listeners': [plain, ...listeners].join(','),
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(directory, 'data'),
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    'group.coordinator.append.linger.ms': 0,
    'log.segment.bytes': 134217728,
    ...properties,
  })
    .map(([key, value]) => `${key}=${value}`)
    .join('\n')
}

/**
 * Makes the broker's folder of a first start: with what `kafka-storage format` left at an earlier
 * one, which costs a Java machine of its own.
 */
function format(directory: string, properties: string, scram: readonly string[] = []) {
  const data = join(directory, 'data')
  if (existsSync(join(data, 'meta.properties'))) return
  if (scram.length === 0 && existsSync(join(FORMATTED, 'meta.properties'))) {
    cpSync(FORMATTED, data, { recursive: true })
    return named(join(data, 'meta.properties'))
  }
  const done = spawnSync('java', [
    ...JAVA_OPTIONS,
    '-cp',
    join(LIBS, '*'),
    'kafka.tools.StorageTool',
    'format',
    '-t',
    randomId(),
    '-c',
    properties,
    ...scram.flatMap((user) => ['--add-scram', user]),
  ])
  if (done.status !== 0)
    throw new Error(`Kafka's storage could not be formatted: ${done.stderr} ${done.stdout}`)
}

/** Gives a copied folder ids of its own. */
function named(properties: string): void {
  const text = readFileSync(properties, 'utf8')
  writeFileSync(
    properties,
    text.replace(/^(cluster\.id|directory\.id)=.*$/gm, (_, key: string) => `${key}=${randomId()}`),
  )
}

const randomId = () =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(16)))
    .toString('base64url')
    .replace(/^[-_]/, 'A')

async function answering(child: ChildProcess, port: number, log: string) {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (Date.now() < deadline) {
    if (child.exitCode !== null)
      throw new Error(`Kafka ended while starting: ${readFileSync(log, 'utf8').slice(-2000)}`)
    if (await answers(port)) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  child.kill('SIGKILL')
  throw new Error(
    `Kafka did not answer on port ${port} within ${START_TIMEOUT_MS / 1000} s: ${readFileSync(log, 'utf8').slice(-2000)}`,
  )
}

const answers = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

/** A port that was free a moment ago. */
export const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

if (import.meta.main) {
  const directory = process.argv[2] ?? './data/kafka'
  const kafka = await startKafka({
    directory,
    port: Number(process.env['KAFKA_PORT'] ?? 9092),
    controllerPort: Number(process.env['KAFKA_CONTROLLER_PORT'] ?? 9093),
  })
  console.log(`Kafka serves on ${kafka.brokers}, data in ${directory}; Ctrl-C ends it`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void kafka.stop().then(() => process.exit(0)))
}

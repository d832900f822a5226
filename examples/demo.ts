/**
 * The whole loop on real data: a stream is replayed, drift is found, a model is retrained and does
 * better.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { freePort, startKafka, whyNoKafka, type LocalKafka } from '../deploy/local/kafka.ts'
import { plumblineClient } from './plumbline-client.ts'
import { summarize } from './summary.ts'

const { values: options } = parseArgs({
  options: { exit: { type: 'boolean', default: false }, rows: { type: 'string', default: '' } },
})
/** Plumbline is waited for while it lives; a machine that others use may take long. */
const PATIENCE_MS = 300_000
const root = fileURLToPath(new URL('..', import.meta.url))
const directory = join(root, 'data', `demo-${process.pid}`)
const children: ChildProcess[] = []
let kafka: LocalKafka | undefined
/** A second signal must not leave behind what the first one is stopping. */
let isFinishing = false

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void finish(0))

try {
  await run()
} catch (error) {
  console.error(`the demo failed: ${(error as Error).message}\n(logs in ${directory})`)
  await finish(1)
}

async function run() {
  const began = Date.now()
  mkdirSync(join(directory, 'models'), { recursive: true })
  const [port, clickhousePort, retrainerPort] = [
    await portOr(8080),
    await portOr(8123),
    await freePort(),
  ]
  const url = `http://127.0.0.1:${port}`
  const clickhouseUrl = `http://127.0.0.1:${clickhousePort}`
  const model = readFileSync(join(root, 'models', 'elec2.yaml'), 'utf8')
  writeFileSync(
    join(directory, 'models', 'elec2.yaml'),
    model.replace('127.0.0.1:9000', `127.0.0.1:${retrainerPort}`),
  )

  const without = whyNoKafka()
  if (without) console.log(`${without}: the log is in process instead`)
  else {
    kafka = await startKafka({ directory: join(directory, 'kafka') })
    console.log(`Kafka            ${kafka.brokers}`)
  }
  start('plumbline', ['main.ts', '--target=all'], {
    PLUMBLINE_DATA_DIR: directory,
    PLUMBLINE_MODELS_DIR: join(directory, 'models'),
    PLUMBLINE_HTTP_PORT: String(port),
    PLUMBLINE_CLICKHOUSE_HTTP_PORT: String(clickhousePort),
    PLUMBLINE_LOG_LEVEL: 'warn',
    // One small stream: more partitions would only make more and smaller inserts.
    ...(kafka && { PLUMBLINE_KAFKA_BROKERS: kafka.brokers, PLUMBLINE_KAFKA_PARTITIONS: '1' }),
  })
  await ready(url)
  console.log(
    `Plumbline        ${url}  (all four services)\nClickHouse       ${clickhouseUrl}  (read-only: curl '${clickhouseUrl}/?query=SHOW+TABLES')\n`,
  )
  const common = {
    PLUMBLINE_URL: url,
    CLICKHOUSE_URL: clickhouseUrl,
    REGISTRY_DIR: join(directory, 'registry'),
  }
  start('retrainer', ['examples/retrainer.ts'], {
    ...common,
    RETRAINER_PORT: String(retrainerPort),
    WEBHOOK_SECRET_FILE: join(directory, 'webhook.secret'),
  })
  console.log(
    'Replaying the New South Wales electricity market, May 1996 to December 1998, as fast as Plumbline evaluates it',
  )
  await ended(
    start('emitter', ['examples/emitter.ts'], { ...common, EMITTER_ROWS: options.rows }, 'inherit'),
  )

  const client = plumblineClient(url, clickhouseUrl)
  const summary = await summarize(client)
  console.log(
    `\n${summary.text}\n\n${summary.loopClosed ? 'The loop closed' : 'The loop did not close'} (${Math.round((Date.now() - began) / 1000)} s)`,
  )
  if (options.exit || !summary.loopClosed) return finish(summary.loopClosed ? 0 : 1)
  console.log(
    `\nStill serving: open ${url} for the overview, ${url}/models/elec2 for the charts; Ctrl-C ends it`,
  )
}

function start(
  name: string,
  args: string[],
  env: Record<string, string>,
  output: 'inherit' | 'file' = 'file',
): ChildProcess {
  const log = output === 'file' ? createWriteStream(join(directory, `${name}.log`)) : undefined
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', log ? 'pipe' : 'inherit', log ? 'pipe' : 'inherit'],
  })
  if (log) {
    child.stdout?.pipe(log, { end: false })
    child.stderr?.pipe(log, { end: false })
  }
  children.push(child)
  return child
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`the emitter ended with ${code}`)),
    )
  })
}

async function ready(url: string) {
  const deadline = Date.now() + PATIENCE_MS
  while (Date.now() < deadline) {
    const ok = await fetch(`${url}/health/ready`).then(
      (response) => response.ok,
      () => false,
    )
    if (ok) return
    if (children[0]?.exitCode !== null) break
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error(
    `Plumbline did not become ready: ${readFileSync(join(directory, 'plumbline.log'), 'utf8').slice(-1000)}`,
  )
}

/** The usual port, or a free one where somebody has it. */
async function portOr(usual: number): Promise<number> {
  const taken = await fetch(`http://127.0.0.1:${usual}/`).then(
    () => true,
    () => false,
  )
  return taken ? freePort() : usual
}

async function finish(code: number): Promise<void> {
  if (isFinishing) return
  isFinishing = true
  for (const child of children.toReversed()) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await gone
  }
  await kafka?.stop()
  if (code === 0) rmSync(directory, { recursive: true, force: true })
  process.exit(code)
}

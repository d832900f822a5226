/** Plumbline in processes of its own, and what is said to them; needs no test runner. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ended } from '../../deploy/local/child-process.ts'
import { freePort } from '../../deploy/local/kafka.ts'
import { copyFreshStores } from './fresh-stores.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface Running {
  url: string
  clickhouseUrl: string
  child: ChildProcess
  log: () => string
  /** Resolves with the exit code. */
  stop: (signal?: NodeJS.Signals) => Promise<number | null>
}

const children = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

/**
 * Starts a target in a process of its own, on free ports, and resolves when it is ready. Embedded
 * stores that its data folder lacks are copies of those a first start makes.
 *
 * @param root of the files that are run
 */
export async function startTarget(
  target: string,
  env: Record<string, string>,
  root = ROOT,
): Promise<Running> {
  const folder = env['PLUMBLINE_DATA_DIR']
  if (folder !== undefined && ['all', 'stores'].includes(target))
    copyFreshStores(folder, embeddedIn(env))
  const running = await spawnTarget(target, env, root)
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const ready = await fetch(`${running.url}/health/ready`).then(
      (response) => response.ok,
      () => false,
    )
    if (ready) return running
    if (running.child.exitCode !== null || Date.now() > deadline) {
      await running.stop('SIGKILL')
      throw new Error(`${target} did not become ready: ${running.log().slice(-2000)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function embeddedIn(env: Record<string, string>): ('clickhouse' | 'postgres')[] {
  return [
    ...(env['PLUMBLINE_CLICKHOUSE_URL'] === undefined ? ['clickhouse' as const] : []),
    ...(env['PLUMBLINE_POSTGRES_URL'] === undefined ? ['postgres' as const] : []),
  ]
}

/** Starts a target in a process of its own, on free ports, as it is. */
export async function spawnTarget(
  target: string,
  env: Record<string, string>,
  root = ROOT,
): Promise<Running> {
  const port = Number(env['PLUMBLINE_HTTP_PORT'] ?? (await freePort()))
  const clickhousePort = Number(env['PLUMBLINE_CLICKHOUSE_HTTP_PORT'] ?? (await freePort()))
  const child = spawn(process.execPath, [...memoryFlags(), 'main.ts', `--target=${target}`], {
    cwd: root,
    env: {
      PATH: process.env['PATH'] ?? '',
      UV_THREADPOOL_SIZE: '24',
      ...compiledModules(),
      PLUMBLINE_LOG_LEVEL: 'warn',
      PLUMBLINE_MODELS_DIR: join(ROOT, 'test/no-models'),
      PLUMBLINE_HTTP_PORT: String(port),
      PLUMBLINE_CLICKHOUSE_HTTP_PORT: String(clickhousePort),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return {
    url: `http://127.0.0.1:${port}`,
    clickhouseUrl: `http://127.0.0.1:${clickhousePort}`,
    child,
    log: () => output,
    stop: async (signal) => {
      const code = await ended(child, signal)
      children.delete(child)
      return code
    },
  }
}

/** How `deploy/local/run.mjs` has V8 keep memory, where this process was started by it. */
const memoryFlags = () =>
  process.execArgv.filter((flag) => /^--(external-memory|heap-growing)/.test(flag))

/** Where `deploy/local/run.mjs` keeps modules as they were compiled. */
function compiledModules(): Record<string, string> {
  const folder = process.env['NODE_COMPILE_CACHE']
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder }
}

/** Runs a file of `scripts` to its end, with more variables than this process has. */
export function runScript(name: string, args: readonly string[], env: Record<string, string>) {
  const flags = process.execArgv.filter((flag) => !flag.startsWith('--input-type'))
  return spawnSync(process.execPath, [...flags, join(ROOT, 'scripts', name), ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
}

/** Most resident memory that the process ever had, in MiB. */
export function peakMiB({ child }: Running): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) / 1024
}

/** Rows of a query on a ClickHouse HTTP interface. */
export async function ask<T = Record<string, string>>(url: string, sql: string): Promise<T[]> {
  const response = await fetch(`${url}/?default_format=JSONEachRow`, { method: 'POST', body: sql })
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T)
}

/**
 * How long a test waits for a condition: what only a fault exceeds, on a slow machine under load
 * too.
 */
export const PATIENCE_MS = 240_000

export async function until(
  what: string,
  condition: () => Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const deadline = Date.now() + patienceMs
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${patienceMs / 1000} s for: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

export function post(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body:
      typeof body === 'string' || body instanceof Uint8Array
        ? (body as string)
        : JSON.stringify(body),
  })
}

/** A valid prediction with 20 numeric features. */
export function prediction(i: number, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    prediction_id: `p-${i}`,
    model_id: 'fraud',
    model_version: '7',
    predicted_at: new Date(Date.UTC(2026, 0, 1) + i * 1000).toISOString(),
    prediction: i % 3 === 0 ? '1' : '0',
    score: ((i * 7919) % 10007) / 10007,
    features: Object.fromEntries(
      Array.from({ length: 20 }, (_, k) => [
        `f${k}`,
        Math.round(Math.sin((i + 1) * (k + 1)) * 1e5) / 1e3,
      ]),
    ),
    ...more,
  }
}

/**
 * What the pages of a large installation wait for: answers of `--target=all` on the embedded stores
 * while events come at half the rate it takes.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { quantileSorted } from 'simple-statistics'
import { post, startTarget } from '../../test/servers/processes.ts'
import { benchEvent } from '../ingest/events.ts'
import type { Result } from '../result.ts'

const FLEET = 1000
const DAYS = 730
const FEATURES = 60
const BATCH = 500
/** How long events come as fast as they are taken, which tells the rate. */
const FULL_SPEED_MS = 10_000
const WANTED_MS = 300

const QUESTIONS = {
  'overview, models': '/v1/models',
  'overview, alarms': '/v1/alarms',
  'model page, what it is': '/v1/models/years',
  'model page, its alarms': '/v1/alarms?model_id=years',
  'model page, episodes': '/v1/models/years/episodes?limit=50',
  'model page, features of the newest window': '/v1/models/years/features?windows=30',
  'model page, one number over two years':
    '/v1/models/years/windows?family=drift&metric=psi&subject=f1',
  'values of one window':
    '/v1/models/compared/distributions?subject=f1&from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z',
  'two windows side by side':
    '/v1/models/compared/side-by-side?a=2026-01-01T00:00:00Z/2026-01-01T01:00:00Z&b=2026-01-01T01:00:00Z/2026-01-01T02:00:00Z',
}

/** @param events of the two windows that are compared, together */
export async function benchPages(rounds: number, events: number): Promise<Result[]> {
  const folder = mkdtempSync(join(tmpdir(), 'plumbline-bench-'))
  fillStores(join(folder, 'clickhouse'), events)
  const running = await startTarget('all', {
    PLUMBLINE_DATA_DIR: folder,
    PLUMBLINE_LOG_LEVEL: 'error',
  })
  try {
    const rate = await fullRate(running.url)
    const steady = steadily(running.url, rate / 2)
    const asked = 20 * rounds
    const settings = { models: FLEET, days: DAYS, features: FEATURES, events, asked, rate }
    const results: Result[] = []
    try {
      for (const [name, path] of Object.entries(QUESTIONS))
        results.push(await timed(name, running.url + path, asked, settings))
    } catch (error) {
      await steady.end()
      throw error
    }
    results.push({
      name: 'events meanwhile',
      value: await steady.end(),
      unit: 'events/s',
      against: 'the rate without questions',
      ratio: (await steady.end()) / rate,
      rounds: 1,
      settings,
    })
    return results
  } finally {
    await running.stop('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

function fillStores(folder: string, events: number): void {
  const script = fileURLToPath(new URL('pages-data.ts', import.meta.url))
  const args = [folder, FLEET, DAYS, FEATURES, events].map(String)
  const { status, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`the stores were not filled: ${stderr.slice(-2000)}`)
}

/** One question again and again, one at a time. */
async function timed(
  name: string,
  url: string,
  times: number,
  settings: Result['settings'],
): Promise<Result> {
  const took: number[] = []
  let body = Buffer.alloc(0)
  for (let i = 0; i < times; i++) {
    const begun = performance.now()
    const response = await fetch(url)
    body = Buffer.from(await response.arrayBuffer())
    took.push(performance.now() - begun)
    if (!response.ok)
      throw new Error(`${name}: ${response.status} ${body.toString().slice(0, 500)}`)
  }
  const p95 = quantileSorted(
    took.toSorted((a, b) => a - b),
    0.95,
  )
  return {
    name: `${name}, p95`,
    value: p95,
    unit: 'ms',
    against: `${WANTED_MS} ms`,
    ratio: p95 / WANTED_MS,
    rounds: times,
    settings,
    note: `${body.length} bytes, ${gzipSync(body).length} compressed`,
  }
}

let sent = 0
async function sendBatch(url: string): Promise<void> {
  const batch = Array.from({ length: BATCH }, () => benchEvent(sent++))
  const response = await post(`${url}/v1/predictions`, batch)
  if (!response.ok && response.status !== 429)
    throw new Error(`${response.status} ${await response.text()}`)
  await response.arrayBuffer()
}

/** Events a second that two senders bring in. */
async function fullRate(url: string): Promise<number> {
  const [begun, before] = [performance.now(), sent]
  const sender = async () => {
    while (performance.now() - begun < FULL_SPEED_MS) await sendBatch(url)
  }
  await Promise.all([sender(), sender()])
  return Math.round(((sent - before) / (performance.now() - begun)) * 1000)
}

/** Sends so many events a second until it is ended. */
function steadily(url: string, rate: number): { end: () => Promise<number> } {
  const [begun, before] = [performance.now(), sent]
  let isEnding = false
  const running = (async () => {
    while (!isEnding) {
      const due = ((performance.now() - begun) / 1000) * rate
      if (sent - before < due) await sendBatch(url)
      else await new Promise((resolve) => setTimeout(resolve, 5))
    }
    return ((sent - before) / (performance.now() - begun)) * 1000
  })()
  return {
    end: () => {
      isEnding = true
      return running
    },
  }
}

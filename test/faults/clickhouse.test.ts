/**
 * ClickHouse behind a network that fails: lost replies, hangs, errors inside a 200, restarts, a
 * full disk.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serverEngine, type ClickHouse } from '../../lib/clickhouse/port.ts'
import type { OffsetRange } from '../../lib/event-log/port.ts'
import { createSpool } from '../../lib/clickhouse/spool.ts'
import { PREDICTION_MAPPINGS } from '../../services/ingest/data/prediction-rows.ts'
import { rangeOf, sinkOn, temporaryDirectory } from '../harness.ts'
import { prediction, startTarget, type Running } from '../servers/processes.ts'
import { httpProxy, type Fate, type HttpProxy } from '../servers/proxies.ts'
import { expectTotals } from './totals.ts'

const TIMEOUT_MS = 1500
const directory = temporaryDirectory()
let stores: Running
let proxy: HttpProxy
let db: ClickHouse
/** Store without the proxy. */
let direct: ClickHouse
let sent = 0

beforeAll(async () => {
  stores = await startTarget('stores', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_POSTGRES_PORT: '0',
    PLUMBLINE_LOG_LEVEL: 'error',
  })
  proxy = await httpProxy(stores.clickhouseUrl)
  const password = readFileSync(join(directory, 'data/clickhouse.secret'), 'utf8')
  const through = (url: string) =>
    serverEngine({ url, username: 'plumbline', password, requestTimeoutMs: TIMEOUT_MS }).connect(
      'test',
    )
  db = through(proxy.url)
  direct = through(stores.clickhouseUrl)
})
afterAll(async () => {
  proxy?.close()
  await stores?.stop()
})

function nextRange(count: number): OffsetRange {
  const values = Array.from({ length: count }, (_, k) =>
    JSON.stringify(
      prediction(sent + k, {
        model_id: 'm',
        features: { x: sent + k, color: `c${k % 3}` },
        producer: { id: 'faults', sequence: sent + k },
      }),
    ),
  )
  const range = rangeOf('plumbline.predictions.v1', PREDICTION_MAPPINGS[0].version, values, sent)
  sent += count
  return range
}

/**
 * As the range protocol does: the same range again until it is stored. Returns the number of
 * attempts.
 */
async function storeUntilDone(
  range: OffsetRange,
  sink = sinkOn(db, join(directory, 'sink'), 'ingest', PREDICTION_MAPPINGS[0]),
) {
  for (let attempt = 1; attempt <= 60; attempt++) {
    try {
      await sink.store({ ...range, replayed: attempt > 1 })
      return attempt
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  throw new Error('the range was not stored in 60 attempts')
}

const everything = () => expectTotals((sql) => direct.query(sql), sent)

const FATES: Fate[] = ['reset', 'hang', 'unavailable', 'lost', 'inside', 'inside unrun']
test.each(FATES)('%s, at each statement of a range in turn', async (fate) => {
  const statements = fate === 'hang' ? [0, 3, 9] : [0, 1, 2, 3, 5, 7, 8, 9, 10]
  for (const failing of statements) {
    let seen = 0
    let hit = false
    proxy.fate(() => {
      if (seen++ !== failing || hit) return 'ok'
      hit = true
      return fate
    })
    expect(await storeUntilDone(nextRange(50))).toBeGreaterThanOrEqual(1)
    proxy.fate(() => 'ok')
  }
  await everything()
})

test('every statement fails now and then, seeded', async () => {
  let random = 7
  const next = () => (random = (random * 1664525 + 1013904223) % 2 ** 32) / 2 ** 32
  proxy.fate(() =>
    next() < 0.06 ? FATES.filter((f) => f !== 'hang')[Math.floor(next() * 5)]! : 'ok',
  )
  for (let i = 0; i < 20; i++) await storeUntilDone(nextRange(30))
  proxy.fate(() => 'ok')
  await everything()
})

test('a disk that is full, in the spool: the range waits and is stored once there is room', async () => {
  const spool = createSpool(join(directory, 'full'), 'process')
  let room = false
  // The file system's answer, since a full one cannot be had here.
  const full: typeof spool = {
    ...spool,
    withFile: (bytes, use) =>
      room
        ? spool.withFile(bytes, use)
        : Promise.reject(
            Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }),
          ),
  }
  const sink = sinkOn(db, join(directory, 'sink'), 'ingest', PREDICTION_MAPPINGS[0], {
    spool: full,
  })
  const range = nextRange(40)
  await expect(sink.store(range)).rejects.toThrow('ENOSPC')
  room = true
  expect(await storeUntilDone({ ...range, replayed: true }, sink)).toBe(1)
  await everything()
})

test('a token that ClickHouse has forgotten: what is stored is known by its range', async () => {
  const range = nextRange(30)
  await storeUntilDone(range)
  // The window of the tokens is worn out, as by ten thousand later inserts.
  for (const table of ['predictions', 'numeric_counts', 'event_counts', 'sink_ranges'])
    await direct.command(
      `ALTER TABLE ${table} MODIFY SETTING non_replicated_deduplication_window = 1`,
    )
  await direct.command(
    `INSERT INTO sink_ranges (log_epoch, topic, partition, first, last, rows, stored_at) SELECT 'filler', 'filler', '0', number, number, 0, now64(3) + toIntervalSecond(1) FROM numbers(6000)`,
  )
  for (let i = 0; i < 3; i++) await storeUntilDone(nextRange(5))
  const again = sinkOn(db, join(directory, 'sink'), 'ingest', PREDICTION_MAPPINGS[0])
  await again.store({ ...range, replayed: true, continues: false })
  await everything()
})

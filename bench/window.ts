/** A window of a million events with twenty features, judged from its counts; and what target=all needs of memory meanwhile. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ONE_BLOCK, type ClickHouse } from '../lib/clickhouse.ts'
import { embeddedEngine } from '../lib/clickhouse-embedded.ts'
import { migrateClickHouse } from '../lib/clickhouse-migrations.ts'
import { createMetrics } from '../lib/metrics.ts'
import { parseModel } from '../lib/models.ts'
import { createGauges } from '../services/drift/gauges.ts'
import { createJudge } from '../services/drift/judge.ts'
import { driftQueries } from '../services/drift/queries.ts'
import type { Result } from './main.ts'
import { median } from './median.ts'

const EVENTS = 1_000_000
const BLOCK = 100_000
const HOUR_S = 3600
const model = parseModel('model_id: bench\ntask: binary\nwindows: { size: 1h, lateness: 15m }\n')

export async function benchWindow(rounds: number): Promise<Result[]> {
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-bench-'))
  const engine = embeddedEngine(join(directory, 'clickhouse'))
  try {
    const db = engine.connect('bench')
    await migrateClickHouse(db)
    await fill(db, 0)
    await fill(db, 1)
    await db.command('OPTIMIZE TABLE numeric_counts')
    const seconds: number[] = []
    for (let round = 0; round < rounds; round++) {
      await db.command('TRUNCATE TABLE window_metrics')
      await db.command('TRUNCATE TABLE window_revisions')
      await db.command('TRUNCATE TABLE verdicts')
      await db.command('TRUNCATE TABLE `references`')
      const own = engine.connect('drift')
      const judge = createJudge({
        db: own,
        queries: driftQueries(own),
        eventLog: { append: async () => {} },
        gauges: createGauges(createMetrics()),
        now: () => Date.UTC(2026, 0, 2),
      })
      const begun = performance.now()
      await judge(model, () => true)
      seconds.push((performance.now() - begun) / 1000)
    }
    const [judged] = await db.query<{ n: string; windows: string }>(
      'SELECT count() AS n, uniqExact(window_start) AS windows FROM window_metrics',
    )
    const settings = {
      events_per_window: EVENTS,
      features: 20,
      windows: Number(judged?.windows),
      facts: Number(judged?.n),
    }
    return [
      {
        name: 'two windows of 1 000 000 x 20 judged, one by the other',
        value: median(seconds),
        unit: 's',
        against: '',
        ratio: null,
        rounds,
        settings,
      },
      {
        name: 'resident memory of the bench, engine included',
        value: process.memoryUsage().rss / 2 ** 30,
        unit: 'GiB',
        against: '1.5 GiB',
        ratio: process.memoryUsage().rss / 2 ** 30 / 1.5,
        rounds: 1,
        settings,
      },
    ]
  } finally {
    await engine.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** One hour of events, made inside ClickHouse, through the wire table and its views. */
async function fill(db: ClickHouse, hour: number) {
  for (let from = 0; from < EVENTS; from += BLOCK) {
    await db.command(
      `INSERT INTO predictions_wire (log_epoch, topic, partition, offset, received_at, prediction_id, model_id, model_version, predicted_at, prediction, score, feature_names, feature_raws, feature_numbers)
       SETTINGS insert_deduplication_token='fill-${hour}-${from}', ${ONE_BLOCK}
       SELECT 'b', 'b', '0', ${hour * EVENTS} + n, now64(3), concat('p', toString(${hour * EVENTS} + n)), 'bench', '1',
         toDateTime64('2026-01-01 00:00:00', 3, 'UTC') + toIntervalMillisecond(${hour * HOUR_S * 1000} + intDiv(n * ${HOUR_S * 1000}, ${EVENTS})),
         toString(n % 2), rand(1) / 4294967296, arrayMap(k -> concat('f', toString(k)), range(20)),
         arrayMap(x -> toString(x), numbers), numbers
       FROM (SELECT number + ${from} AS n, arrayMap(k -> round(sin(n * (k + 1)) * 100, 3)::Nullable(Float64), range(20)) AS numbers FROM numbers(${BLOCK}))`,
    )
  }
}

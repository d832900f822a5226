/** A window of a million events with twenty features, judged from its counts; and what target=all needs of memory meanwhile. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClickHouse } from '../lib/clickhouse.ts'
import { embeddedEngine } from '../lib/clickhouse-embedded.ts'
import { migrateClickHouse } from '../lib/clickhouse-migrations.ts'
import { createMetrics } from '../lib/metrics.ts'
import { parseModel } from '../lib/models.ts'
import { decisionQueries } from '../services/drift/decisions.ts'
import { createGauges } from '../services/drift/gauges.ts'
import { createJudge } from '../services/drift/judge.ts'
import { driftQueries } from '../services/drift/queries.ts'
import { COUNTS } from './counts-in-sql.ts'
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
        decisions: decisionQueries(own),
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

/** One hour of events, made and counted inside ClickHouse. */
async function fill(db: ClickHouse, hour: number) {
  for (let from = 0; from < EVENTS; from += BLOCK) {
    const events = `(SELECT 'bench' AS model_id, '1' AS model_version, '' AS variant, false AS shadow, '' AS status, 'b' AS topic, '0' AS partition, now64(3) AS received_at,
         concat('p', toString(${hour * EVENTS} + n)) AS prediction_id,
         toDateTime64('2026-01-01 00:00:00', 3, 'UTC') + toIntervalMillisecond(${hour * HOUR_S * 1000} + intDiv(n * ${HOUR_S * 1000}, ${EVENTS})) AS predicted_at,
         toString(n % 2)::Nullable(String) AS prediction, NULL::Nullable(Float64) AS prediction_number, rand(1) / 4294967296 AS score, NULL::Nullable(Float64) AS latency_ms,
         arrayMap(k -> concat('f', toString(k)), range(20)) AS feature_names, numbers AS feature_numbers, arrayMap(x -> NULL::Nullable(String), numbers) AS feature_texts
       FROM (SELECT number + ${from} AS n, arrayMap(k -> round(sin(n * (k + 1)) * 100, 3)::Nullable(Float64), range(20)) AS numbers FROM numbers(${BLOCK})))`
    for (const [table, select] of Object.entries(COUNTS))
      await db.command(`INSERT INTO ${table} (${columnsOf(select(events))}) ${select(events)}`)
  }
}

/** Names of the outer SELECT, which are those of the table it fills. */
const columnsOf = (select: string) =>
  select
    .slice('SELECT '.length, select.search(/\s+FROM/))
    .split(/,\s*(?![^(]*\))/)
    .map((column) => /(\w+)$/.exec(column.trim())![1])
    .join(', ')

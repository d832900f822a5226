/** An hour of events, counted by ClickHouse itself. */
import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import { COUNTS } from '../ingest/counts-in-sql.ts'

const BLOCK = 100_000
const HOUR_S = 3600

/** Fills the counts with one hour of events of 20 features, made inside ClickHouse. */
export async function fill(db: ClickHouse, id: string, hour: number, count: number) {
  for (let from = 0; from < count; from += BLOCK) {
    const events = `(SELECT '${id}' AS model_id, '1' AS model_version, '' AS variant, false AS shadow, '' AS status, 'b' AS topic, '0' AS partition, now64(3) AS received_at,
         concat('p', toString(${hour * count} + n)) AS prediction_id,
         toDateTime64('2026-01-01 00:00:00', 3, 'UTC') + toIntervalMillisecond(${hour * HOUR_S * 1000} + intDiv(n * ${HOUR_S * 1000}, ${count})) AS predicted_at,
         toString(n % 2)::Nullable(String) AS prediction, NULL::Nullable(Float64) AS prediction_number, rand(1) / 4294967296 AS score, NULL::Nullable(Float64) AS latency_ms,
         arrayMap(k -> concat('f', toString(k)), range(20)) AS feature_names, numbers AS feature_numbers, arrayMap(x -> NULL::Nullable(String), numbers) AS feature_texts
       FROM (SELECT number + ${from} AS n, arrayMap(k -> round(sin(n * (k + 1)) * 100, 3)::Nullable(Float64), range(20)) AS numbers FROM numbers(${BLOCK})))`
    for (const [table, select] of Object.entries(COUNTS))
      await db.command(`INSERT INTO ${table} (${columnsOf(select(events))}) ${select(events)}`)
  }
}

/** Names of the outer SELECT, which are those of the table it fills; commas in brackets part none. */
function columnsOf(select: string): string {
  let depth = 0
  const columns = ['']
  for (const one of select.slice('SELECT '.length, select.search(/\s+FROM/))) {
    depth += one === '(' ? 1 : one === ')' ? -1 : 0
    if (one === ',' && depth === 0) columns.push('')
    else columns[columns.length - 1] += one
  }
  return columns.map((column) => /(\w+)$/.exec(column.trim())![1]).join(', ')
}

/** A window of a slice, from the counts that are kept of it and from raw rows. */
import { median } from 'simple-statistics'
import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import { driftQueries } from '../../services/drift/queries/drift-queries.ts'
import { ensureCounted } from '../../services/drift/queries/slice-counts.ts'
import { onFreshEngine } from '../fresh-engine.ts'
import type { Result } from '../result.ts'

const EVENTS = 1_000_000
const BLOCK = 100_000
const VALUES = 10
const HOUR_MS = 3_600_000
const START = Date.UTC(2026, 0, 1)
const WINDOW = { start: START, end: START + HOUR_MS }

export function benchSlices(rounds: number): Promise<Result[]> {
  return onFreshEngine(async (db) => {
    await fill(db, 'million', EVENTS)
    await fill(db, 'tenth', EVENTS / 10)
    const queries = driftQueries(db)
    /** Every value of the slice, one after another, as an evaluation asks for them. */
    const ofAll = async (one: (slice: { key: string; value: string }) => Promise<unknown>) => {
      const begun = performance.now()
      for (let i = 0; i < VALUES; i++) await one({ key: 'region', value: `r${i}` })
      return (performance.now() - begun) / 1000
    }
    const counted = (model: string) =>
      ofAll((slice) => queries.counts(model, [WINDOW], { modelVersion: '', variant: '', slice }))
    const begun = performance.now()
    await ensureCounted(db, { modelId: 'million', spans: [WINDOW], slice: { key: 'region' } })
    const counting = (performance.now() - begun) / 1000
    const [kept, tenth, raw] = [[] as number[], [] as number[], [] as number[]]
    await counted('tenth')
    for (let round = 0; round < rounds; round++) {
      kept.push(await counted('million'))
      tenth.push(await counted('tenth'))
      raw.push(
        await ofAll((slice) =>
          queries.rawCounts(
            'million',
            [WINDOW],
            { modelVersion: '', variant: '', slice },
            { exact: false, unweighted: false },
          ),
        ),
      )
    }
    const settings = { features: 20, values: VALUES }
    const result = (
      name: string,
      value: number,
      against: string,
      ratio: number | null,
      of = rounds,
    ): Result => ({ name, value, unit: 's', against, ratio, rounds: of, settings })
    const ours = median(kept)
    return [
      result(`${VALUES} slices of 1 000 000 events x 20, counts read`, ours, '', null),
      result('the same of 100 000', median(tenth), '1 000 000', median(tenth) / ours),
      result('the same from raw rows', median(raw), 'from counts', median(raw) / ours),
      result('counting them, once', counting, 'from raw rows', counting / median(raw), 1),
    ]
  })
}

/** An hour of predictions, made inside ClickHouse. */
async function fill(db: ClickHouse, id: string, count: number) {
  for (let from = 0; from < count; from += BLOCK)
    await db.command(
      `INSERT INTO predictions (model_id, model_version, prediction_id, predicted_at, prediction, score, attributes, features)
       SELECT '${id}', '1', toString(n), toDateTime64('2026-01-01 00:00:00', 3, 'UTC') + toIntervalMillisecond(intDiv(n * ${HOUR_MS}, ${count})),
         toString(n % 2), rand(1) / 4294967296, map('region', concat('r', toString(n % ${VALUES}))),
         CAST(mapFromArrays(arrayMap(k -> concat('f', toString(k)), range(20)), arrayMap(k -> round(sin(n * (k + 1)) * 100, 3), range(20))), 'Map(LowCardinality(String), Variant(Float64, String, Bool))')
       FROM (SELECT number + ${from} AS n FROM numbers(${BLOCK}))`,
    )
  await db.command(
    `INSERT INTO event_counts (model_id, step, model_version, variant, shadow, events, errors, duplicates)
     SELECT model_id, toStartOfFifteenMinutes(predicted_at) AS step, model_version, variant, shadow, count(), 0, 0 FROM predictions
     WHERE model_id = '${id}' GROUP BY model_id, step, model_version, variant, shadow`,
  )
}

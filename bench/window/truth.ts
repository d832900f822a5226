/**
 * Truth of a window with a label for every prediction: read from outcomes each time, by slices
 * together or one by one.
 */
import { median } from 'simple-statistics'
import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import { parseModel } from '../../lib/models/model-files.ts'
import { driftQueries } from '../../services/drift/queries/drift-queries.ts'
import { ALL } from '../../services/drift/data/cohort.ts'
import { onFreshEngine } from '../fresh-engine.ts'
import type { Result } from '../result.ts'

const SIZES = [100_000, 1_000_000, 10_000_000]
const BLOCK = 100_000
const VALUES = Array.from({ length: 10 }, (_, i) => `r${i}`)
const DAY_MS = 86_400_000
const START = Date.UTC(2026, 0, 1)
const SPANS = [{ start: START, end: START + DAY_MS }]

export function benchTruth(rounds: number): Promise<Result[]> {
  return onFreshEngine(async (db) => {
    for (const size of SIZES) await fill(db, size)
    const results: Result[] = []
    for (const size of SIZES) {
      const of = askedOf(db, size)
      const found = Object.fromEntries(Object.keys(of).map((name) => [name, [] as number[]]))
      for (let round = 0; round < rounds; round++)
        for (const [name, ask] of Object.entries(of)) {
          const begun = performance.now()
          await ask()
          found[name]!.push((performance.now() - begun) / 1000)
        }
      const took = (name: keyof typeof of) => median(found[name]!)
      const result = (name: string, value: number, against = '', ratio: number | null = null) =>
        results.push({
          name: `${name}, ${size.toLocaleString('en').replaceAll(',', ' ')} labels`,
          value,
          unit: 's',
          against,
          ratio,
          rounds,
          settings: { slices: VALUES.length },
        })
      result('performance', took('performance'))
      result('calibration', took('calibration'))
      result('fairness by two attributes together', took('fairness'))
      result(
        'performance of ten slices',
        took('together'),
        'one by one',
        took('together') / took('oneByOne'),
      )
    }
    return results
  })
}

function askedOf(db: ClickHouse, size: number) {
  const queries = driftQueries(db)
  const model = parseModel(
    `model_id: of_${size}\ntask: binary\nfairness: { attributes: { sex: {}, age: {} } }\n`,
  )
  const of = { predictions: size, completeUntil: 0 }
  const key = 'region'
  return {
    performance: () => queries.outcomes(model, SPANS, ALL, of),
    calibration: () => queries.scores(model, SPANS, ALL, 0),
    fairness: () => queries.groups({ model, spans: SPANS, c: ALL, completeUntil: 0 }, 'sex&age'),
    together: () =>
      queries.sliceOutcomes(model, SPANS, ALL, {
        slices: VALUES.map((value) => ({ key, value })),
        completeUntil: 0,
      }),
    oneByOne: async () => {
      for (const value of VALUES)
        await queries.outcomes(model, SPANS, { ...ALL, slice: { key, value } }, of)
    },
  }
}

/** A day of predictions and their truth, made inside ClickHouse; no two scores are the same. */
async function fill(db: ClickHouse, size: number) {
  const columns =
    'model_id, model_version, prediction_id, predicted_at, prediction, score, attributes'
  const values = `'of_${size}', '1', toString(n), toDateTime64('2026-01-01 00:00:00', 3, 'UTC') + toIntervalMillisecond(intDiv(n * ${DAY_MS}, ${size})) AS at,
    toString(sipHash64(n, 1) % 2), sipHash64(n, 2) / 18446744073709551616 AS likely,
    map('region', concat('r', toString(n % ${VALUES.length})), 'sex', toString(sipHash64(n, 3) % 2), 'age', toString(sipHash64(n, 4) % 3))`
  for (let from = 0; from < size; from += BLOCK) {
    const source = `(SELECT number + ${from} AS n FROM numbers(${BLOCK}))`
    await db.command(`INSERT INTO predictions (${columns}) SELECT ${values} FROM ${source}`)
    await db.command(
      `INSERT INTO outcome_revisions (${columns}, name, labels_known, label, label_number, source, labelled_at, label_received_at)
       SELECT ${values}, 'label', 1, toString(toUInt8(sipHash64(n, 5) / 18446744073709551616 < likely)) AS truth, toFloat64(truth), 'ground_truth', at + 60, at + 60 FROM ${source}`,
    )
  }
}

/** Retention on the real engines: months go by model and by partition, counts and metrics stay. */
import { beforeAll, expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { readAudit } from '../../../lib/postgres/audit-log.ts'
import type { Postgres } from '../../../lib/postgres/port.ts'
import { applyRetention, type RetentionParts } from '../../../services/keep/loop/apply-retention.ts'
import { unfinished } from '../../../services/keep/queries/erasure.ts'
import { tableSizes } from '../../../services/keep/queries/retention.ts'
import { migratedPostgres, temporaryDirectory } from '../../harness.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'
import { until } from '../../servers/processes.ts'

const NOW = Date.UTC(2026, 6, 15)
let stream: Pipeline
let postgres: Postgres
let parts: RetentionParts
let now = NOW

const short = parseModel(
  'model_id: short\ntask: binary\nretention: { predictions: 30d, labels: 3000d }\n',
)

beforeAll(async () => {
  stream = await pipeline()
  postgres = await migratedPostgres(temporaryDirectory())
  const events = ['short', 'long'].flatMap((model_id) =>
    [1, 2, 5, 6, 7].flatMap((month) =>
      Array.from({ length: 20 }, (_, i) => ({
        prediction_id: `${month}-${i}`,
        model_id,
        model_version: '1',
        predicted_at: new Date(Date.UTC(2026, month - 1, 3, 0, i)).toISOString(),
        prediction: '1',
        features: { a: i },
      })),
    ),
  )
  await stream.predictions(events)
  await stream.labels(
    events.slice(0, 5).map(({ prediction_id, model_id, predicted_at }) => ({
      label_id: prediction_id,
      model_id,
      prediction_id,
      label: '1',
      labelled_at: predicted_at,
      source: 'ground_truth',
    })),
  )
  await stream.attributes([
    { subject_id: 's', attributes: { sex: '2' }, observed_at: '2026-01-03T00:00:00Z' },
  ])
  parts = {
    db: stream.connect('keep'),
    postgres,
    models: {
      declared: [short],
      get: (id) => ({
        ...short,
        modelId: id,
        retention: id === 'short' ? short.retention : undefined,
      }),
    },
    config: { PLUMBLINE_RETENTION_PREDICTIONS: '90d', PLUMBLINE_RETENTION_ATTRIBUTES: '60d' },
    now: () => now,
  }
}, 60_000)

const counts = async (table: string) =>
  stream.db.query<{ model: string; month: number; n: string }>(
    `SELECT model_id AS model, toYYYYMM(predicted_at) AS month, count() AS n FROM ${table} GROUP BY model, month ORDER BY model, month`,
  )
const count = async (table: string) =>
  Number((await stream.db.query<{ n: string }>(`SELECT count() AS n FROM ${table}`))[0]!.n)

async function settled(): Promise<void> {
  await until('rewriting to end', async () => {
    const [row] = await stream.db.query<{ n: string }>(
      'SELECT count() AS n FROM system.mutations WHERE NOT is_done',
    )
    return row!.n === '0' && (await unfinished(stream.db)).left === 0
  })
}

test('months go by partition where all of it is due, else by model; counts and labels stay', async () => {
  const counted = await count('numeric_counts')
  const drops = await applyRetention(parts)
  await settled()
  expect(drops.filter(({ table }) => table === 'predictions')).toEqual([
    { table: 'predictions', month: 202601, models: undefined, rows: 40 },
    { table: 'predictions', month: 202602, models: undefined, rows: 40 },
    { table: 'predictions', month: 202605, models: ['short'], rows: 20 },
  ])
  const left = [
    { model: 'long', month: 202605, n: '20' },
    { model: 'long', month: 202606, n: '20' },
    { model: 'long', month: 202607, n: '20' },
    { model: 'short', month: 202606, n: '20' },
    { model: 'short', month: 202607, n: '20' },
  ]
  expect(await counts('predictions')).toEqual(left)
  expect(await counts('prediction_times')).toEqual(left)
  expect(await count('attributes')).toBe(0)
  expect(await count('labels')).toBe(5)
  expect(await count('outcomes')).toBe(5)
  expect(await count('numeric_counts')).toBe(counted)
  expect(await readAudit(postgres, 0, 10)).toMatchObject([
    { actor: 'plumbline', action: 'retention.dropped' },
  ])
})

test('sizes are told of every table with rows, the largest first', async () => {
  const sizes = await tableSizes(stream.db)
  expect(sizes.find(({ table }) => table === 'predictions')).toMatchObject({ rows: 100 })
  expect(sizes.map(({ bytes }) => bytes)).toEqual(
    sizes.map(({ bytes }) => bytes).toSorted((a, b) => b - a),
  )
})

test('within an hour nothing is looked for again, and then nothing is left to drop', async () => {
  expect(await applyRetention(parts)).toEqual([])
  now = NOW + 3_600_000
  expect(await applyRetention(parts)).toEqual([])
  expect(await readAudit(postgres, 0, 10)).toHaveLength(1)
})

test('a deletion of many parts ends within the time of a statement', async () => {
  const { db } = stream
  await db.command(
    'CREATE TABLE scattered (name String, n Int64) ENGINE = MergeTree ORDER BY name PARTITION BY n % 3',
  )
  for (let i = 0; i < 8; i++)
    await db.command(
      `INSERT INTO scattered SELECT 'm' || toString(number % 3), number FROM numbers(100)`,
    )
  await db.command(`DELETE FROM scattered WHERE name = 'm1'`)
  const left = await db.query<{ name: string; n: string }>(
    'SELECT name, count() AS n FROM scattered GROUP BY name ORDER BY name',
  )
  expect(left).toEqual([
    { name: 'm0', n: '272' },
    { name: 'm2', n: '264' },
  ])
})

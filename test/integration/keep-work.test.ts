/** Work that one process at a time does, and what an erasure reaches. */
import { beforeAll, expect, test } from 'vitest'
import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import { type EmbeddedPostgres } from '../../lib/postgres/port.ts'
import { SUBJECT_TABLES } from '../../services/keep/data/subject-tables.ts'
import { alone } from '../../services/keep/loop/alone.ts'
import { lastDone } from '../../services/keep/queries/control-store.ts'
import {
  beginErasure,
  countRows,
  eraseFrom,
  unfinished,
} from '../../services/keep/queries/erasure.ts'
import { migratedClickHouse, migratedPostgres, temporaryDirectory } from '../harness.ts'
import { until } from '../processes.ts'

const directory = temporaryDirectory()
let postgres: EmbeddedPostgres
let db: ClickHouse
beforeAll(async () => {
  postgres = await migratedPostgres(directory)
  ;({ db } = await migratedClickHouse())
})

const claimedUntil = async (name: string) =>
  (
    await postgres.query<{ until: Date }>('select until from keep_work where name = $1', [name])
  )[0]!.until.getTime()

test('work that takes longer than its claim is done by nobody else meanwhile', async () => {
  const parts = { postgres, now: Date.now }
  const work = { name: 'long', forMs: 4000 }
  const result = await alone(parts, work, async () => {
    const first = await claimedUntil('long')
    await until('the claim is renewed', async () => (await claimedUntil('long')) > first)
    expect(await alone(parts, work, async () => 'beside')).toBeUndefined()
    expect(await lastDone(postgres, 'long')).toBeUndefined()
    return 'done'
  })
  expect(result).toBe('done')
  expect(await lastDone(postgres, 'long')).toBeInstanceOf(Date)
  expect(await alone(parts, work, async () => 'after')).toBe('after')
})

test('work that fails is free at once, and was not done', async () => {
  const parts = { postgres, now: Date.now }
  const work = { name: 'failing', forMs: 3_600_000 }
  const failing = alone(parts, work, async () => {
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  expect(await lastDone(postgres, 'failing')).toBeUndefined()
  expect(await alone(parts, work, async () => 'again')).toBe('again')
})

test('every table that holds something of a subject is erased from', async () => {
  const rows = await db.query<{ table: string }>(
    `SELECT DISTINCT table FROM system.columns AS c INNER JOIN system.tables AS t ON t.database = c.database AND t.name = c.table
     WHERE c.database = currentDatabase() AND t.engine LIKE '%MergeTree' AND NOT startsWith(table, 'erasing_')
       AND c.name IN ('subject_id', 'prediction_id', 'label_id', 'features', 'attributes', 'category', 'body', 'value')
       AND NOT (c.name = 'value' AND c.type NOT LIKE '%String%')
     ORDER BY table`,
  )
  const reached = new Set(SUBJECT_TABLES.map(({ table }) => table))
  expect(rows.map(({ table }) => table).filter((table) => !reached.has(table))).toEqual([])
})

test('rows of a table that is a reference go where they hold the subject', async () => {
  const rows = [
    { row: 0, features: { who: 'subject-1' }, attributes: {} },
    { row: 1, features: { who: 'another' }, attributes: { owner: 'subject-1' } },
    { row: 2, features: { who: 'another' }, attributes: {} },
  ]
  await db.insertRows(
    'reference_rows',
    rows.map((one) => ({ model_id: 'm', predicted_at: '2026-01-01T00:00:00.000Z', ...one })),
  )
  await beginErasure(db, ['subject-1'])
  expect(await countRows(db)).toEqual({ reference_rows: 2 })
  await eraseFrom(
    db,
    SUBJECT_TABLES.find(({ table }) => table === 'reference_rows')!,
  )
  await until('the rows are rewritten', async () => (await unfinished(db)).left === 0)
  expect(await db.query('SELECT row FROM reference_rows')).toEqual([{ row: '2' }])
})

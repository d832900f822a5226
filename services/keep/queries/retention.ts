/** Statements of retention in ClickHouse, the same for a server and the embedded engine. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { systemTable, tableOf } from '../../../lib/clickhouse/schema/shards.ts'
import type { RetainedTable } from '../data/retention-tables.ts'
import type { Drop, MonthOfModel } from '../plan/due-drops.ts'

/** Rows of a table by model and month. */
export async function monthsOf(
  db: ClickHouse,
  { table, time, hasModel }: RetainedTable,
): Promise<MonthOfModel[]> {
  const rows = await db.query<{ model: string; month: number; n: string }>(
    `SELECT ${hasModel ? 'model_id' : `''`} AS model, toYYYYMM(${time}) AS month, count() AS n FROM ${table} GROUP BY model, month`,
  )
  return rows.map(({ model, month, n }) => ({ model, month, rows: Number(n) }))
}

/** Drops a month whole, or deletes the rows of some models in it. */
export async function dropRows(
  db: ClickHouse,
  { isByMonth, time, hasModel }: RetainedTable,
  { table, month, models }: Drop,
): Promise<void> {
  if (models === undefined) {
    await db.command(`ALTER TABLE ${table} DROP PARTITION ID '${month}'`)
    return
  }
  const ofModels = hasModel ? 'has({models:Array(String)}, model_id)' : 'true'
  const within = isByMonth ? ` IN PARTITION ID '${month}'` : ''
  await db.command(
    `ALTER TABLE ${table} DELETE${within} WHERE toYYYYMM(${time}) = {month:UInt32} AND ${ofModels} SETTINGS mutations_sync = 0`,
    hasModel ? { month, models } : { month },
  )
}

/** Rows and bytes of every table. */
export async function tableSizes(
  db: ClickHouse,
): Promise<{ table: string; bytes: number; rows: number }[]> {
  const sizes = await db.query<{ table: string; size: string; n: string }>(
    `SELECT table, sum(bytes_on_disk) AS size, sum(rows) AS n FROM ${systemTable(db, 'parts', 'one')}
     WHERE database = currentDatabase() AND active GROUP BY table ORDER BY size DESC`,
  )
  return sizes.map(({ table, size, n }) => ({
    table: tableOf(db, table),
    bytes: Number(size),
    rows: Number(n),
  }))
}

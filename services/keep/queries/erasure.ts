/** Statements of an erasure in ClickHouse, the same for a server and the embedded engine. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { storedName, systemTable } from '../../../lib/clickhouse/schema/shards.ts'
import {
  ERASING,
  FIND_LABELS,
  FIND_PREDICTIONS,
  SUBJECT_TABLES,
  type SubjectTable,
} from '../data/subject-tables.ts'

/** Says whom the erasure is about: the ids, and the predictions and labels about them. */
export async function beginErasure(db: ClickHouse, ids: readonly string[]): Promise<void> {
  await db.insertRows(
    'erasing_subjects',
    ids.map((subject_id) => ({ subject_id })),
  )
  await db.command(FIND_PREDICTIONS)
  await db.command(FIND_LABELS)
}

/** Whether an erasure was begun and not finished, by this process or one before it. */
export async function isErasing(db: ClickHouse): Promise<boolean> {
  const [row] = await db.query<{ n: string }>('SELECT count() AS n FROM erasing_subjects')
  return Number(row?.n ?? 0) > 0
}

/** The ids of those whom the erasure is about. */
export async function erasedIds(db: ClickHouse): Promise<string[]> {
  const rows = await db.query<{ subject_id: string }>(
    'SELECT DISTINCT subject_id FROM erasing_subjects ORDER BY subject_id',
  )
  return rows.map(({ subject_id }) => subject_id)
}

/** Rows about the subjects, by table; tables without any are left out. */
export async function countRows(db: ClickHouse): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { table, where } of SUBJECT_TABLES) {
    const [row] = await db.query<{ n: string }>(`SELECT count() AS n FROM ${table} WHERE ${where}`)
    if (Number(row?.n ?? 0) > 0) counts[table] = Number(row!.n)
  }
  return counts
}

/** Rewrites the parts of a table without the rows; resolves when that is begun. */
export async function eraseFrom(db: ClickHouse, { table, where }: SubjectTable): Promise<void> {
  // Each replica of a cluster looks up the same rows.
  await db.command(
    `ALTER TABLE ${table} DELETE WHERE ${where} SETTINGS mutations_sync = 0, allow_nondeterministic_mutations = 1`,
  )
}

/** Mutations of ours that are not done yet, and the first reason why one fails. */
export async function unfinished(db: ClickHouse): Promise<{ left: number; reason: string }> {
  const [row] = await db.query<{ n: string; reason: string }>(
    `SELECT count() AS n, anyIf(latest_fail_reason, latest_fail_reason != '') AS reason FROM ${systemTable(db, 'mutations', 'all')}
     WHERE database = currentDatabase() AND NOT is_done AND position(command, 'erasing_') > 0`,
  )
  return { left: Number(row?.n ?? 0), reason: row?.reason ?? '' }
}

/** The engine's time, in seconds: by it parts that were replaced before are told from later ones. */
export async function engineTime(db: ClickHouse): Promise<number> {
  const [row] = await db.query<{ at: number }>('SELECT toUnixTimestamp(now()) AS at')
  return row!.at
}

/**
 * Removes the parts that mutations and merges have replaced up to an instant, which ClickHouse keeps
 * for eight minutes, and says how many are left: a question that began before still reads them. Dropping a partition that is not there makes it look at once.
 */
export async function purge(
  db: ClickHouse,
  tables: readonly string[],
  until: number,
): Promise<number> {
  for (const table of tables) {
    await db.command(`ALTER TABLE ${table} MODIFY SETTING old_parts_lifetime = 0`)
    try {
      await db.command(`ALTER TABLE ${table} DROP PARTITION ID 'none'`)
    } finally {
      await db.command(`ALTER TABLE ${table} RESET SETTING old_parts_lifetime`)
    }
  }
  const [row] = await db.query<{ n: string }>(
    `SELECT count() AS n FROM ${systemTable(db, 'parts', 'all')} WHERE database = currentDatabase() AND NOT active AND toUnixTimestamp(remove_time) <= {until:UInt32} AND table IN ({tables:Array(String)})`,
    { tables: tables.map((table) => storedName(db, table)), until },
  )
  return Number(row?.n ?? 0)
}

/** Forgets whom the erasure was about. */
export async function endErasure(db: ClickHouse): Promise<void> {
  for (const table of ERASING) await db.command(`TRUNCATE TABLE ${table}`)
  await purge(db, ERASING, await engineTime(db))
}

/** A page of the predictions that are erased, after the one given. */
export const erasedPredictions = (
  db: ClickHouse,
  after: { model_id: string; prediction_id: string },
): Promise<{ model_id: string; prediction_id: string }[]> =>
  db.query(
    `SELECT DISTINCT model_id, prediction_id FROM erasing_predictions WHERE (model_id, prediction_id) > ({model:String}, {prediction:String})
     ORDER BY model_id, prediction_id LIMIT 1000`,
    { model: after.model_id, prediction: after.prediction_id },
  )

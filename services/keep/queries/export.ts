/** What is held of a subject, row by row. */
import type { ClickHouse, Row } from '../../../lib/clickhouse/port.ts'

/** Rows of one table in an export at most. */
const MAX_EXPORTED = 1000

const OF_SUBJECT = 'has({ids:Array(String)}, subject_id)'
const PREDICTIONS = `SELECT model_id, prediction_id FROM predictions WHERE ${OF_SUBJECT}`
const OF_PREDICTIONS = `(model_id, prediction_id) IN (${PREDICTIONS})`

const EXPORTED = [
  ['predictions', OF_SUBJECT],
  ['labels', `${OF_SUBJECT} OR ${OF_PREDICTIONS}`],
  ['outcomes', OF_SUBJECT],
  ['attributes', `${OF_SUBJECT} OR prediction_id IN (SELECT prediction_id FROM (${PREDICTIONS}))`],
  ['inference_halves', `(model_id, exchange_id) IN (${PREDICTIONS})`],
  [
    'dead_letters',
    `arrayExists(id -> position(value, concat('"', id, '"')) > 0, {ids:Array(String)}) OR has({ids:Array(String)}, key)`,
  ],
] as const

/** Rows about the subject, by table; tables without any are left out. */
export async function heldOf(
  db: ClickHouse,
  ids: readonly string[],
): Promise<{ table: string; rows: Row[]; is_cut: boolean }[]> {
  const found = []
  for (const [table, where] of EXPORTED) {
    const rows = await db.query(`SELECT * FROM ${table} WHERE ${where} LIMIT ${MAX_EXPORTED + 1}`, {
      ids,
    })
    if (rows.length > 0)
      found.push({
        table,
        rows: rows.slice(0, MAX_EXPORTED),
        is_cut: rows.length > MAX_EXPORTED,
      })
  }
  return found
}

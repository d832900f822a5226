/** Which models events have come of. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'

/** How many models events have come of. */
export async function modelCount(db: ClickHouse): Promise<number> {
  const [row] = await db.query<{ n: string }>('SELECT uniqExact(model_id) AS n FROM watermarks')
  return Number(row?.n ?? 0)
}

/** Which models are listed. */
export interface ModelsQuestion {
  /** Models that are listed whatever their events. */
  declared: readonly string[]
  /** How many others are listed at most, those with the most events. */
  most: number
  /** Whether there is room for everyone: then the events of all need not be counted. */
  isRoom: boolean
}

/** Ids of the models that events have come of, within the bounds of the question, in no order. */
export async function modelIds(
  db: ClickHouse,
  { declared, most, isRoom }: ModelsQuestion,
): Promise<string[]> {
  const rows = await db.query<{ model: string }>(
    isRoom
      ? 'SELECT DISTINCT model_id AS model FROM watermarks'
      : `SELECT model_id AS model FROM event_counts WHERE model_id NOT IN {declared:Array(String)}
         GROUP BY model ORDER BY sum(events) DESC, model LIMIT {most:UInt32}
         UNION ALL SELECT DISTINCT model_id AS model FROM watermarks WHERE model_id IN {declared:Array(String)}`,
    { declared, most },
  )
  return rows.map(({ model }) => model)
}

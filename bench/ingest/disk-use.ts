/** What an event takes on disk, once its merges are through. */
import { median } from 'simple-statistics'
import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import type { Result } from '../result.ts'

/** Bytes an event: of its row, of where it lies by its id, and of everything that is counted of it. */
export interface DiskUse {
  rows: number
  ids: number
  counts: number
}

/** The bytes of all tables on disk by the number of events that are stored. */
export async function diskUse(db: ClickHouse, events: number): Promise<DiskUse> {
  const parts = await db.query<{ table: string; bytes: string }>(
    'SELECT table, sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table',
  )
  const of = (isMeant: (table: string) => boolean) =>
    parts.filter(({ table }) => isMeant(table)).reduce((sum, { bytes }) => sum + Number(bytes), 0) /
    events
  return {
    rows: of((table) => table === 'predictions'),
    ids: of((table) => table === 'prediction_times'),
    counts: of((table) => table.endsWith('_counts')),
  }
}

/** Medians of what was found in each round, counts beside the rows that they are of. */
export function diskResults(
  found: readonly DiskUse[],
  { rounds, settings }: Pick<Result, 'rounds' | 'settings'>,
): Result[] {
  const of = (key: keyof DiskUse) => median(found.map((use) => use[key]))
  const common = { unit: 'bytes/event', rounds, settings }
  const rows = of('rows')
  const beside = { ...common, against: 'rows' }
  return [
    { ...common, name: 'disk: rows', value: rows, against: '', ratio: null },
    { ...beside, name: 'disk: where ids lie', value: of('ids'), ratio: of('ids') / rows },
    { ...beside, name: 'disk: counts', value: of('counts'), ratio: of('counts') / rows },
  ]
}

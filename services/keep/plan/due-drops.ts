/** Which months of which tables have passed their retention. Months are of UTC. */
import type { Kind, RetainedTable } from '../data/retention-tables.ts'

/** Rows of one month of a table; `model` is '' in tables without models. */
export interface MonthOfModel {
  model: string
  /** As ClickHouse names its partition, `202601`. */
  month: number
  rows: number
}

/** How long rows are kept, in days; undefined: for ever. */
export type DaysOf = (kind: Kind, model: string) => number | undefined

/** What goes now: a month with all its rows, or the rows of some models in it. */
export interface Drop {
  table: string
  month: number
  /** The models whose rows go; undefined where all rows of the month do. */
  models: readonly string[] | undefined
  rows: number
}

const DAY_MS = 86_400_000

/** The instant at which a month is over, epoch milliseconds. */
const endOf = (month: number) => Date.UTC(Math.floor(month / 100), month % 100, 1)

/** When a month of a model goes: when all of it is older than its retention; undefined: never. */
export function dropAt(month: number, days: number | undefined): number | undefined {
  return days === undefined ? undefined : endOf(month) + days * DAY_MS
}

/**
 * What of a table goes now.
 *
 * @param months rows by model and month, each pair once
 */
export function dueDrops(
  { table, kind, isByMonth }: RetainedTable,
  months: readonly MonthOfModel[],
  daysOf: DaysOf,
  now: number,
): Drop[] {
  const byMonth = Map.groupBy(months, ({ month }) => month)
  return [...byMonth]
    .toSorted(([a], [b]) => a - b)
    .flatMap(([month, rows]): Drop[] => {
      const due = rows.filter(({ model }) => {
        const at = dropAt(month, daysOf(kind, model))
        return at !== undefined && at <= now
      })
      if (due.length === 0) return []
      const isWhole = isByMonth && due.length === rows.length
      return [
        {
          table,
          month,
          models: isWhole ? undefined : due.map(({ model }) => model),
          rows: due.reduce((sum, one) => sum + one.rows, 0),
        },
      ]
    })
}

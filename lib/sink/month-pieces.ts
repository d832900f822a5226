/**
 * Inserts that touch many monthly partitions, cut into pieces: ClickHouse makes a part for each
 * partition of an insert, and a statement of a thousand parts takes longer than a statement may.
 * The pieces of a range follow from its rows alone, so a replay makes the same ones, each under its
 * own token.
 */

/** One insert touches at most this many monthly partitions. */
export const MAX_MONTHS_PER_INSERT = 48
const MONTH_MS = 31 * 86_400_000

/** The monthly partitions that rows lie in. */
export interface Months {
  /** The column by whose month the table is partitioned. */
  column: string
  /** The months as ClickHouse's `toYYYYMM` names them, ascending. */
  of: readonly number[]
}

/** One insert of a block: its token and which rows it takes. */
export interface Piece {
  token: string
  /** A condition in SQL that selects the rows of the piece from the block; absent where all are. */
  where?: string
}

const monthOf = (ms: number): number => {
  const date = new Date(ms)
  return 100 * date.getUTCFullYear() + date.getUTCMonth() + 1
}

/**
 * The months in which instants lie, ascending; undefined where they surely are few enough for one
 * insert.
 *
 * @param times epoch milliseconds
 */
export function monthsOf(times: readonly number[]): number[] | undefined {
  let earliest = Infinity
  let latest = -Infinity
  for (const at of times) {
    earliest = Math.min(earliest, at)
    latest = Math.max(latest, at)
  }
  if (!(latest - earliest > (MAX_MONTHS_PER_INSERT - 2) * MONTH_MS)) return undefined
  return [...new Set(times.map(monthOf))].filter(Number.isFinite).toSorted((a, b) => a - b)
}

/** The inserts of a block, in order: together they hold each of its rows once. */
export function piecesOf(token: string, months: Months | undefined): Piece[] {
  const { column, of } = months ?? { column: '', of: [] }
  if (of.length <= MAX_MONTHS_PER_INSERT) return [{ token }]
  const pieces: Piece[] = []
  for (let at = 0; at < of.length; at += MAX_MONTHS_PER_INSERT) {
    const next = of[at + MAX_MONTHS_PER_INSERT]
    // Open at both ends, so that no row can fall outside of all pieces.
    const bounds = [
      ...(at > 0 ? [`toYYYYMM(${column}) >= ${of[at]}`] : []),
      ...(next === undefined ? [] : [`toYYYYMM(${column}) < ${next}`]),
    ]
    pieces.push({ token: `${token}#${pieces.length}`, where: bounds.join(' AND ') })
  }
  return pieces
}

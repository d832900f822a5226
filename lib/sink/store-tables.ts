/** Puts the rows of a range into their tables, and sets messages aside that cannot be stored. */
import { encodeBlock } from '../clickhouse/native/block.ts'
import type { ClickHouse } from '../clickhouse/port.ts'
import type { Spool } from '../clickhouse/spool.ts'
import type { OffsetRange } from '../event-log/port.ts'
import type { EventsReader } from '../events/decode-message.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { isStoreFault } from '../runtime/store-faults.ts'
import type { SeenIds } from './dedupe-set.ts'
import type { EventMapping, MappedRange } from './mapping.ts'
import { piecesOf } from './month-pieces.ts'
import { countNewerRanges, readStoredRows } from './queries.ts'
import type { TableRows } from './table-rows.ts'
import { refusedByStore, refusing, unmappable } from './unstorable.ts'

/** What storing a range needs. */
export interface TableStore {
  reader: Pick<EventsReader, 'read'>
  clickhouse: ClickHouse
  spool: Spool
  metrics: Pick<Metrics, 'insertSeconds'>
}

/** A range, and how its messages become rows. */
export interface RangeToStore {
  range: OffsetRange
  mapping: EventMapping
  seen: SeenIds
}

/**
 * Insert tokens are remembered for 10 000 inserts; for a range this far behind, its row in
 * `sink_ranges` decides.
 */
const TOKEN_HORIZON = 5000

/**
 * Stores what a range becomes; messages that cannot be stored become dead letters of it.
 *
 * @throws a fault of the store itself, and what no single message is to blame for: the range waits
 *   then
 */
export async function storeTables(
  store: TableStore,
  { range, mapping, seen }: RangeToStore,
): Promise<MappedRange> {
  const { read } = store.reader
  let mapped: MappedRange
  try {
    mapped = mapping.map(range, read, seen)
  } catch (error) {
    const unstorable = unmappable(range, mapping, read)
    if (unstorable.size === 0) throw error
    mapped = mapping.map(range, refusing(read, unstorable), seen)
  }
  try {
    await insertAll(store, range, mapped)
    return mapped
  } catch (error) {
    if (isStoreFault(error)) throw error
    return await storeWithoutFaulty(store, { range, mapping, seen }, error)
  }
}

/** The store refused the rows: tries which, and stores the others under the tokens of the range. */
async function storeWithoutFaulty(
  store: TableStore,
  { range, mapping, seen }: RangeToStore,
  error: unknown,
): Promise<MappedRange> {
  const { read } = store.reader
  const trialTables = new Set<string>()
  try {
    const unstorable = await refusedByStore(error, {
      range,
      mapping,
      read,
      trial: (mapped) => tryTables(store, mapped, trialTables),
    })
    const mapped = mapping.map(range, refusing(read, unstorable), seen)
    await insertAll(store, range, mapped)
    return mapped
  } finally {
    for (const table of trialTables) await store.clickhouse.command(`DROP TABLE IF EXISTS ${table}`)
  }
}

/**
 * Inserts the rows of every table, the range's own row last, and gives back the mapping's memory.
 */
async function insertAll(store: TableStore, range: OffsetRange, mapped: MappedRange) {
  try {
    if (!(await isForgotten(store.clickhouse, range)))
      for (const rows of mapped.tables) await insert(store, range, rows)
  } finally {
    mapped.release()
  }
}

/** Whether a range was stored whole so long ago that its insert tokens may be forgotten. */
const isForgotten = async (clickhouse: ClickHouse, range: OffsetRange): Promise<boolean> =>
  range.replayed &&
  (await readStoredRows(clickhouse, range)) !== undefined &&
  (await countNewerRanges(clickhouse, range)) > TOKEN_HORIZON

async function insert(
  { clickhouse, spool, metrics }: TableStore,
  range: OffsetRange,
  { table, months, ...rows }: TableRows,
) {
  const block = encodeBlock(rows)
  if (!block) return
  await spool.withFile(block.parts, async (path) => {
    for (const piece of piecesOf(tokenOf(range), months)) {
      const stop = metrics.insertSeconds.startTimer({ topic: range.topic })
      await clickhouse.insertFile({ table, columns: block.columns, path, ...piece })
      stop()
    }
  })
}

/** Inserts the rows into tables that keep nothing, of the same columns. */
async function tryTables(
  { clickhouse, spool }: TableStore,
  { tables }: MappedRange,
  made: Set<string>,
) {
  for (const { table, months: _, ...rows } of tables) {
    const block = encodeBlock(rows)
    if (!block) continue
    const trial = `trial_of_${table}`
    made.add(trial)
    await clickhouse.command(`CREATE TABLE IF NOT EXISTS ${trial} AS ${table} ENGINE = Null`)
    await spool.withFile(block.parts, (path) =>
      clickhouse.insertFile({ table: trial, columns: block.columns, path, token: '' }),
    )
  }
}

/** The identity of a range: two inserts with one token are the same insert. */
export const tokenOf = (range: OffsetRange) =>
  `${range.logEpoch}:${range.topic}:${range.partition}:${range.first}-${range.last}:${range.mapping}`

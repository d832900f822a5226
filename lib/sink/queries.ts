/**
 * What a sink reads back from what it has stored: how far the log's epochs are, and the newest ids
 * of a partition.
 */
import type { ClickHouse } from '../clickhouse/port.ts'
import type { OffsetRange, Stored } from '../event-log/port.ts'
import type { SeenIn } from './mapping.ts'

/** How far a partition of a log is stored: in its newest epoch, the offset after the last. */
export async function lastStored(
  clickhouse: ClickHouse,
  log: string,
  topic: string,
  partition: string,
): Promise<Stored> {
  const [row] = await clickhouse.query<{ epoch: string; next: string }>(
    `SELECT toUInt64OrZero(substring(log_epoch, length({log:String}) + 2)) AS epoch, max(last) + 1 AS next FROM sink_ranges
     WHERE topic = {topic:String} AND partition = {partition:String} AND startsWith(log_epoch, concat({log:String}, '.'))
     GROUP BY epoch ORDER BY epoch DESC LIMIT 1`,
    { log, topic, partition },
  )
  return { epoch: Number(row?.epoch ?? 0), next: Number(row?.next ?? 0) }
}

/** How many rows a range has in the tables; undefined where it is not stored whole. */
export async function readStoredRows(
  clickhouse: ClickHouse,
  { topic, partition, logEpoch, first, last }: OffsetRange,
): Promise<number | undefined> {
  const [row] = await clickhouse.query<{ rows: string }>(
    `SELECT rows FROM sink_ranges
     WHERE topic = {topic:String} AND partition = {partition:String} AND log_epoch = {epoch:String} AND first = {first:UInt64} AND last = {last:UInt64}`,
    { topic, partition, epoch: logEpoch, first, last },
  )
  return row && Number(row.rows)
}

/**
 * How many ranges, of any topic, were stored after this one; all of them where it is not stored.
 */
export async function countNewerRanges(
  clickhouse: ClickHouse,
  { topic, partition, logEpoch, first }: OffsetRange,
): Promise<number> {
  const [row] = await clickhouse.query<{ newer: string }>(
    `SELECT count() AS newer FROM sink_ranges WHERE stored_at >
      (SELECT max(stored_at) FROM sink_ranges WHERE topic = {topic:String} AND partition = {partition:String} AND log_epoch = {epoch:String} AND first = {first:UInt64})`,
    { topic, partition, epoch: logEpoch, first },
  )
  return Number(row?.newer ?? 0)
}

interface StoredRange {
  epoch: string
  first: string
  last: string
  kept: string
}

/** What was stored before a range, and how many of its newest ids are wanted. */
export interface Remembered {
  range: OffsetRange
  seenIn: SeenIn
  horizon: number
}

/** Offsets of one epoch, both ends included, of which the oldest `skip` rows are left out. */
interface Stretch {
  epoch: string
  first: string
  last: string
  skip: number
}

/**
 * Visits the hashes of the newest `horizon` ids that were stored before this range, the oldest
 * first. Rows of the range itself, which an interrupted attempt may have left, are not among them.
 */
export async function rememberedIds(
  clickhouse: ClickHouse,
  { range, seenIn, horizon }: Remembered,
  visit: (a: number, b: number) => void,
): Promise<void> {
  const ranges = await readEarlierRanges(clickhouse, range, horizon)
  for (const stretch of stretchesOf(ranges, horizon).toReversed())
    await visitStretch(clickhouse, { range, seenIn, stretch }, visit)
}

/**
 * Reads the ranges of a partition that were stored before this one and kept rows, the newest first.
 */
const readEarlierRanges = (
  clickhouse: ClickHouse,
  { topic, partition, logEpoch, first }: OffsetRange,
  horizon: number,
) =>
  clickhouse.query<StoredRange>(
    `SELECT log_epoch AS epoch, first, last, events AS kept FROM sink_ranges
     WHERE topic = {topic:String} AND partition = {partition:String} AND NOT (log_epoch = {epoch:String} AND first >= {first:UInt64}) AND kept > 0
     ORDER BY stored_at DESC, first DESC LIMIT {horizon:UInt64}`,
    { topic, partition, epoch: logEpoch, first, horizon },
  )

/** Joins ranges of one epoch, the newest first, until they hold `horizon` rows. */
function stretchesOf(ranges: readonly StoredRange[], horizon: number): Stretch[] {
  const stretches: Stretch[] = []
  let total = 0
  for (const { epoch, first, last, kept } of ranges) {
    if (total >= horizon) break
    total += Number(kept)
    const newest = stretches.at(-1)
    if (newest?.epoch === epoch) newest.first = first
    else stretches.push({ epoch, first, last, skip: 0 })
  }
  const oldest = stretches.at(-1)
  if (oldest) oldest.skip = Math.max(0, total - horizon)
  return stretches
}

/** Rows of one answer. */
const PAGE = 200_000

async function visitStretch(
  clickhouse: ClickHouse,
  { range, seenIn, stretch }: Omit<Remembered, 'horizon'> & { stretch: Stretch },
  visit: (a: number, b: number) => void,
): Promise<void> {
  const { topic, partition } = range
  const { epoch, first, last, skip } = stretch
  for (let from = skip; ; from += PAGE) {
    const [page] = await clickhouse.query<{ a: number[]; b: number[] }>(
      `SELECT groupArray(xxHash32(name)) AS a, groupArray(murmurHash3_32(name)) AS b FROM (
         SELECT ${seenIn.identity} AS name FROM ${seenIn.table}
         WHERE topic = {topic:String} AND partition = {partition:String} AND log_epoch = {epoch:String} AND offset BETWEEN {first:UInt64} AND {last:UInt64}
         ORDER BY offset, name LIMIT {from:UInt64}, {page:UInt64})`,
      { topic, partition, epoch, first, last, from, page: PAGE },
    )
    const { a, b } = page!
    for (let i = 0; i < a.length; i++) visit(a[i]!, b[i]!)
    if (a.length < PAGE) break
  }
}

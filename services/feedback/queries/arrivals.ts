/**
 * What is stored and not yet joined, as stretches of the log.
 *
 * `sink_ranges` lists what is stored: the row of an offset range is written last, so every event of a
 * stretch can be read. `join_positions` lists what is joined. Both only grow; a stretch that is
 * read twice is joined twice, to the same outcomes.
 */
import type { ClickHouse, Params } from '../../../lib/clickhouse/port.ts'

/** A partition of a topic in one epoch of the log. */
export interface Place {
  topic: string
  partition: string
  log_epoch: string
}

/** Offsets `first` to `last`, both included, of one partition. */
export interface Stretch extends Place {
  first: number
  last: number
}

/** The stored part of the log that the join has not taken yet. */
export interface Arrivals {
  /** Reads anew what is stored and what is joined. */
  refresh: () => Promise<void>
  /**
   * Stretches that are stored and not joined, of about `rows` messages at most, shared evenly
   * between partitions; at least one offset range of each partition, and 32 partitions at most, in
   * turns.
   */
  next: (accepts: (topic: string) => boolean, rows: number) => Promise<Stretch[]>
  /** Everything that was stored at the last `refresh` and is not joined. */
  rest: (accepts: (topic: string) => boolean) => Stretch[]
  /** Records that these stretches are joined. */
  joined: (stretches: readonly Stretch[]) => Promise<void>
}

const MAX_PARTITIONS = 32
const MAX_RANGES = 1000
/** An insert may become visible this long after its time. */
const SLACK_MS = 600_000
/**
 * No offset range spans more: a range that reaches past a position begins at most this far before
 * it.
 */
const LONGEST_RANGE = 10_000_000

/** How far a partition is stored and joined. */
interface PartitionJoin extends Place {
  /** The offset after the last that is stored. */
  end: number
  /** The offset after the last that is joined. */
  position: number
}

interface State {
  places: Map<string, PartitionJoin>
  /** Time of the newest range that was read, epoch milliseconds. */
  newest: number
  /** Which partitions `next` begins with, where there are more than one call takes. */
  turn: number
}

/** Arrivals as ClickHouse has them; nothing is known before the first `refresh`. */
export function createArrivals(db: ClickHouse): Arrivals {
  const state: State = { places: new Map(), newest: 0, turn: 0 }
  return {
    refresh: () => refresh(db, state),
    next: (accepts, rows) => nextStretches(db, state, behind(state, accepts), rows),
    rest: (accepts) =>
      behind(state, accepts).map(({ end, position, ...place }) => ({
        ...place,
        first: position,
        last: end - 1,
      })),
    joined: (stretches) => recordJoined(db, state, stretches),
  }
}

/** The entry of a partition, made where it is new. */
function entryOf({ places }: State, { topic, partition, log_epoch }: Place): PartitionJoin {
  const key = JSON.stringify([topic, partition, log_epoch])
  let entry = places.get(key)
  if (!entry) places.set(key, (entry = { topic, partition, log_epoch, end: 0, position: 0 }))
  return entry
}

const behind = ({ places }: State, accepts: (topic: string) => boolean): PartitionJoin[] =>
  [...places.values()].filter(({ topic, end, position }) => accepts(topic) && end > position)

async function refresh(db: ClickHouse, state: State): Promise<void> {
  const stored = await db.query<Place & { end: string; newest: string }>(ENDS, {
    since: Math.max(0, state.newest - SLACK_MS),
  })
  for (const row of stored) {
    const entry = entryOf(state, row)
    entry.end = Math.max(entry.end, Number(row.end))
    state.newest = Math.max(state.newest, Number(row.newest))
  }
  for (const row of await db.query<Place & { position: string }>(POSITIONS)) {
    const entry = entryOf(state, row)
    entry.position = Math.max(entry.position, Number(row.position))
  }
}

async function nextStretches(
  db: ClickHouse,
  state: State,
  all: readonly PartitionJoin[],
  rows: number,
): Promise<Stretch[]> {
  const from = all.length > MAX_PARTITIONS ? (state.turn++ * MAX_PARTITIONS) % all.length : 0
  const chosen = [...all.slice(from), ...all.slice(0, from)].slice(0, MAX_PARTITIONS)
  const stretches: Stretch[] = []
  for (const entry of chosen)
    stretches.push(await stretchOf(db, entry, Math.ceil(rows / chosen.length)))
  return stretches
}

async function recordJoined(
  db: ClickHouse,
  state: State,
  stretches: readonly Stretch[],
): Promise<void> {
  const rows = stretches.map(({ topic, partition, log_epoch, last }) => ({
    topic,
    partition,
    log_epoch,
    position: last + 1,
  }))
  await db.insertRows('join_positions', rows)
  for (const row of rows) {
    const entry = entryOf(state, row)
    entry.position = Math.max(entry.position, row.position)
  }
}

/** The next whole offset ranges of a partition that hold `rows` messages; always at least one. */
async function stretchOf(
  db: ClickHouse,
  { topic, partition, log_epoch, position, end }: PartitionJoin,
  rows: number,
): Promise<Stretch> {
  const ranges = await db.query<{ last: string; rows: string }>(
    `SELECT last, rows FROM sink_ranges
     WHERE topic = {topic:String} AND partition = {partition:String} AND log_epoch = {epoch:String}
       AND first >= {near:UInt64} AND last >= {position:UInt64} AND last < {end:UInt64}
     ORDER BY first LIMIT ${MAX_RANGES}`,
    {
      topic,
      partition,
      epoch: log_epoch,
      near: Math.max(0, position - LONGEST_RANGE),
      position,
      end,
    },
  )
  let last = ranges.length === 0 ? end - 1 : position
  let taken = 0
  for (const range of ranges) {
    taken += Number(range.rows)
    if (taken > rows && taken > Number(range.rows)) break
    last = Math.max(last, Number(range.last))
  }
  return { topic, partition, log_epoch, first: position, last }
}

/** SQL condition that holds for the messages of the stretches, and its parameters. */
export function within(stretches: readonly Stretch[]): { condition: string; params: Params } {
  const params: Params = {}
  const conditions = stretches.map(({ topic, partition, log_epoch, first, last }, i) => {
    Object.assign(params, {
      [`topic_${i}`]: topic,
      [`partition_${i}`]: partition,
      [`epoch_${i}`]: log_epoch,
      [`first_${i}`]: first,
      [`last_${i}`]: last,
    })
    return `(topic = {topic_${i}:String} AND partition = {partition_${i}:String} AND log_epoch = {epoch_${i}:String} AND offset BETWEEN {first_${i}:UInt64} AND {last_${i}:UInt64})`
  })
  return { condition: `(${conditions.join(' OR ')})`, params }
}

const ENDS = `
SELECT topic, partition, log_epoch, max(last) + 1 AS end, toUnixTimestamp64Milli(max(stored_at)) AS newest FROM sink_ranges
WHERE stored_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') GROUP BY topic, partition, log_epoch`

const POSITIONS = `
SELECT topic, partition, log_epoch, max(position) AS position FROM join_positions GROUP BY topic, partition, log_epoch`

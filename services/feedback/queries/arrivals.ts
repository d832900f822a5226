/**
 * What has arrived since the join last looked, as stretches of the log.
 *
 * `sink_ranges` tells what is stored: the row of a range comes last, so what a stretch names can be read. `join_positions`
 * tells what is joined. Both only grow; a stretch that is looked at twice is joined twice, to the same outcomes.
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

export interface Arrivals {
  /** Reads anew what is stored and what is joined. */
  refresh: () => Promise<void>
  /**
   * Stretches that are stored and not joined, of at most about `rows` messages, and never less than one range of each
   * partition; at most 32 partitions at once, in turns. Partitions share `rows` evenly.
   */
  next: (accepts: (topic: string) => boolean, rows: number) => Promise<Stretch[]>
  /** Everything that was stored at the last `refresh` and is not joined. */
  rest: (accepts: (topic: string) => boolean) => Stretch[]
  /** Remembers that these are joined. */
  joined: (stretches: readonly Stretch[]) => Promise<void>
}

const MAX_PLACES = 32
const RANGES = 1000
/** An insert may take a while between its time and its being seen. */
const SLACK_MS = 600_000
/** No range spans more offsets: where ranges that reach past a position may begin. */
const LONGEST_RANGE = 10_000_000

interface Known extends Place {
  /** The offset after the last that is stored. */
  end: number
  /** The offset after the last that is joined. */
  position: number
}

export function createArrivals(db: ClickHouse): Arrivals {
  const places = new Map<string, Known>()
  let newest = 0
  let turn = 0

  const known = ({ topic, partition, log_epoch }: Place) => {
    const key = JSON.stringify([topic, partition, log_epoch])
    let place = places.get(key)
    if (!place) places.set(key, (place = { topic, partition, log_epoch, end: 0, position: 0 }))
    return place
  }
  const behind = (accepts: (topic: string) => boolean) =>
    [...places.values()].filter(({ topic, end, position }) => accepts(topic) && end > position)

  return {
    refresh: async () => {
      const stored = await db.query<Place & { end: string; newest: string }>(ENDS, {
        since: Math.max(0, newest - SLACK_MS),
      })
      for (const row of stored) {
        const place = known(row)
        place.end = Math.max(place.end, Number(row.end))
        newest = Math.max(newest, Number(row.newest))
      }
      for (const row of await db.query<Place & { position: string }>(POSITIONS)) {
        const place = known(row)
        place.position = Math.max(place.position, Number(row.position))
      }
    },

    next: async (accepts, rows) => {
      const all = behind(accepts)
      const from = all.length > MAX_PLACES ? (turn++ * MAX_PLACES) % all.length : 0
      const mine = [...all.slice(from), ...all.slice(0, from)].slice(0, MAX_PLACES)
      const stretches: Stretch[] = []
      for (const place of mine)
        stretches.push(await stretchOf(db, place, Math.ceil(rows / mine.length)))
      return stretches
    },

    rest: (accepts) =>
      behind(accepts).map(({ end, position, ...place }) => ({
        ...place,
        first: position,
        last: end - 1,
      })),

    joined: async (stretches) => {
      const rows = stretches.map(({ topic, partition, log_epoch, last }) => ({
        topic,
        partition,
        log_epoch,
        position: last + 1,
      }))
      await db.insertRows('join_positions', rows)
      for (const row of rows) {
        const place = known(row)
        place.position = Math.max(place.position, row.position)
      }
    },
  }
}

/** As many whole ranges as hold `rows` messages, and the first in any case. */
async function stretchOf(
  db: ClickHouse,
  { topic, partition, log_epoch, position, end }: Known,
  rows: number,
): Promise<Stretch> {
  const ranges = await db.query<{ last: string; rows: string }>(
    `SELECT last, rows FROM sink_ranges
     WHERE topic = {topic:String} AND partition = {partition:String} AND log_epoch = {epoch:String}
       AND first >= {near:UInt64} AND last >= {position:UInt64} AND last < {end:UInt64}
     ORDER BY first LIMIT ${RANGES}`,
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

/** A condition on the columns of the log that holds for the messages of the stretches, and its parameters. */
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

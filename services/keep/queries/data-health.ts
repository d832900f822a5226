/** What went wrong with events on their way, and what waits, the worst first. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { LetterPlace } from '../data/letter-cursor.ts'

/** Rows of each list at most. */
const MAX_ROWS = 200

/** Dead letters of one topic and reason. */
export interface LetterCount {
  topic: string
  reason: string
  service: string
  letters: number
  last_day: number
  first_at: string
  newest_at: string
  newest_message: string
}

const DAY_MS = 86_400_000

/** Counts dead letters by topic and reason, the newest first. */
export async function countLetters(db: ClickHouse, now: number): Promise<LetterCount[]> {
  const rows = await db.query<
    Omit<LetterCount, 'letters' | 'last_day'> & { letters: string; last_day: string }
  >(
    `SELECT topic, reason, any(service) AS service, count() AS letters, countIf(received_at >= fromUnixTimestamp64Milli({since:Int64})) AS last_day,
       min(received_at) AS first_at, max(received_at) AS newest_at, substringUTF8(argMax(message, received_at), 1, 500) AS newest_message
     FROM dead_letters GROUP BY topic, reason ORDER BY max(received_at) DESC, topic, reason LIMIT ${MAX_ROWS}`,
    { since: now - DAY_MS },
  )
  return rows.map((row) => ({
    ...row,
    letters: Number(row.letters),
    last_day: Number(row.last_day),
  }))
}

/** What producers that number their events emitted, and what came of it. */
export async function countProducers(db: ClickHouse) {
  const rows = await db.query<
    Record<
      'model_id' | 'producer' | 'emitted' | 'received' | 'duplicates' | 'lost' | 'total',
      string
    >
  >(
    `SELECT model_id, producer, emitted, received_events AS received, duplicated AS duplicates, greatest(toInt64(missing), 0) AS lost, count() OVER () AS total
     FROM producer_completeness ORDER BY lost DESC, duplicates DESC, model_id, producer LIMIT ${MAX_ROWS}`,
  )
  return {
    producers_in_all: Number(rows[0]?.total ?? 0),
    producers: rows.map((row) => {
      const { total: _total, ...rest } = row
      return rest
    }),
  }
}

/** Labels whose prediction nobody has seen yet, by model, the most first. */
export async function countWaiting(db: ClickHouse) {
  const rows = await db.query<{ model_id: string; labels: string; since: string }>(
    `SELECT model_id, count() AS labels, min(waiting_since) AS since
     FROM labels_waiting GROUP BY model_id ORDER BY count() DESC, model_id LIMIT ${MAX_ROWS}`,
  )
  return rows
}

/** What was stored of each topic: when last, and how much of the last day. */
export async function countStored(db: ClickHouse, now: number) {
  return db.query<{
    topic: string
    newest_at: string
    messages: string
    refused: string
    repeats: string
  }>(
    `SELECT topic, max(stored_at) AS newest_at, sumIf(rows, stored_at >= fromUnixTimestamp64Milli({since:Int64})) AS messages,
       sumIf(rejected, stored_at >= fromUnixTimestamp64Milli({since:Int64})) AS refused, sumIf(sink_ranges.duplicates, stored_at >= fromUnixTimestamp64Milli({since:Int64})) AS repeats
     FROM sink_ranges GROUP BY topic ORDER BY topic LIMIT ${MAX_ROWS}`,
    { since: now - DAY_MS },
  )
}

/** Which dead letters are asked for. */
export interface LetterSearch {
  topic: string | undefined
  reason: string | undefined
  /** Those that came before this, epoch milliseconds. */
  before: number
  /** Those that follow this one. */
  after: LetterPlace | undefined
  limit: number
}

/** Bytes of a value that one answer gives of each letter. */
const MAX_SHOWN_BYTES = 4096

/** Many letters may come in one millisecond: their place in the log tells them apart. */
const FOLLOWS = `(received_at < fromUnixTimestamp64Milli({at:Int64})
  OR received_at = fromUnixTimestamp64Milli({at:Int64}) AND (topic, log_epoch, partition, offset) > ({after_topic:String}, {epoch:String}, {partition:String}, {offset:UInt64}))`

/**
 * Reads dead letters with the first bytes of their values as base64, the newest first.
 *
 * @returns `next` is the place of the last one where others follow it
 */
export async function readLetters(db: ClickHouse, search: LetterSearch) {
  const { after, limit } = search
  const rows = await db.query<{
    topic: string
    log_epoch: string
    partition: string
    offset: string
    reason: string
    message: string
    service: string
    received_at: string
    received_ms: string
    key: string
    value: string
    value_bytes: string
  }>(
    `SELECT topic, log_epoch, partition, offset, reason, substringUTF8(message, 1, 2000) AS message, service,
       received_at, toUnixTimestamp64Milli(received_at) AS received_ms, base64Encode(substring(key, 1, 500)) AS key,
       base64Encode(substring(value, 1, ${MAX_SHOWN_BYTES})) AS value, value_bytes
     FROM dead_letters WHERE received_at < fromUnixTimestamp64Milli({before:Int64})
       AND ({topic:String} = '' OR topic = {topic:String}) AND ({reason:String} = '' OR reason = {reason:String})
       ${after ? `AND ${FOLLOWS}` : ''}
     ORDER BY dead_letters.received_at DESC, topic, log_epoch, partition, offset LIMIT {limit:UInt32}`,
    {
      topic: search.topic ?? '',
      reason: search.reason ?? '',
      before: search.before,
      limit: limit + 1,
      ...(after && {
        at: after.receivedAt,
        after_topic: after.topic,
        epoch: after.logEpoch,
        partition: after.partition,
        offset: after.offset,
      }),
    },
  )
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1) : undefined
  const next = last && {
    receivedAt: Number(last.received_ms),
    topic: last.topic,
    logEpoch: last.log_epoch,
    partition: last.partition,
    offset: last.offset,
  }
  return {
    letters: shown.map(({ log_epoch: _epoch, received_ms: _at, ...letter }) => letter),
    next,
  }
}

/**
 * Stores ranges of the log in ClickHouse, each exactly once with every count of it.
 *
 * The caller (an event log) has written its intent before and commits after; here is what lies between:
 * 1. The bytes become a spool file. Lost with the process: the range is replayed from the log.
 * 2. One INSERT under the range's token writes rows, dead letters, counts and the range itself. Cut off anywhere, the same
 *    insert again completes what is missing and skips what is there.
 * 3. The stored range is read back and must hold as many rows as the log had messages.
 * 4. Dead letters go to their topic from the table; a failure here replays the range, hence at least once.
 */
import { escape, ONE_BLOCK, type ClickHouse } from './clickhouse.ts'
import { messageOf } from './errors.ts'
import type { EventLog, LoggedRange } from './event-log.ts'
import type { Metrics } from './metrics.ts'
import { encodeLines, type Spool } from './spool.ts'
import { OMITTED_FIELD, type WireMapping } from './wire-mapping.ts'
import { TOPICS } from '../schemas/topics.ts'

export interface SinkOptions {
  service: string
  /** The Null table whose views do the writing. */
  wireTable: string
  /** Newest first; older ones drain ranges that an older release had begun. */
  mappings: readonly [WireMapping, ...WireMapping[]]
  clickhouse: ClickHouse
  spool: Spool
  eventLog: Pick<EventLog, 'append'>
  metrics: Metrics
  now: () => number
}

export interface Sink {
  mapping: string
  store: (range: LoggedRange) => Promise<void>
  lastEpoch: (log: string, topic: string, partition: string) => Promise<number>
}

/** Insert tokens are remembered for 10 000 inserts; a range this far behind is judged by `sink_ranges` instead. */
const TOKEN_HORIZON = 5000

export function createSink(options: SinkOptions): Sink {
  const { clickhouse, metrics, service } = options
  /** Fields that some batch has had: the next ones are mapped for these. */
  const expected = new Set<string>()

  return {
    mapping: options.mappings[0].version,
    store: async (range) => {
      const mapping = options.mappings.find((m) => m.version === range.mapping)
      if (!mapping)
        throw new Error(
          `range ${tokenOf(range)} was begun with mapping ${range.mapping}, which this release no longer has`,
        )
      const begun = options.now()
      const forgotten =
        range.replayed && (await storedRange(range)) !== undefined && (await isBeyondTokens(range))
      if (!forgotten) {
        const bytes = encodeLines(range.messages)
        await options.spool.withFile(bytes, (path) => insertNarrowed(range, mapping, bytes, path))
      }
      const stored = await storedRange(range)
      if (!stored || stored.rows !== range.messages.length)
        throw new Error(
          `range ${tokenOf(range)} holds ${stored?.rows ?? 0} rows where the log has ${range.messages.length}`,
        )
      if (stored.rejected > 0) await publishDeadLetters(range)
      count(range, stored, begun)
    },
    lastEpoch: async (log, topic, partition) => {
      const rows = await clickhouse.query<{ epoch: string }>(
        `SELECT toString(max(toUInt64OrZero(substring(log_epoch, length({log:String}) + 2)))) AS epoch FROM sink_ranges
         WHERE topic = {topic:String} AND partition = {partition:String} AND startsWith(log_epoch, concat({log:String}, '.'))`,
        { log, topic, partition },
      )
      return Number(rows[0]?.epoch ?? 0)
    },
  }

  /** Tries with the fields that are expected; a batch that has others shows itself, and is stored with all of them. */
  async function insertNarrowed(
    range: LoggedRange,
    mapping: WireMapping,
    bytes: Buffer,
    path: string,
  ) {
    for (const name of fieldsAmong(bytes.subarray(0, SAMPLE_BYTES), mapping)) expected.add(name)
    if (expected.size === mapping.fields.length) return insert(range, mapping, undefined, path)
    try {
      await insert(range, mapping, expected, path)
    } catch (error) {
      if (!messageOf(error).includes(OMITTED_FIELD)) throw error
      for (const name of mapping.fields) expected.add(name)
      await insert(range, mapping, undefined, path)
    }
  }

  async function insert(
    range: LoggedRange,
    mapping: WireMapping,
    fields: ReadonlySet<string> | undefined,
    path: string,
  ) {
    const { logEpoch: log_epoch, topic, partition } = range
    const columns = [
      'log_epoch',
      'topic',
      'partition',
      'offset',
      'received_at',
      'key',
      'value',
      'reject_code',
      'reject_message',
      'unknown_fields',
    ]
    const names = [...columns, ...mapping.columns(fields).map((column) => column.name)]
    const stop = metrics.insertSeconds.startTimer({ topic })
    await clickhouse.insertLines(
      path,
      (source) =>
        `INSERT INTO ${options.wireTable} (${names.join(', ')}) SETTINGS async_insert=0, insert_deduplication_token='${escape(tokenOf(range))}', ${ONE_BLOCK} ${mapping.select(source, { log_epoch, topic, partition }, fields)}`,
    )
    stop()
  }

  async function storedRange(
    range: LoggedRange,
  ): Promise<{ rows: number; rejected: number; unknown: number } | undefined> {
    const rows = await clickhouse.query<{ rows: string; rejected: string; unknown: string }>(
      `SELECT rows, rejected, unknown_fields AS unknown FROM sink_ranges
       WHERE topic = {topic:String} AND partition = {partition:String} AND log_epoch = {epoch:String} AND first = {first:UInt64} AND last = {last:UInt64}`,
      {
        topic: range.topic,
        partition: range.partition,
        epoch: range.logEpoch,
        first: range.first,
        last: range.last,
      },
    )
    const [row] = rows
    return (
      row && {
        rows: Number(row.rows),
        rejected: Number(row.rejected),
        unknown: Number(row.unknown),
      }
    )
  }

  async function isBeyondTokens(range: LoggedRange): Promise<boolean> {
    const [row] = await clickhouse.query<{ newer: string }>(
      `SELECT count() AS newer FROM sink_ranges WHERE stored_at >
        (SELECT max(stored_at) FROM sink_ranges WHERE topic = {topic:String} AND partition = {partition:String} AND log_epoch = {epoch:String} AND first = {first:UInt64})`,
      { topic: range.topic, partition: range.partition, epoch: range.logEpoch, first: range.first },
    )
    return Number(row?.newer ?? 0) > TOKEN_HORIZON
  }

  async function publishDeadLetters(range: LoggedRange) {
    const letters = await clickhouse.query<{ offset: string; reason: string; message: string }>(
      `SELECT offset, reason, message FROM dead_letters
       WHERE topic = {topic:String} AND log_epoch = {epoch:String} AND partition = {partition:String} AND offset BETWEEN {first:UInt64} AND {last:UInt64}`,
      {
        topic: range.topic,
        epoch: range.logEpoch,
        partition: range.partition,
        first: range.first,
        last: range.last,
      },
    )
    const messages = new Map(range.messages.map((message) => [message.offset, message]))
    await options.eventLog.append(
      TOPICS.deadLetters.topic,
      letters.flatMap(({ offset, reason, message }) => {
        const original = messages.get(offset)
        return original
          ? [
              {
                key: original.key.toString(),
                value: original.value,
                headers: errorHeaders(range, offset, reason, message),
              },
            ]
          : []
      }),
    )
    for (const { reason } of letters)
      metrics.events.inc({ service, topic: range.topic, outcome: 'dead_letter', reason })
  }

  /** The header names that Kafka Connect gives its dead letters, which tools know. */
  function errorHeaders(
    range: LoggedRange,
    offset: string,
    reason: string,
    message: string,
  ): Record<string, string> {
    return {
      '__connect.errors.topic': range.topic,
      '__connect.errors.partition': range.partition,
      '__connect.errors.offset': offset,
      '__connect.errors.connector.name': `plumbline-${service}`,
      '__connect.errors.task.id': '0',
      '__connect.errors.stage': 'VALUE_CONVERTER',
      '__connect.errors.exception.class.name': reason,
      '__connect.errors.exception.message': message,
    }
  }

  function count(
    range: LoggedRange,
    stored: { rows: number; rejected: number; unknown: number },
    begun: number,
  ) {
    const { topic } = range
    metrics.events.inc(
      { service, topic, outcome: 'stored', reason: '' },
      stored.rows - stored.rejected,
    )
    if (stored.unknown > 0)
      metrics.events.inc({ service, topic, outcome: 'unknown_field', reason: '' }, stored.unknown)
    metrics.batchRows.observe({ topic }, stored.rows)
    metrics.ingestDelaySeconds.observe(
      Math.max(0, options.now() - Math.min(begun, range.messages[0]!.timestampMs)) / 1000,
    )
  }
}

/** The identity of a range: two inserts with one token are the same insert. */
const tokenOf = (range: LoggedRange) =>
  `${range.logEpoch}:${range.topic}:${range.partition}:${range.first}-${range.last}:${range.mapping}`

const SAMPLE_BYTES = 32 * 1024

const fieldsAmong = (sample: Buffer, mapping: WireMapping) =>
  mapping.fields.filter((name) => mapping.required.has(name) || sample.includes(`"${name}"`))

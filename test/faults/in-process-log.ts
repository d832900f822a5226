/**
 * The in-process log with a sink behind it, on a real ClickHouse: what tests of its faults share.
 */
import { join } from 'node:path'
import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import { memoryLog } from '../../lib/event-log/in-process.ts'
import type { MemoryLogOptions } from '../../lib/event-log/in-process-partition.ts'
import type { OutgoingMessage } from '../../lib/event-log/port.ts'
import { createJournal } from '../../lib/event-log/journal.ts'
import { messageReader, type MessageReader } from '../../lib/events/decode-message.ts'
import { createMetrics } from '../../lib/runtime/metrics.ts'
import { sinkConsumer } from '../../lib/sink/consumer.ts'
import { createSpool } from '../../lib/clickhouse/spool.ts'
import { TOPICS } from '../../schemas/topics.ts'
import { PREDICTION_MAPPINGS } from '../../services/ingest/data/prediction-rows.ts'
import { rangeOf } from '../harness.ts'
import { prediction } from '../servers/processes.ts'

export const TOPIC = TOPICS.predictions.topic
/** Pause between tries: tests count the tries of a failing store, not the time. */
const SHORT_PAUSE_MS = 5

export interface Parts extends Partial<MemoryLogOptions> {
  clickhouse?: ClickHouse
  reader?: MessageReader
  journalIn?: string
}

/** Starts processes of one data folder, and asks the ClickHouse that they store in. */
export function inProcessLogs(db: ClickHouse, directory: string) {
  let folders = 0
  const folder = () => join(directory, `part-${folders++}`)

  /**
   * A process's log and the sink behind it; `die` ends it as a kill would, with what is in hand
   * left in the journal.
   */
  async function startLog(parts: Parts = {}) {
    const journalIn = parts.journalIn ?? folder()
    const unreadable: string[] = []
    let isDead = false
    const store = parts.clickhouse ?? db
    const clickhouse: ClickHouse = {
      ...store,
      insertFile: (insert) =>
        isDead
          ? Promise.reject(Object.assign(new Error('killed'), { code: 'ECONNRESET' }))
          : store.insertFile(insert),
    }
    const log = memoryLog({
      now: Date.now,
      journal: createJournal({
        directory: journalIn,
        durable: 'process',
        onUnreadable: (path) => unreadable.push(path),
      }),
      onError: () => {},
      pauseMs: () => SHORT_PAUSE_MS,
      ...parts,
    })
    const consumer = sinkConsumer({
      topic: TOPIC,
      group: 'ingest',
      service: 'ingest',
      mappings: PREDICTION_MAPPINGS,
      clickhouse,
      reader: parts.reader ?? messageReader(),
      spool: createSpool(folder(), 'process'),
      eventLog: log,
      metrics: createMetrics(),
      duplicateHorizon: 1_000_000,
      now: Date.now,
      committed: () => {},
    })
    await log.module.start!()
    return {
      log,
      journalIn,
      unreadable,
      die: () => {
        isDead = true
      },
      send: (values: readonly (string | Buffer)[]) =>
        log.append(
          TOPIC,
          values.map((value): OutgoingMessage => ({ key: '', value })),
        ),
      stop: () => consumer.stop!(),
    }
  }

  const count = async (sql: string) => {
    const [row] = await db.query<{ n: string }>(`SELECT ${sql} AS n`)
    return Number(row!.n)
  }
  return {
    folder,
    startLog,
    count,
    stored: (model: string) =>
      count(`(SELECT count() FROM predictions WHERE model_id = '${model}')`),
    totalsOf: async (model: string) =>
      (
        await db.query(`SELECT (SELECT count() FROM predictions WHERE model_id = '${model}') AS rows,
      (SELECT uniqExact(prediction_id) FROM predictions WHERE model_id = '${model}') AS ids,
      (SELECT sum(events) FROM event_counts WHERE model_id = '${model}') AS events,
      (SELECT sum(count) FROM numeric_counts WHERE model_id = '${model}' AND subject = 'x') AS numbers,
      (SELECT sum(count) FROM category_counts WHERE model_id = '${model}' AND subject = 'c') AS categories,
      (SELECT count() FROM prediction_times WHERE model_id = '${model}') AS times`)
      )[0],
  }
}

/** What `totalsOf` says where each of so many events was stored and counted once. */
export const all = (n: number) =>
  Object.fromEntries(
    ['rows', 'ids', 'events', 'numbers', 'categories', 'times'].map((name) => [name, String(n)]),
  )

/** Three predictions of a model, as a range that an earlier process left. */
export const leftRange = (model: string) =>
  rangeOf(
    TOPIC,
    PREDICTION_MAPPINGS[0].version,
    [1, 2, 3].map((i) => JSON.stringify(prediction(i, { model_id: model }))),
  )

/** An event of each of so many months, from 1990 on. */
export const monthly = (model: string, months: number) =>
  Array.from({ length: months }, (_, i) =>
    JSON.stringify(
      prediction(i, {
        model_id: model,
        features: { x: i, c: 'c' },
        predicted_at: new Date(Date.UTC(1990, i, 2)).toISOString(),
      }),
    ),
  )

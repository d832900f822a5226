/** Passes on what control-state transactions left in the outbox, in order, at least once: rows to ClickHouse, events to topics. */
import type { ClickHouse, Row } from './clickhouse.ts'
import { sleep } from './clock.ts'
import { messageOf } from './errors.ts'
import type { EventLog } from './event-log.ts'
import type { Logger } from './log.ts'
import type { Module } from './modules.ts'
import type { Postgres, Sql } from './postgres.ts'

const POLL_MS = 250
const RETRY_MS = 2000
const BATCH = 1000

/** A transaction leaves a message for a topic under this prefix of `target`, as a row of `key` and `value`. */
const TOPIC = 'topic:'

export const leaveRow = (tx: Sql, table: string, row: Row) =>
  tx.query('insert into outbox (target, row) values ($1, $2::jsonb)', [table, JSON.stringify(row)])

export const leaveMessage = (tx: Sql, topic: string, key: string, value: Row) =>
  leaveRow(tx, `${TOPIC}${topic}`, { key, value })

export interface OutboxTargets {
  postgres: Postgres
  /** Every table replaces rows by key and revision, so that copying twice is harmless. */
  clickhouse: ClickHouse
  eventLog: Pick<EventLog, 'append'>
}

/** @returns how many entries were passed on */
export async function drainOutbox({
  postgres,
  clickhouse,
  eventLog,
}: OutboxTargets): Promise<number> {
  const rows = await postgres.query<{ id: string | number; target: string; row: Row }>(
    'select id, target, row from outbox order by id limit $1',
    [BATCH],
  )
  for (const [target, group] of Map.groupBy(rows, (row) => row.target)) {
    if (target.startsWith(TOPIC)) {
      const messages = group.map(({ row }) => ({
        key: String(row['key']),
        value: JSON.stringify(row['value']),
      }))
      await eventLog.append(target.slice(TOPIC.length), messages)
    } else
      await clickhouse.insertRows(
        target,
        group.map(({ row }) => row),
      )
  }
  if (rows.length > 0)
    await postgres.query('delete from outbox where id = any($1::bigint[])', [
      rows.map((row) => String(row.id)),
    ])
  return rows.length
}

export function outboxModule(targets: OutboxTargets, log: Logger): Module {
  return {
    name: 'outbox',
    run: async (signal) => {
      while (!signal.aborted) {
        let pause = POLL_MS
        try {
          if ((await drainOutbox(targets)) === BATCH) pause = 0
        } catch (error) {
          log.warn({ error: messageOf(error) }, 'outbox not drained, trying again')
          pause = RETRY_MS
        }
        await sleep(pause, signal)
      }
    },
    stop: async () => {
      await drainOutbox(targets)
    },
  }
}

/**
 * Passes on what control-state transactions left in the outbox, in order, at least once: rows to
 * ClickHouse, events to topics.
 */
import { Counter } from 'prom-client'
import type { ClickHouse, Row } from '../clickhouse/port.ts'
import { messageOf } from '../runtime/errors.ts'
import type { EventLog } from '../event-log/port.ts'
import type { Logger } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Module } from '../runtime/modules.ts'
import { pollLoop } from '../runtime/poll-loop.ts'
import type { Postgres, Sql } from './port.ts'

const POLL_MS = 250
/**
 * While nothing is enqueued: a commit of this process wakes the loop, which looks unasked for what
 * a killed one has left.
 */
const LONGEST_IDLE_MS = 10_000
const RETRY_MS = 2000
const BATCH = 1000

/** Marks a `target` that is a topic; its rows hold `key` and `value` of one message. */
const TOPIC = 'topic:'

/** Enqueues a row for a table of ClickHouse, within the caller's transaction. */
export const enqueueRow = (tx: Sql, table: string, row: Row) =>
  tx.query('insert into outbox (target, row) values ($1, $2::jsonb)', [table, JSON.stringify(row)])

/** Enqueues a message for a topic, its value as JSON, within the caller's transaction. */
export const enqueueMessage = (tx: Sql, topic: string, key: string, value: Row) =>
  enqueueRow(tx, `${TOPIC}${topic}`, { key, value })

/** Where the outbox is read, and where its entries go. */
export interface OutboxTargets {
  postgres: Postgres
  /** Every table replaces rows by key and revision, so that copying twice is harmless. */
  clickhouse: ClickHouse
  eventLog: Pick<EventLog, 'append'>
}

/** Entries on their way out of the control database. */
export interface Outbox {
  /**
   * Passes on one batch. A row that its target refuses is tried again later, and set aside in
   * `outbox_refused` after some tries, once the target has taken another row since: while it takes
   * none, it is the target that fails.
   *
   * @returns how many entries were passed on, which were set aside, and what else failed, by target
   */
  drain: () => Promise<Drained>
}

/** What became of one batch; see {@link Outbox.drain}. */
export interface Drained {
  passedOn: number
  refused: { target: string; reason: string }[]
  failures: string[]
}

interface Entry {
  id: string | number
  target: string
  row: Row
  tries: number
  first_failed_at: Date | null
}

interface Failure {
  entry: Entry
  reason: string
}

const TRIES = 5
/** Failures of one pass and target: the work of a pass is bounded, whatever lies in the outbox. */
const MAX_FAILURES = 20
/** How long a target that takes nothing is tried in one pass. */
const PATIENCE_MS = 5000
const MAX_REASON = 1000

/** An outbox, and what is remembered between two passes, which may be lost. */
interface OutboxState extends OutboxTargets {
  /** When a target last took something, epoch milliseconds by the clock of the database. */
  lastTaken: Map<string, number>
}

/** Makes the outbox of `postgres`. */
export function createOutbox(targets: OutboxTargets): Outbox {
  const outbox: OutboxState = { ...targets, lastTaken: new Map() }
  return { drain: () => drainBatch(outbox) }
}

async function drainBatch(outbox: OutboxState): Promise<Drained> {
  const { postgres, lastTaken } = outbox
  const drained: Drained = { passedOn: 0, refused: [], failures: [] }
  const entries = await readDue(postgres)
  if (entries.length === 0) return drained
  const [clock] = await postgres.query<{ now: Date }>('select now() as now')
  const now = new Date(clock!.now).getTime()
  for (const [target, group] of Map.groupBy(entries, (entry) => entry.target)) {
    const { taken, failed } = await passOn(group, (some) => send(outbox, target, some))
    if (taken.length > 0) lastTaken.set(target, now)
    await postgres.query('delete from outbox where id = any($1::bigint[])', [
      taken.map(({ id }) => String(id)),
    ])
    drained.passedOn += taken.length
    for (const failure of failed)
      if (await settleFailure(outbox, failure, now))
        drained.refused.push({ target, reason: failure.reason })
    if (failed.length > 0) drained.failures.push(`${target}: ${failed[0]!.reason}`)
  }
  return drained
}

/** Reads one batch of entries whose time has come, oldest first. */
const readDue = (postgres: Postgres) =>
  postgres.query<Entry>(
    `select id, target, row, tries, first_failed_at from outbox where next_try_at is null or next_try_at <= now() order by id limit $1`,
    [BATCH],
  )

async function send(
  { clickhouse, eventLog }: OutboxTargets,
  target: string,
  entries: readonly Entry[],
): Promise<void> {
  const rows = entries.map(({ row }) => row)
  if (!target.startsWith(TOPIC)) return clickhouse.insertRows(target, rows)
  const messages = rows.map((row) => ({
    key: String(row['key']),
    value: JSON.stringify(row['value']),
  }))
  return eventLog.append(target.slice(TOPIC.length), messages)
}

/**
 * Sets an entry aside whose target has taken another since it failed first, after some tries; puts
 * its next try off otherwise. True where it was set aside.
 */
async function settleFailure(
  { postgres, lastTaken }: OutboxState,
  { entry, reason }: Failure,
  now: number,
): Promise<boolean> {
  const since = entry.first_failed_at ? new Date(entry.first_failed_at).getTime() : now
  const takesOthers = (lastTaken.get(entry.target) ?? 0) >= since
  const isLastTry = entry.tries + 1 >= TRIES && takesOthers
  if (isLastTry) await setAside(postgres, entry, reason)
  else await postpone(postgres, entry)
  return isLastTry
}

/**
 * Sends all together, or in halves where that fails, down to the entries that fail alone. It ends
 * after a number of these, and soon while nothing was taken and each takes long, since the target
 * itself may be away.
 */
async function passOn(
  entries: readonly Entry[],
  send: (entries: readonly Entry[]) => Promise<void>,
): Promise<{ taken: Entry[]; failed: Failure[] }> {
  const taken: Entry[] = []
  const failed: Failure[] = []
  const work = [entries]
  const begun = performance.now()
  while (work.length > 0) {
    const some = work.pop()!
    try {
      await send(some)
      for (const one of some) taken.push(one)
    } catch (error) {
      if (some.length > 1) {
        const middle = some.length >> 1
        work.push(some.slice(middle), some.slice(0, middle))
        continue
      }
      failed.push({ entry: some[0]!, reason: messageOf(error).slice(0, MAX_REASON) })
      const isAway = taken.length === 0 && performance.now() - begun > PATIENCE_MS
      if (isAway || failed.length === MAX_FAILURES) break
    }
  }
  return { taken, failed }
}

/** Later, and later each time: after 2 s, 4 s, … 64 s. */
const postpone = (postgres: Postgres, { id }: Entry) =>
  postgres.query(
    `update outbox set tries = tries + 1, first_failed_at = coalesce(first_failed_at, now()),
       next_try_at = now() + interval '1 second' * power(2, least(tries + 1, 6)) where id = $1::bigint`,
    [String(id)],
  )

const setAside = (postgres: Postgres, { id }: Entry, reason: string) =>
  postgres.query(
    `with gone as (delete from outbox where id = $1::bigint returning id, target, row, tries)
     insert into outbox_refused (id, target, row, tries, reason) select id, target, row, tries + 1, $2 from gone on conflict do nothing`,
    [String(id), reason.replaceAll('\0', '')],
  )

/** Drains the outbox for as long as the process lives, and once more when it stops. */
export function outboxModule(
  targets: OutboxTargets & { metrics: Pick<Metrics, 'registry'> },
  log: Logger,
): Module {
  const outbox = createOutbox(targets)
  const refused = new Counter({
    name: 'plumbline_outbox_refused_total',
    help: 'Rows of the outbox that their target refused, set aside in the table outbox_refused.',
    labelNames: ['target'],
    registers: [targets.metrics.registry],
  })
  const drain = async () => {
    const drained = await outbox.drain()
    for (const { target, reason } of drained.refused) {
      refused.inc({ target })
      log.error({ target, reason }, 'a row of the outbox is refused and set aside')
    }
    if (drained.failures.length > 0)
      log.warn({ error: drained.failures.join('; ') }, 'outbox not drained, trying again')
    return drained
  }
  const { module, wake } = pollLoop({
    name: 'outbox',
    everyMs: POLL_MS,
    longestIdleMs: LONGEST_IDLE_MS,
    retryMs: RETRY_MS,
    rest: 0,
    step: async () => {
      const { passedOn, failures } = await drain()
      const retry = failures.length > 0
      return { retry, more: !retry && passedOn === BATCH, isIdle: passedOn === 0 }
    },
    onError: (error) => log.warn({ error: messageOf(error) }, 'outbox not read, trying again'),
  })
  targets.postgres.onCommit(wake)
  return {
    ...module,
    stop: async () => {
      await drain()
    },
  }
}

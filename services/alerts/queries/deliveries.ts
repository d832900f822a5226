/** Messages on their way: which are due, who sends them, and what became of them. */
import { randomUUID } from 'node:crypto'
import { appendAudit } from '../../../lib/postgres/audit-log.ts'
import type { Postgres, Sql } from '../../../lib/postgres/port.ts'
import type { Message } from '../decide/messages.ts'

/** A message to one receiver. */
export interface Delivery {
  delivery_id: string
  receiver: string
  message: Message
}

/** Messages of one receiver that are sent beside one another. */
export const MAX_AT_ONCE = 4

/**
 * Reads messages that are due and that nobody sends, some of each receiver, the oldest first. Only
 * the first of a receiver and subject is among them: the next one is due once that has ended.
 */
export const readDue = (sql: Sql, now: number): Promise<Delivery[]> =>
  sql.query<Delivery>(
    `select delivery_id, receiver, message from (
       select d.delivery_id, d.receiver, d.message, d.created_at,
         row_number() over (partition by d.receiver order by d.created_at, d.sequence) as place
       from alert_deliveries d
       where d.state = 'waiting' and d.next_attempt_at <= $1 and (d.claimed_until is null or d.claimed_until <= $1)
         and not exists (select 1 from alert_deliveries e where e.receiver = d.receiver and e.subject = d.subject
           and e.sequence < d.sequence and e.state = 'waiting')) as due
     where place <= $2 order by created_at`,
    [new Date(now), MAX_AT_ONCE],
  )

/** The right to send a message, until its time is over. */
export interface DeliveryClaim {
  deliveryId: string
  claim: string
  /** Tries, this one included. */
  attempt: number
  /** When the first was made, epoch milliseconds. */
  firstAttemptAt: number
}

/**
 * Claims a message for one try, in the store and so against every other process.
 *
 * @param times epoch milliseconds; the claim of a process that has died ends by itself at `until`
 * @returns undefined where it is not due, or another has claimed it
 */
export async function claimDelivery(
  sql: Sql,
  deliveryId: string,
  { now, until }: { now: number; until: number },
): Promise<DeliveryClaim | undefined> {
  const claim = randomUUID()
  const [row] = await sql.query<{ attempts: number; first_attempt_at: Date }>(
    `update alert_deliveries set claim = $2, claimed_until = $3, attempts = attempts + 1,
       first_attempt_at = coalesce(first_attempt_at, $4)
     where delivery_id = $1 and state = 'waiting' and next_attempt_at <= $4
       and (claimed_until is null or claimed_until <= $4)
     returning attempts, first_attempt_at`,
    [deliveryId, claim, new Date(until), new Date(now)],
  )
  if (!row) return undefined
  const firstAttemptAt = new Date(row.first_attempt_at).getTime()
  return { deliveryId, claim, attempt: row.attempts, firstAttemptAt }
}

/** When a claim is given back: what was answered, and until when (epoch milliseconds) to wait. */
export interface Release {
  until: number
  answer: string
  /** Time until which the receiver asks to be left alone with everything; 0: not at all. */
  pauseUntil: number
}

/** Gives a claim back, and puts the next try off. */
export const releaseDelivery = (
  postgres: Postgres,
  { deliveryId, claim }: DeliveryClaim,
  receiver: string,
  { until, answer, pauseUntil }: Release,
): Promise<void> =>
  postgres.transaction(async (tx) => {
    await tx.query(
      `update alert_deliveries set claim = null, claimed_until = null, next_attempt_at = $3,
         answer = case when $4 <> '' then $4 else answer end
       where delivery_id = $1 and claim = $2 and state = 'waiting'`,
      [deliveryId, claim, new Date(until), answer],
    )
    if (pauseUntil > 0)
      await tx.query(
        `update alert_deliveries set next_attempt_at = greatest(next_attempt_at, $2) where receiver = $1 and state = 'waiting'`,
        [receiver, new Date(pauseUntil)],
      )
  })

/** What became of a message in the end. */
export interface Ending {
  state: 'delivered' | 'failed'
  answer: string
  remoteId?: string
  at: Date
}

/**
 * Ends a message, with its entry in the audit log.
 *
 * @returns false where another process has ended it, or has claimed it meanwhile
 */
export const endDelivery = (
  postgres: Postgres,
  { delivery_id: id, receiver, message }: Delivery,
  { claim, attempt }: Pick<DeliveryClaim, 'claim' | 'attempt'>,
  { state, answer, remoteId = '', at }: Ending,
): Promise<boolean> =>
  postgres.transaction(async (tx) => {
    const rows = await tx.query(
      `update alert_deliveries set state = $3, answer = $4, remote_id = $5, ended_at = $6, claim = null, claimed_until = null
       where delivery_id = $1 and claim = $2 and state = 'waiting' returning 1`,
      [id, claim, state, answer, remoteId, at],
    )
    if (rows.length === 0) return false
    const { event, model_id, kind, title, subject } = message
    await appendAudit(tx, {
      at,
      actor: 'alerts',
      action: `alert.${state}`,
      subject: id,
      detail: {
        receiver,
        event,
        kind,
        model_id,
        incident_id: subject,
        title,
        answer,
        attempts: attempt,
      },
    })
    return true
  })

/** What a receiver calls what it was last told of a subject; '' where it does not say. */
export async function readRemoteId(sql: Sql, receiver: string, subject: string): Promise<string> {
  const [row] = await sql.query<{ remote_id: string }>(
    `select remote_id from alert_deliveries where receiver = $1 and subject = $2 and remote_id <> ''
     order by sequence desc limit 1`,
    [receiver, subject],
  )
  return row?.remote_id ?? ''
}

/** Messages of a receiver that wait; `oldest` is when the first of them was made. */
export interface Waiting {
  receiver: string
  waiting: number
  oldest: Date
}

/** Counts the messages that wait, by receiver; one without any is left out. */
export const countWaiting = (sql: Sql): Promise<Waiting[]> =>
  sql.query<Waiting>(
    `select receiver, count(*)::int as waiting, min(created_at) as oldest from alert_deliveries
     where state = 'waiting' group by receiver`,
  )

/** Which deliveries are asked for. */
export interface DeliveriesQuestion {
  /** Undefined: of every model, and of none. */
  modelIds: readonly string[] | undefined
  receiver: string | undefined
  state: string | undefined
  deliveryId: string | undefined
  limit: number
}

/** A delivery as it is listed. */
export interface ListedDelivery {
  delivery_id: string
  receiver: string
  incident_id: string
  model_id: string
  event: Message['event']
  title: string
  state: 'waiting' | 'delivered' | 'failed'
  answer: string
  attempts: number
  created_at: string
  next_attempt_at: string | null
  ended_at: string | null
}

const iso = (at: Date | null) => at && new Date(at).toISOString()

/** Reads deliveries, the newest first. */
export async function listDeliveries(
  sql: Sql,
  { modelIds, receiver, state, deliveryId, limit }: DeliveriesQuestion,
): Promise<ListedDelivery[]> {
  const rows = await sql.query<
    Omit<ListedDelivery, 'created_at' | 'next_attempt_at' | 'ended_at'> & {
      created_at: Date
      next_attempt_at: Date
      ended_at: Date | null
    }
  >(
    `select delivery_id, receiver, subject as incident_id, model_id, event, message->>'title' as title, state, answer,
       attempts, created_at, next_attempt_at, ended_at
     from alert_deliveries
     where ($1::text[] is null or model_id = any($1::text[])) and ($2::text is null or receiver = $2)
       and ($3::text is null or state = $3) and ($4::text is null or delivery_id = $4)
     order by created_at desc, delivery_id limit $5`,
    [modelIds ?? null, receiver ?? null, state ?? null, deliveryId ?? null, limit],
  )
  return rows.map((row) => ({
    ...row,
    created_at: iso(row.created_at)!,
    next_attempt_at: row.state === 'waiting' ? iso(row.next_attempt_at) : null,
    ended_at: iso(row.ended_at),
  }))
}

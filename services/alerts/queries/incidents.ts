/** Incidents and what was told of them, in the control database. */
import { randomUUID } from 'node:crypto'
import type { Sql } from '../../../lib/postgres/port.ts'
import type { Incident } from '../decide/incidents.ts'
import type { DigestedIncident, Message } from '../decide/messages.ts'
import type { Told } from '../decide/plan.ts'

/** Names the advisory lock under which one process at a time decides what is told. */
const LOCK = 7305182

/** Lets no other transaction decide what is told until this one ends. */
export const lockAlerts = (tx: Sql) => tx.query('select pg_advisory_xact_lock($1)', [LOCK])

/** An incident that has not ended. */
export interface OpenIncident {
  incident: Incident
  /** Since when it was not there, epoch milliseconds; undefined while it is. */
  goneAt: number | undefined
}

/** Reads the incidents that have not ended. */
export async function readOpen(sql: Sql): Promise<OpenIncident[]> {
  const rows = await sql.query<{ content: Incident; gone_at: Date | null }>(
    'select content, gone_at from alert_incidents where resolved_at is null',
  )
  return rows.map(({ content, gone_at: at }) => ({
    incident: content,
    goneAt: at === null ? undefined : new Date(at).getTime(),
  }))
}

/** Records incidents as they are now; one that had ended begins anew. */
export const recordSeen = (sql: Sql, incidents: readonly Incident[], at: Date) =>
  sql.query(
    `insert into alert_incidents (incident_id, model_id, content, opened_at)
     select c->>'incident_id', c->>'model_id', c, $2 from jsonb_array_elements($1::jsonb) as c
     on conflict (incident_id) do update set content = excluded.content, gone_at = null, resolved_at = null,
       opened_at = case when alert_incidents.resolved_at is null then alert_incidents.opened_at else excluded.opened_at end`,
    [JSON.stringify(incidents), at],
  )

/** Records that incidents are not there, since when. */
export const recordGone = (sql: Sql, ids: readonly string[], at: Date) =>
  sql.query(
    'update alert_incidents set gone_at = $2 where incident_id = any($1::text[]) and gone_at is null',
    [ids, at],
  )

/** Records that incidents have ended. */
export const recordEnded = (sql: Sql, ids: readonly string[], at: Date) =>
  sql.query('update alert_incidents set resolved_at = $2 where incident_id = any($1::text[])', [
    ids,
    at,
  ])

/** Reads what each receiver was told last of each of these incidents. */
export async function readTold(
  sql: Sql,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Told[]>> {
  const rows = await sql.query<
    Omit<Told, 'at' | 'isTold'> & { subject: string; at: Date; is_told: boolean }
  >(
    `with own as (select * from alert_deliveries where subject = any($1::text[])),
       ended as (select subject, receiver, max(sequence) as sequence from own where event = 'resolve' group by 1, 2),
       known as (select o.subject, o.receiver from own o left join ended e using (subject, receiver)
         where o.event in ('open', 'update') and o.state <> 'failed' and o.sequence > coalesce(e.sequence, 0) group by 1, 2)
     select distinct on (o.subject, o.receiver) o.subject, o.receiver, o.event, o.state, o.hash,
       o.message->>'severity' as severity, o.created_at as at, k.subject is not null as is_told
     from own o left join known k using (subject, receiver) order by o.subject, o.receiver, o.sequence desc`,
    [ids],
  )
  const told = rows.map(({ subject, at, is_told: isTold, ...row }) => ({
    subject,
    one: { ...row, at: new Date(at).getTime(), isTold },
  }))
  return new Map(
    [...Map.groupBy(told, ({ subject }) => subject)].map(([subject, own]) => [
      subject,
      own.map(({ one }) => one),
    ]),
  )
}

/** A message to be sent to one receiver. */
export interface NewDelivery {
  receiver: string
  message: Message
  /** Hash of what the message is about. */
  hash: string
}

/**
 * Enqueues messages, each after those of its subject that its receiver was sent before.
 *
 * @returns their ids, in their order
 */
export async function enqueue(
  sql: Sql,
  deliveries: readonly NewDelivery[],
  at: Date,
): Promise<string[]> {
  const rows = deliveries.map((delivery) => ({ ...delivery, delivery_id: randomUUID() }))
  for (const { delivery_id, receiver, message, hash } of rows)
    await sql.query(
      `insert into alert_deliveries (delivery_id, receiver, subject, sequence, model_id, event, hash, message, state, created_at, next_attempt_at)
       select $1, $2, $3, coalesce(max(sequence), 0) + 1, $4, $5, $6, $7::jsonb, 'waiting', $8, $8
       from alert_deliveries where receiver = $2 and subject = $3`,
      [
        delivery_id,
        receiver,
        message.subject,
        message.model_id,
        message.event,
        hash,
        JSON.stringify(message),
        at,
      ],
    )
  return rows.map(({ delivery_id: id }) => id)
}

/** Whether anything of this subject was ever enqueued. */
export async function isEnqueued(sql: Sql, subject: string): Promise<boolean> {
  const rows = await sql.query('select 1 from alert_deliveries where subject = $1 limit 1', [
    subject,
  ])
  return rows.length > 0
}

const MAX_DIGESTED = 5000

/** Reads the incidents that were open at some time since `from`. */
export async function readSince(sql: Sql, from: Date): Promise<DigestedIncident[]> {
  const rows = await sql.query<{ content: Incident; opened_at: Date; resolved_at: Date | null }>(
    `select content, opened_at, resolved_at from alert_incidents
     where resolved_at is null or resolved_at >= $1 order by opened_at desc limit ${MAX_DIGESTED}`,
    [from],
  )
  return rows.map(({ content, opened_at, resolved_at }) => ({
    incident: content,
    opened_at: new Date(opened_at).toISOString(),
    resolved_at: resolved_at && new Date(resolved_at).toISOString(),
  }))
}

/** Removes what ended before `before`: incidents, and messages that were sent or given up. */
export async function forget(sql: Sql, before: Date): Promise<void> {
  await sql.query("delete from alert_deliveries where state <> 'waiting' and created_at < $1", [
    before,
  ])
  await sql.query('delete from alert_incidents where resolved_at < $1', [before])
}

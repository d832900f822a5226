/** An append-only log in which every entry carries the hash of the one before it. */
import { createHash } from 'node:crypto'
import { enqueueRow } from './outbox.ts'
import type { Sql } from './port.ts'

/** An entry as `GET /v1/audit` shows it; `at` is RFC 3339 in UTC, hashes are SHA-256 in hex. */
export interface AuditEntry {
  sequence: number
  at: string
  actor: string
  action: string
  subject: string
  detail: Record<string, unknown>
  previous_hash: string
  hash: string
}

/** What the first entry has for the hash of the one before it. */
export const GENESIS = '0'.repeat(64)
/** Names the advisory lock under which entries are numbered. */
const LOCK = 7305181

/** The SHA-256 of an entry, the hash of the entry before it included; 64 hex digits. */
export function hashOf(entry: Omit<AuditEntry, 'hash'>): string {
  const { sequence, at, actor, action, subject, detail, previous_hash } = entry
  return createHash('sha256')
    .update(
      JSON.stringify([sequence, at, actor, action, subject, sortedJson(detail), previous_hash]),
    )
    .digest('hex')
}

/** What was done, by whom and to what, before it has a place in the log. */
export interface AuditAct extends Pick<AuditEntry, 'actor' | 'action' | 'subject' | 'detail'> {
  at: Date
}

/** Lets no other transaction append until this one ends. */
export const lockAudit = (tx: Sql) => tx.query('select pg_advisory_xact_lock($1)', [LOCK])

/** Appends within the caller's transaction: what is done and that it was done are one. */
export async function appendAudit(tx: Sql, { at, ...act }: AuditAct): Promise<void> {
  await lockAudit(tx)
  const head = await headOf(tx)
  const entry = {
    ...act,
    sequence: head.entries + 1,
    at: at.toISOString(),
    previous_hash: head.hash,
  }
  const hash = hashOf(entry)
  await tx.query(
    'insert into audit_log (sequence, at, actor, action, subject, detail, previous_hash, hash) values ($1, $2, $3, $4, $5, $6::jsonb, $7, $8)',
    [
      entry.sequence,
      entry.at,
      entry.actor,
      entry.action,
      entry.subject,
      JSON.stringify(entry.detail),
      entry.previous_hash,
      hash,
    ],
  )
  await tx.query('update audit_head set entries = $1, hash = $2', [entry.sequence, hash])
  await enqueueRow(tx, 'audit_log', { ...entry, detail: sortedJson(entry.detail), hash })
}

type StoredEntry = Omit<AuditEntry, 'sequence' | 'at'> & {
  sequence: string | number
  at: string | Date
}

const toEntry = <Row extends StoredEntry>(row: Row) => ({
  ...row,
  sequence: Number(row.sequence),
  at: new Date(row.at).toISOString(),
})

/** Reads up to `limit` entries after a sequence number, oldest first. */
export async function readAudit(db: Sql, after: number, limit: number): Promise<AuditEntry[]> {
  const rows = await db.query<StoredEntry>(
    'select sequence, at, actor, action, subject, detail, previous_hash, hash from audit_log where sequence > $1 order by sequence limit $2',
    [after, limit],
  )
  return rows.map(toEntry)
}

/** Which entries are looked for; what is undefined does not narrow. */
export interface AuditSearch {
  after: number
  before: number | undefined
  /** The first part of an action, such as `run`, or all of it. */
  action: string | undefined
  /** A name; of `ann` those who only claimed to be her are found too. */
  actor: string | undefined
  modelId: string | undefined
  /** Inclusive. */
  from: Date | undefined
  /** Exclusive. */
  to: Date | undefined
  isNewestFirst: boolean
  limit: number
}

/** An entry, and the hash of the one before it as that one has it; null where none is there. */
export type LinkedEntry = AuditEntry & { hash_before: string | null }

/** Reads the entries that a search finds, in its order. */
export async function searchAudit(db: Sql, search: AuditSearch): Promise<LinkedEntry[]> {
  const { after, before, action, actor, modelId, from, to, isNewestFirst, limit } = search
  const rows = await db.query<StoredEntry & { hash_before: string | null }>(
    `select e.sequence, e.at, e.actor, e.action, e.subject, e.detail, e.previous_hash, e.hash, p.hash as hash_before
     from audit_log e left join audit_log p on p.sequence = e.sequence - 1
     where e.sequence > $1 and ($2::bigint is null or e.sequence < $2)
       and ($3::text is null or e.action = $3 or starts_with(e.action, $3 || '.'))
       and ($4::text is null or e.actor in ($4, 'claimed:' || $4))
       and ($5::text is null or e.detail->>'model_id' = $5)
       and ($6::timestamptz is null or e.at >= $6) and ($7::timestamptz is null or e.at < $7)
     order by e.sequence ${isNewestFirst ? 'desc' : 'asc'} limit $8`,
    [after, before, action, actor, modelId, from, to, limit].map((value) => value ?? null),
  )
  return rows.map(toEntry)
}

/**
 * The least sequence number among entries that do not follow from the one before them, which need
 * not be among them; undefined where all follow. Pure.
 */
export function firstUnlinked(entries: readonly LinkedEntry[]): number | undefined {
  const wrong = entries.filter(
    (entry) =>
      entry.previous_hash !== (entry.sequence === 1 ? GENESIS : entry.hash_before) ||
      hashOf(entry) !== entry.hash,
  )
  return wrong.map(({ sequence }) => sequence).toSorted((a, b) => a - b)[0]
}

/** How many entries a log has, and the hash of the last. */
export interface AuditHead {
  entries: number
  hash: string
}

/** Reads how many entries the log counts, and the hash of the last. */
export async function headOf(db: Sql): Promise<AuditHead> {
  const [row] = await db.query<{ entries: string | number; hash: string }>(
    'select entries, hash from audit_head',
  )
  return { entries: Number(row?.entries ?? 0), hash: row?.hash ?? GENESIS }
}

/** What is known of the whole log, besides the page of it that was read. */
export interface AuditEvidence {
  head: AuditHead
  /** Entries that are there, and the hash of the last. */
  stored: AuditHead
  /** The greatest sequence in ClickHouse's copy; undefined when it cannot be asked. */
  mirrored: number | undefined
}

/** Reads, in one statement, the head and what it should agree with. */
export async function readEvidence(db: Sql, mirrored: number | undefined): Promise<AuditEvidence> {
  const [row] = await db.query<
    Record<'entries' | 'n', string | number> & Record<'hash' | 'last', string>
  >(
    `select h.entries, h.hash, (select count(*) from audit_log) as n,
       coalesce((select hash from audit_log order by sequence desc limit 1), $1) as last from audit_head h`,
    [GENESIS],
  )
  return {
    head: { entries: Number(row?.entries ?? 0), hash: row?.hash ?? GENESIS },
    stored: { entries: Number(row?.n ?? 0), hash: row?.last ?? GENESIS },
    mirrored,
  }
}

/**
 * Why the log is not whole, as far as some of its entries and its head can tell; undefined when
 * nothing is missed. Pure.
 *
 * @param broken the first of these entries that does not follow from the one before it
 */
export function incompleteness(
  broken: number | undefined,
  { head, stored, mirrored }: AuditEvidence,
): string | undefined {
  if (broken !== undefined) return `entry ${broken} does not follow from the one before it`
  if (stored.entries !== head.entries)
    return `the log has ${stored.entries} entries, and its head counts ${head.entries}`
  if (stored.hash !== head.hash) return 'the last entry is not the one its head names'
  if (mirrored !== undefined && mirrored > head.entries)
    return `ClickHouse has a copy of entry ${mirrored}, and the log ends at ${head.entries}`
  return undefined
}

/**
 * The sequence number of the first entry that does not follow from the one before it; undefined for
 * a whole chain.
 */
export function firstBreak(entries: readonly AuditEntry[]): number | undefined {
  let previous = entries[0]?.sequence === 1 ? GENESIS : entries[0]?.previous_hash
  for (const entry of entries) {
    if (entry.previous_hash !== previous || hashOf(entry) !== entry.hash) return entry.sequence
    previous = entry.hash
  }
  return undefined
}

/** JSON with sorted keys: PostgreSQL's jsonb keeps no order. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) =>
    v !== null && typeof v === 'object' && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  )
}

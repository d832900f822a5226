/** An append-only log in which every entry carries the hash of the one before it. */
import { createHash } from 'node:crypto'
import { leaveRow } from '../../lib/outbox.ts'
import type { Sql } from '../../lib/postgres.ts'

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

const GENESIS = '0'.repeat(64)
/** Names the advisory lock under which entries are numbered. */
const LOCK = 7305181

export function hashOf(entry: Omit<AuditEntry, 'hash'>): string {
  const { sequence, at, actor, action, subject, detail, previous_hash } = entry
  return createHash('sha256')
    .update(
      JSON.stringify([sequence, at, actor, action, subject, sortedJson(detail), previous_hash]),
    )
    .digest('hex')
}

/** Appends within the caller's transaction: what is done and that it was done are one. */
export async function audit(
  tx: Sql,
  at: Date,
  actor: string,
  action: string,
  subject: string,
  detail: Record<string, unknown>,
): Promise<void> {
  await tx.query('select pg_advisory_xact_lock($1)', [LOCK])
  const [last] = await tx.query<{ sequence: string; hash: string }>(
    'select sequence, hash from audit_log order by sequence desc limit 1',
  )
  const entry = {
    sequence: Number(last?.sequence ?? 0) + 1,
    at: at.toISOString(),
    actor,
    action,
    subject,
    detail,
    previous_hash: last?.hash ?? GENESIS,
  }
  const hash = hashOf(entry)
  await tx.query(
    'insert into audit_log (sequence, at, actor, action, subject, detail, previous_hash, hash) values ($1, $2, $3, $4, $5, $6::jsonb, $7, $8)',
    [
      entry.sequence,
      entry.at,
      actor,
      action,
      subject,
      JSON.stringify(detail),
      entry.previous_hash,
      hash,
    ],
  )
  await leaveRow(tx, 'audit_log', { ...entry, detail: sortedJson(detail), hash })
}

export async function readAudit(db: Sql, after: number, limit: number): Promise<AuditEntry[]> {
  const rows = await db.query<
    Omit<AuditEntry, 'sequence' | 'at'> & { sequence: string | number; at: string | Date }
  >(
    'select sequence, at, actor, action, subject, detail, previous_hash, hash from audit_log where sequence > $1 order by sequence limit $2',
    [after, limit],
  )
  return rows.map((row) => ({
    ...row,
    sequence: Number(row.sequence),
    at: new Date(row.at).toISOString(),
  }))
}

/** The sequence number of the first entry that does not follow from the one before it; undefined for a whole chain. */
export function firstBreak(entries: readonly AuditEntry[]): number | undefined {
  let previous = entries[0]?.sequence === 1 ? GENESIS : entries[0]?.previous_hash
  for (const entry of entries) {
    if (entry.previous_hash !== previous || hashOf(entry) !== entry.hash) return entry.sequence
    previous = entry.hash
  }
  return undefined
}

/** JSON with sorted keys: PostgreSQL's jsonb keeps no order. */
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) =>
    v !== null && typeof v === 'object' && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  )
}

/**
 * Changes that are made outside of this service, as in files, and noticed by comparing what is there
 * with what was there last: each becomes an entry of the audit log.
 */
import { appendAudit, lockAudit } from './audit-log.ts'
import type { Sql } from './port.ts'

/** What is in force of one thing: a change of `state`, a text such as a hash, is a change of it. */
export interface SeenState {
  state: string
  /** What its entry says. */
  detail: Record<string, unknown>
}

/** Everything of a kind that is in force, by name. */
export type SeenStates = ReadonlyMap<string, SeenState>

interface SeenRow {
  subject: string
  state: string
}

const readSeen = async (tx: Sql, kind: string) =>
  new Map(
    (await tx.query<SeenRow>('select subject, state from audit_seen where kind = $1', [kind])).map(
      ({ subject, state }) => [subject, state],
    ),
  )

/**
 * Writes an entry for whatever was added, changed or removed since this was last asked, as
 * `<kind>.added` and so on, by `actor`; the first time everything is new.
 *
 * @param read what is in force, read while nobody else appends
 * @returns how many entries were written
 */
export async function noticeChanges(
  tx: Sql,
  { kind, actor, at }: { kind: string; actor: string; at: Date },
  read: () => SeenStates,
): Promise<number> {
  await lockAudit(tx)
  const before = await readSeen(tx, kind)
  const now = read()
  const gone = [...before.keys()].filter((subject) => !now.has(subject)).toSorted()
  const others = [...now].filter(([subject, { state }]) => before.get(subject) !== state)
  for (const [subject, { detail }] of others) {
    const action = `${kind}.${before.has(subject) ? 'changed' : 'added'}`
    await appendAudit(tx, { at, actor, action, subject, detail })
  }
  for (const subject of gone)
    await appendAudit(tx, { at, actor, action: `${kind}.removed`, subject, detail: {} })
  if (others.length + gone.length > 0) await rememberStates(tx, kind, now)
  return others.length + gone.length
}

/** Takes what is in force as seen, where another entry tells of it. */
export async function rememberStates(tx: Sql, kind: string, now: SeenStates): Promise<void> {
  await tx.query('delete from audit_seen where kind = $1', [kind])
  await tx.query(
    `insert into audit_seen (kind, subject, state) select $1, * from unnest($2::text[], $3::text[])`,
    [kind, [...now.keys()], [...now.values()].map(({ state }) => state)],
  )
}

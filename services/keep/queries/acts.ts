/** Acts that are rows of ClickHouse, for the audit log: what people said of verdicts, references. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { AuditAct } from '../../../lib/postgres/audit-log.ts'
import type { Postgres, Sql } from '../../../lib/postgres/port.ts'

/** An act that has no place in the log yet. */
export interface StoredAct extends AuditAct {
  /** Says which act it is, however often it is read. */
  id: string
}

/** A place in the order of acts of one kind; the first page begins before every id. */
export interface ActPlace {
  /** Epoch milliseconds. */
  at: number
  id: string
}

/** How acts of one kind are read. */
export interface ActKind {
  kind: string
  /** Reads up to `limit` acts after a place, in the order of time and id. */
  read: (db: ClickHouse, after: ActPlace, limit: number) => Promise<StoredAct[]>
}

interface FeedbackRow {
  id: string
  at_ms: string
  actor: string
  model_id: string
  decision: string
  comment: string
  until: string
  episodes: string[]
  verdicts: string[]
  n: string
}

/** Verdicts that one entry names; of more it tells how many. */
const MAX_NAMED = 20
const MAX_WORDS = 2000

/** What was said once, of one verdict or of a whole episode, is one act. */
async function readFeedback(db: ClickHouse, after: ActPlace, limit: number): Promise<StoredAct[]> {
  const rows = await db.query<FeedbackRow>(
    `SELECT min(decision_id) AS id, toUnixTimestamp64Milli(decided_at) AS at_ms, actor, model_id, decision, any(comment) AS comment,
       formatDateTime(any(d.until), '%FT%TZ') AS until, arraySort(groupUniqArray(${MAX_NAMED})(episode_id)) AS episodes,
       arraySlice(arraySort(groupUniqArray(verdict_id)), 1, ${MAX_NAMED}) AS verdicts, count() AS n
     FROM verdict_decisions AS d WHERE toUnixTimestamp64Milli(decided_at) >= {at:Int64}
     GROUP BY decided_at, actor, model_id, decision HAVING (at_ms, id) > ({at:Int64}, {id:String})
     ORDER BY at_ms, id LIMIT {limit:UInt32}`,
    { ...after, limit },
  )
  return rows.map((row) => ({
    id: `verdict ${row.id}`,
    at: new Date(Number(row.at_ms)),
    actor: row.actor,
    action: `verdict.${row.decision}`,
    subject: row.episodes.find((id) => id !== '') ?? row.verdicts[0] ?? row.model_id,
    detail: {
      model_id: row.model_id,
      comment: row.comment.slice(0, MAX_WORDS),
      verdicts: row.verdicts,
      verdicts_in_all: Number(row.n),
      ...(row.decision === 'snooze' && { until: row.until }),
    },
  }))
}

interface ReferenceRow {
  id: string
  at_ms: string
  actor: string
  model_id: string
  name: string
  kind: string
  from: string
  to: string
  model_version: string
  revision: number
  content: string
}

async function readReferences(
  db: ClickHouse,
  after: ActPlace,
  limit: number,
): Promise<StoredAct[]> {
  const rows = await db.query<ReferenceRow>(
    `SELECT concat(model_id, '/', name, '/', toString(revision)) AS id, toUnixTimestamp64Milli(frozen_at) AS at_ms, actor, model_id, name, kind,
       formatDateTime(window_start, '%FT%TZ') AS from, formatDateTime(window_end, '%FT%TZ') AS to, model_version, revision, content
     FROM \`references\` WHERE (at_ms, id) > ({at:Int64}, {id:String}) ORDER BY at_ms, id LIMIT {limit:UInt32}`,
    { ...after, limit },
  )
  return rows.map(({ at_ms, actor, id, model_id, name, ...detail }) => ({
    id: `reference ${id}`,
    at: new Date(Number(at_ms)),
    actor: actor === '' ? 'drift' : actor,
    action: 'reference.put',
    subject: `${model_id}/${name}`,
    detail: { model_id, ...detail },
  }))
}

/** Every kind of act that ClickHouse alone holds. */
export const ACT_KINDS: readonly ActKind[] = [
  { kind: 'verdict', read: readFeedback },
  { kind: 'reference', read: readReferences },
]

/** When the newest act of a kind that has its entry was done, epoch milliseconds; 0 before any. */
export async function newestAct(db: Sql, kind: string): Promise<number> {
  const [row] = await db.query<{ at: Date | null }>(
    'select max(at) as at from audit_acts where kind = $1',
    [kind],
  )
  return row?.at ? new Date(row.at).getTime() : 0
}

/** Notes that an act has its entry; false where it has one already. */
export async function noteAct(tx: Sql, kind: string, { id, at }: StoredAct): Promise<boolean> {
  const rows = await tx.query(
    'insert into audit_acts (id, kind, at) values ($1, $2, $3) on conflict do nothing returning id',
    [id, kind, at],
  )
  return rows.length > 0
}

/** Which of these acts have their entry. */
export async function notedActs(db: Sql, acts: readonly StoredAct[]): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ id: string }>('select id from audit_acts where id = any($1)', [
    acts.map(({ id }) => id),
  ])
  return new Set(rows.map(({ id }) => id))
}

/** Forgets acts of a kind that were done before a time, which are looked for no more. */
export const forgetActs = (db: Postgres, kind: string, before: Date) =>
  db.query('delete from audit_acts where kind = $1 and at < $2', [kind, before])

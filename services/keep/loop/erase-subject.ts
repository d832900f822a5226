/**
 * Erases a subject from every store. An erasure that a killed process has left is finished by the
 * next one: whom it is about rests in tables of its own until nothing is left.
 */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Privacy } from '../../../lib/events/privacy/redactor.ts'
import { eraseSetAside } from '../../../lib/event-log/journal.ts'
import { appendAudit } from '../../../lib/postgres/audit-log.ts'
import type { Postgres } from '../../../lib/postgres/port.ts'
import { sleep } from '../../../lib/runtime/clock.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import { MIN_FOUND_ANYWHERE, SUBJECT_TABLES } from '../data/subject-tables.ts'
import { compact, eraseManifests, eraseTasks } from '../queries/control-store.ts'
import {
  beginErasure,
  countRows,
  endErasure,
  engineTime,
  eraseFrom,
  erasedIds,
  erasedPredictions,
  isErasing,
  purge,
  unfinished,
} from '../queries/erasure.ts'
import { alone } from './alone.ts'

/** What erasing needs. */
export interface ErasureParts {
  db: ClickHouse
  postgres: Postgres
  privacy: Privacy
  /** Ranges that were set aside lie there; undefined where the log is Kafka. */
  journalFolder: string
  now: () => number
}

/** What an erasure has done so far. */
export interface Erased {
  /** `done`, or `running` where rewriting goes on behind the answer. */
  state: 'done' | 'running'
  /** Rows by table, tasks and files. */
  rows: Record<string, number>
}

const WORK = { name: 'erasure', forMs: 120_000 }
/** An answer waits so long, in all, for rewriting to end. */
const PATIENCE_MS = 20_000
const POLL_MS = 100

/** The ids under which events may have a subject: as given, and as the rules of models hash it. */
export function idsOf(privacy: Privacy, subjectId: string): string[] {
  const hashed = privacy.ofAll()?.id('subject_id', subjectId) ?? subjectId
  return [...new Set([subjectId, hashed])]
}

/**
 * Erases a subject, and writes who asked for it into the audit log, under an id of the request's
 * own.
 *
 * @throws {Problem} 409 `erasure_running` while another erasure is under way
 */
export async function eraseSubject(
  parts: ErasureParts,
  { subjectId, actor, requestId }: { subjectId: string; actor: string; requestId: string },
): Promise<Erased> {
  const ids = idsOf(parts.privacy, subjectId)
  const erased = await alone(parts, WORK, async () => {
    if (await isErasing(parts.db)) await finish(parts, Infinity)
    await beginErasure(parts.db, ids)
    return finish(parts, PATIENCE_MS, (text) =>
      ids.some((id) => text.includes(id.length >= MIN_FOUND_ANYWHERE ? id : JSON.stringify(id))),
    )
  })
  if (erased === undefined)
    throw new Problem(409, 'erasure_running', 'another erasure is under way: ask again')
  await parts.postgres.transaction((tx) =>
    appendAudit(tx, {
      at: new Date(parts.now()),
      actor,
      action: 'subject.erased',
      subject: requestId,
      detail: { state: erased.state, rows: erased.rows },
    }),
  )
  return erased
}

/** Finishes what was begun before; nothing where nothing was. */
export async function finishErasure(parts: ErasureParts): Promise<void> {
  if (!(await isErasing(parts.db))) return
  await alone(parts, WORK, () => finish(parts, Infinity))
}

async function finish(
  { db, postgres, journalFolder, now }: ErasureParts,
  patienceMs: number,
  isAbout: (text: string) => boolean = () => false,
): Promise<Erased> {
  const rows = await countRows(db)
  const tasks = await eraseAllTasks(db, postgres)
  if (tasks > 0) rows['control_store'] = tasks
  const manifests = await eraseManifests(postgres, await erasedIds(db), now())
  if (manifests > 0) rows['datasets'] = manifests
  await compact(postgres)
  const files = eraseSetAside(journalFolder, isAbout)
  if (files > 0) rows['journal_files'] = files
  const tables = SUBJECT_TABLES.filter(({ table }) => rows[table] !== undefined)
  // Later ones look up what earlier ones are told of: each waits for the one before it.
  const patience = { leftMs: patienceMs }
  for (const table of tables) {
    await eraseFrom(db, table)
    if (!(await isRewritten(db, patience))) return { state: 'running', rows }
  }
  if (!(await isPurged(db, patience))) return { state: 'running', rows }
  await endErasure(db)
  return { state: 'done', rows }
}

async function eraseAllTasks(db: ClickHouse, postgres: Postgres): Promise<number> {
  let tasks = 0
  let after = { model_id: '', prediction_id: '' }
  for (;;) {
    const page = await erasedPredictions(db, after)
    if (page.length === 0) return tasks
    tasks += await eraseTasks(postgres, page)
    after = page.at(-1)!
  }
}

/** How long is waited yet, for all that is waited for together. */
interface Patience {
  leftMs: number
}

/** Waits a little; false where there is no patience left. */
async function waits(patience: Patience): Promise<boolean> {
  if (patience.leftMs <= 0) return false
  patience.leftMs -= POLL_MS
  await sleep(POLL_MS)
  return true
}

async function isPurged(db: ClickHouse, patience: Patience): Promise<boolean> {
  const until = await engineTime(db)
  const tables = SUBJECT_TABLES.map(({ table }) => table)
  do if ((await purge(db, tables, until)) === 0) return true
  while (await waits(patience))
  return false
}

/** @throws Error with ClickHouse's reason where the rewriting fails */
async function isRewritten(db: ClickHouse, patience: Patience): Promise<boolean> {
  do {
    const { left, reason } = await unfinished(db)
    if (left === 0) return true
    if (reason !== '') throw new Error(`rows could not be erased: ${reason}`)
  } while (await waits(patience))
  return false
}

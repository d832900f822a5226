/**
 * Work that one process at a time does, what an erasure reaches, and what the audit log takes from
 * elsewhere.
 */
import { readFileSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { type EmbeddedPostgres } from '../../../lib/postgres/port.ts'
import { SUBJECT_TABLES } from '../../../services/keep/data/subject-tables.ts'
import {
  appendAudit,
  readAudit,
  readEvidence,
  type AuditEntry,
} from '../../../lib/postgres/audit-log.ts'
import {
  anchorOf,
  beginVerification,
  endVerification,
  verifyPage,
} from '../../../lib/postgres/audit-verify.ts'
import { anchorAudit } from '../../../services/keep/loop/anchor-audit.ts'
import { enterFileChanges, enterStoredActs } from '../../../services/keep/loop/enter-acts.ts'
import { alone } from '../../../services/keep/loop/alone.ts'
import { lastDone } from '../../../services/keep/queries/control-store.ts'
import {
  beginErasure,
  countRows,
  eraseFrom,
  unfinished,
} from '../../../services/keep/queries/erasure.ts'
import { migratedClickHouse, migratedPostgres, temporaryDirectory } from '../../harness.ts'
import { until } from '../../servers/processes.ts'

const directory = temporaryDirectory()
let postgres: EmbeddedPostgres
let db: ClickHouse
beforeAll(async () => {
  postgres = await migratedPostgres(directory)
  ;({ db } = await migratedClickHouse())
})

const claimedUntil = async (name: string) =>
  (
    await postgres.query<{ until: Date }>('select until from keep_work where name = $1', [name])
  )[0]!.until.getTime()

test('work that takes longer than its claim is done by nobody else meanwhile', async () => {
  const parts = { postgres, now: Date.now }
  const work = { name: 'long', forMs: 4000 }
  const result = await alone(parts, work, async () => {
    const first = await claimedUntil('long')
    await until('the claim is renewed', async () => (await claimedUntil('long')) > first)
    expect(await alone(parts, work, async () => 'beside')).toBeUndefined()
    expect(await lastDone(postgres, 'long')).toBeUndefined()
    return 'done'
  })
  expect(result).toBe('done')
  expect(await lastDone(postgres, 'long')).toBeInstanceOf(Date)
  expect(await alone(parts, work, async () => 'after')).toBe('after')
})

test('work that fails is free at once, and was not done', async () => {
  const parts = { postgres, now: Date.now }
  const work = { name: 'failing', forMs: 3_600_000 }
  const failing = alone(parts, work, async () => {
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  expect(await lastDone(postgres, 'failing')).toBeUndefined()
  expect(await alone(parts, work, async () => 'again')).toBe('again')
})

test('every table that holds something of a subject is erased from', async () => {
  const rows = await db.query<{ table: string }>(
    `SELECT DISTINCT table FROM system.columns AS c INNER JOIN system.tables AS t ON t.database = c.database AND t.name = c.table
     WHERE c.database = currentDatabase() AND t.engine LIKE '%MergeTree' AND NOT startsWith(table, 'erasing_')
       AND c.name IN ('subject_id', 'prediction_id', 'label_id', 'features', 'attributes', 'category', 'body', 'value')
       AND NOT (c.name = 'value' AND c.type NOT LIKE '%String%')
     ORDER BY table`,
  )
  const reached = new Set(SUBJECT_TABLES.map(({ table }) => table))
  expect(rows.map(({ table }) => table).filter((table) => !reached.has(table))).toEqual([])
})

test('rows of a table that is a reference go where they hold the subject', async () => {
  const rows = [
    { row: 0, features: { who: 'subject-1' }, attributes: {} },
    { row: 1, features: { who: 'another' }, attributes: { owner: 'subject-1' } },
    { row: 2, features: { who: 'another' }, attributes: {} },
  ]
  await db.insertRows(
    'reference_rows',
    rows.map((one) => ({ model_id: 'm', predicted_at: '2026-01-01T00:00:00.000Z', ...one })),
  )
  await beginErasure(db, ['subject-1'])
  expect(await countRows(db)).toEqual({ reference_rows: 2 })
  await eraseFrom(
    db,
    SUBJECT_TABLES.find(({ table }) => table === 'reference_rows')!,
  )
  await until('the rows are rewritten', async () => (await unfinished(db)).left === 0)
  expect(await db.query('SELECT row FROM reference_rows')).toEqual([{ row: '2' }])
})

const parts = () => ({ db, postgres, now: Date.now })
const entries = async (after = 0) => readAudit(postgres, after, 1000)
const NO_FILES = {
  modelFiles: () => ({ files: [] }),
  sources: { inForce: () => ({ sources: [] }) },
  keyFile: undefined,
}

test('what people say of verdicts, and references, are in the audit log once, however often it is asked', async () => {
  const at = (minute: number) => new Date(Date.UTC(2026, 0, 5, 0, minute)).toISOString()
  const said = (id: string, minute: number, verdict: string, decision = 'dismiss') => ({
    ...{ decision_id: id, verdict_id: verdict, model_id: 'm', episode_id: 'm/e', decision },
    ...{ window_start: at(0), window_end: at(1), until: at(9), decided_at: at(minute) },
    ...{ actor: 'ann', comment: 'a holiday' },
  })
  // One answer for two verdicts of an episode is one act.
  await db.insertRows('verdict_decisions', [said('a', 2, 'v1'), said('b', 2, 'v2')], 'said')
  const put = { model_id: 'm', name: 'r', kind: 'fixed', window_start: at(0), window_end: at(1) }
  await db.insertRows(
    '`references`',
    [{ ...put, revision: 1, frozen_at: at(3), actor: 'bob' }],
    'put',
  )
  const before = (await entries()).length
  expect(await enterStoredActs(parts())).toBe(2)
  expect(await enterStoredActs(parts())).toBe(0)
  // A row that is written late, with a time before the newest one that is known.
  await db.insertRows('verdict_decisions', [said('c', 1, 'v3', 'snooze')], 'late')
  expect(await enterStoredActs(parts())).toBe(1)
  const told = (await entries(before)).map(({ actor, action, subject }) => [actor, action, subject])
  expect(told).toEqual([
    ['ann', 'verdict.dismiss', 'm/e'],
    ['bob', 'reference.put', 'm/r'],
    ['ann', 'verdict.snooze', 'm/e'],
  ])
  const [dismissed] = await entries(before)
  expect(dismissed!.detail).toEqual({
    ...{ model_id: 'm', comment: 'a holiday', verdicts: ['v1', 'v2'], verdicts_in_all: 2 },
  })
})

test('files that were changed while nobody looked are in the audit log, each change once', async () => {
  const files = (shas: Record<string, string>) => ({
    ...NO_FILES,
    modelFiles: () => ({
      files: Object.entries(shas).map(([modelId, sha256]) => ({
        ...{ file: `${modelId}.yaml`, modelId, sha256, loadedAt: 0 },
      })),
    }),
  })
  const before = (await entries()).length
  const enter = (shas: Record<string, string>) => enterFileChanges(parts(), files(shas))
  expect(await enter({ a: '1', b: '1' })).toBe(2)
  expect(await enter({ a: '1', b: '1' })).toBe(0)
  expect(await enter({ a: '2', c: '1' })).toBe(3)
  expect((await entries(before)).map(({ action, subject }) => `${action} ${subject}`)).toEqual([
    ...['model_file.added a', 'model_file.added b'],
    ...['model_file.changed a', 'model_file.added c', 'model_file.removed b'],
  ])
})

test('a day has one anchor, and a log that was changed in any way does not hold against it', async () => {
  const appended: string[] = []
  const eventLog = {
    kind: 'memory' as const,
    append: async (_: string, messages: readonly { value: string | Buffer }[]) => {
      for (const { value } of messages) appended.push(String(value))
    },
  }
  const anchoring = { ...parts(), eventLog, dataDir: directory, log: { info: () => {} } }
  await anchorAudit(anchoring)
  expect(await anchorAudit(anchoring)).toBeUndefined()
  await anchorAudit({ ...anchoring, now: () => Date.now() + 24 * 3_600_000 })
  expect(appended.length).toBe(2)
  expect(readFileSync(`${directory}/audit-anchors.ndjson`, 'utf8')).toBe(
    appended.map((line) => `${line}\n`).join(''),
  )
  const anchors = appended.map((line) => anchorOf(line)!)
  const faultIn = async () => {
    const { head } = await readEvidence(postgres, undefined)
    return endVerification(verifyPage(beginVerification(anchors), await entries()), head).fault
  }
  expect(await faultIn()).toBeUndefined()
  const whole = await entries()
  const restored = async () => {
    await postgres.exec('delete from audit_log')
    for (const entry of whole) await putEntry(entry)
    await putHead(whole)
  }
  const putHead = (log: readonly AuditEntry[]) =>
    postgres.query('update audit_head set entries = $1, hash = $2', [log.length, log.at(-1)!.hash])
  const last = whole.length
  await postgres.query(`update audit_log set actor = 'eve' where sequence = 2`)
  expect(await faultIn()).toMatch(/^entry 2 is not what its hash/)
  await restored()
  await postgres.query('delete from audit_log where sequence = 3')
  expect(await faultIn()).toMatch(/^entry 3 is missing/)
  await restored()
  // The end is cut off, and the head says so too.
  await postgres.query('delete from audit_log where sequence > $1', [last - 2])
  await putHead(whole.slice(0, -2))
  expect(await faultIn()).toMatch(
    new RegExp(`^entry ${last - 1} is missing: .* had ${last} entries`),
  )
  await restored()
  await postgres.exec(`update audit_log set sequence = -1 where sequence = 2;
    update audit_log set sequence = 2 where sequence = 3; update audit_log set sequence = 3 where sequence = -1`)
  expect(await faultIn()).toMatch(/^entry 2 does not follow/)
  // Everything is replaced by a chain that follows.
  await postgres.exec(
    `delete from audit_log; delete from audit_head; insert into audit_head (entries, hash) values (0, repeat('0', 64))`,
  )
  for (const { at, ...entry } of whole)
    await postgres.transaction((tx) =>
      appendAudit(tx, { ...entry, at: new Date(at), actor: 'nobody' }),
    )
  expect(await faultIn()).toMatch(new RegExp(`^entry ${last} is not the one that was anchored`))
  await restored()
  expect(await faultIn()).toBeUndefined()
})

const putEntry = ({ detail, ...entry }: AuditEntry) =>
  postgres.query(
    'insert into audit_log (sequence, at, actor, action, subject, detail, previous_hash, hash) values ($1, $2, $3, $4, $5, $6::jsonb, $7, $8)',
    [
      ...[entry.sequence, entry.at, entry.actor, entry.action, entry.subject],
      ...[JSON.stringify(detail), entry.previous_hash, entry.hash],
    ],
  )

/**
 * A backup is made of a stopped process and put back after the data folder is lost: counts and
 * verdicts are what they were, and what came after it is sent again.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { embeddedEngine } from '../../lib/clickhouse/embedded.ts'
import { clickhouseMigrations } from '../../lib/clickhouse/migrations.ts'
import { readMigrations } from '../../lib/runtime/migrate.ts'
import { serverEngine } from '../../lib/clickhouse/port.ts'
import { embeddedPostgres } from '../../lib/postgres/port.ts'
import { temporaryDirectory } from '../harness.ts'
import {
  ask,
  post,
  prediction,
  ROOT,
  startTarget,
  until,
  type Running,
} from '../servers/processes.ts'

const directory = temporaryDirectory()
const data = join(directory, 'data')
const models = join(directory, 'models')
const copy = join(directory, 'copy')
mkdirSync(models)
writeFileSync(
  join(models, 'fraud.yaml'),
  'model_id: fraud\ntask: binary\nwindows: { size: 1h, lateness: 0s, idle: 1s, min_count: 20 }\n',
)
const services: Running[] = []
afterAll(async () => {
  for (const service of services) await service.stop('SIGKILL')
})

async function start(): Promise<Running> {
  const service = await startTarget('all', {
    PLUMBLINE_DATA_DIR: data,
    PLUMBLINE_MODELS_DIR: models,
    PLUMBLINE_DRIFT_SCAN_SECONDS: '1',
  })
  services.push(service)
  return service
}
const run = (script: string, ...args: string[]) =>
  spawnSync(process.execPath, [`scripts/${script}.ts`, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], PLUMBLINE_DATA_DIR: data },
  })

/** Ten windows of 30 events; those of the second half are shifted. */
const events = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, k) => {
    const i = from + k
    const amount = (i * 7919) % 97
    return prediction(i, {
      predicted_at: new Date(Date.UTC(2026, 0, 1) + i * 120_000).toISOString(),
      features: { amount: i < 270 ? amount : amount + 500 },
    })
  })
const state = async (service: Running) => ({
  rows: await ask(
    service.clickhouseUrl,
    'SELECT count() AS n, uniqExact(prediction_id) AS ids FROM predictions',
  ),
  counts: await ask(service.clickhouseUrl, 'SELECT sum(count) AS n FROM numeric_counts'),
  verdicts: await ask(
    service.clickhouseUrl,
    `SELECT window_start, metric, subject, verdict, value FROM window_metrics_latest WHERE family = 'drift' AND convention = 'plumbline' ORDER BY ALL`,
  ),
})
const evaluated = (service: Running, windows: number) =>
  until(`${windows} windows`, async () => {
    const [row] = await ask<{ n: string }>(
      service.clickhouseUrl,
      'SELECT uniqExact(window_start) AS n FROM window_revisions',
    )
    return Number(row!.n) >= windows
  })

test('a lost data folder comes back with its counts and verdicts, and goes on', async () => {
  const first = await start()
  await post(`${first.url}/v1/predictions`, events(0, 300))
  await evaluated(first, 9)
  const running = run('backup', '--to', copy)
  expect(running.status).toBe(1)
  expect(running.stderr).toMatch(/held by process|one process at a time/)
  expect(await first.stop('SIGTERM')).toBe(0)

  const made = run('backup', '--to', copy)
  expect(made.stderr).toBe('')
  expect(made.stdout).toContain('300 predictions')
  expect(run('backup', '--to', copy).stderr).toContain('is there already')

  // What comes after the backup is lost with the folder, and is sent again.
  const second = await start()
  await post(`${second.url}/v1/predictions`, events(300, 360))
  await evaluated(second, 11)
  const after = await state(second)
  await second.stop('SIGKILL')
  rmSync(data, { recursive: true })

  expect(run('restore', '--from', copy).stdout).toContain('restored what was stored at')
  expect(run('restore', '--from', copy).stderr).toContain('is not empty')
  const third = await start()
  expect((await state(third)).rows).toEqual([{ n: '300', ids: '300' }])
  // Ids are remembered too: those of before count once.
  await post(`${third.url}/v1/predictions`, events(250, 360))
  await evaluated(third, 11)
  const restored = await state(third)
  expect(restored).toMatchObject({ rows: after.rows, counts: after.counts })
  expect(restored.verdicts).toEqual(expect.arrayContaining(after.verdicts))
  expect(after.verdicts.some(({ verdict }) => verdict === 'alarm')).toBe(true)
  await third.stop('SIGTERM')

  // The folder as the release before has left it: the newest migrations were never applied.
  await takeBack(data)
  const fourth = await start()
  expect(await applied(fourth)).toEqual(clickhouseMigrations().map(({ name }) => name))
  const upgraded = await state(fourth)
  // The newest window may be evaluated meanwhile.
  expect(upgraded).toMatchObject({ rows: after.rows, counts: after.counts })
  expect(upgraded.verdicts).toEqual(expect.arrayContaining(after.verdicts))
  const { runs } = (await (await fetch(`${fourth.url}/v1/runs?model_id=fraud`)).json()) as {
    runs: { run_id: string; state: string }[]
  }
  expect(runs).toMatchObject([{ run_id: 'run-of-before', state: 'launching' }])
  // Ids of before the upgrade are remembered, and a label finds its prediction.
  await post(`${fourth.url}/v1/predictions`, events(350, 390))
  const label = {
    ...{ label_id: 'l-0', model_id: 'fraud', prediction_id: 'p-0', label: '1' },
    ...{ labelled_at: '2026-01-02T00:00:00Z', source: 'ground_truth' },
  }
  expect((await post(`${fourth.url}/v1/labels`, [label])).ok).toBe(true)
  await evaluated(fourth, 12)
  await until('the label is joined', async () => {
    const rows = await ask(
      fourth.clickhouseUrl,
      "SELECT label FROM outcomes WHERE prediction_id = 'p-0'",
    )
    return rows.length === 1
  })
  expect((await state(fourth)).rows).toEqual([{ n: '390', ids: '390' }])
  await beside(fourth)
  await fourth.stop('SIGTERM')
}, 300_000)

const applied = async (service: Running) =>
  (
    await ask<{ name: string }>(
      service.clickhouseUrl,
      'SELECT name FROM schema_migrations ORDER BY name',
    )
  ).map(({ name }) => name)

/**
 * A process of the release before writes beside this one: without the columns it does not know, and
 * again under the same token where it is not sure.
 */
async function beside(service: Running): Promise<void> {
  const engine = serverEngine({
    url: service.clickhouseUrl,
    username: 'plumbline',
    password: readFileSync(join(data, 'clickhouse.secret'), 'utf8'),
  })
  const db = engine.connect('before')
  const counts = [
    {
      ...{ model_id: 'fraud', step: 1767225600, model_version: 'old', variant: '' },
      ...{ shadow: false, events: 5, errors: 0, duplicates: 0 },
    },
  ]
  const range = {
    ...{ log_epoch: 'old', topic: 'plumbline.predictions.v1', partition: '0', first: 0 },
    ...{ last: 4, rows: 5, rejected: 0, duplicates: 1, unknown_fields: 0 },
  }
  for (const _ of [1, 2]) {
    await db.insertRows('event_counts', counts, 'token of before')
    await db.insertRows('sink_ranges', [range], 'token of before')
  }
  expect(
    await db.query(
      "SELECT sum(events) AS events, min(bucket_s) AS bucket_s FROM event_counts WHERE model_version = 'old'",
    ),
  ).toEqual([{ events: '5', bucket_s: 0 }])
  expect(
    await db.query("SELECT events, filtered FROM sink_ranges WHERE log_epoch = 'old'"),
  ).toEqual([{ events: '4', filtered: '0' }])
  await engine.close()
}

/** Undoes the newest migrations of both stores, the rows left as they are. */
async function takeBack(folder: string): Promise<void> {
  const engine = embeddedEngine(join(folder, 'clickhouse'))
  const db = engine.connect('before')
  for (const sql of [
    'DROP TABLE erasing_subjects',
    'DROP TABLE erasing_predictions',
    'DROP TABLE erasing_labels',
    'DROP TABLE source_revisions',
    'ALTER TABLE sink_ranges DROP COLUMN events, DROP COLUMN filtered',
    'ALTER TABLE event_counts DROP COLUMN bucket_s',
  ])
    await db.command(sql)
  const before = await db.query("SELECT * FROM schema_migrations WHERE name < '0041'")
  await db.command('TRUNCATE TABLE schema_migrations')
  await db.insertRows('schema_migrations', before)
  await engine.close()
  const postgres = await embeddedPostgres(join(folder, 'postgres'))
  await postgres.exec(`drop schema public cascade; create schema public;
    create table schema_migrations (name text primary key, checksum text not null, applied_at timestamptz not null default now())`)
  for (const { name, checksum, statements } of readMigrations(join(ROOT, 'schemas/postgres'))) {
    if (name >= '0006') continue
    for (const statement of statements) await postgres.exec(statement)
    await postgres.query('insert into schema_migrations (name, checksum) values ($1, $2)', [
      name,
      checksum,
    ])
  }
  await postgres.exec(`
    insert into review_tasks (task_id, model_id, prediction_id, reviewers, inclusion_probability, created_at)
      values ('task-of-before', 'fraud', 'p-1', 1, 1, now());
    insert into runs (run_id, model_id, policy, cause, state, reason, decided_at, created_at, updated_at)
      values ('run-of-before', 'fraud', 'gone', 'asked', 'launched', 'of before', now(), now(), now())`)
  await postgres.close()
}

test('a backup that is not whole is not put back', () => {
  rmSync(data, { recursive: true, force: true })
  const manifest = JSON.parse(readFileSync(join(copy, 'backup.json'), 'utf8')) as {
    files: Record<string, string>
  }
  const path = Object.keys(manifest.files).find((file) => file.endsWith('.bin'))!
  writeFileSync(join(copy, 'data', path), 'other bytes')
  expect(run('restore', '--from', copy).stderr).toContain(`${path} is another in the backup`)
  expect(run('restore', '--from', directory).stderr).toContain('is no backup')
})

/**
 * Two releases on the same stores: a process beside stores that a later release has migrated works,
 * one that would own them, or needs what they lack, refuses in one sentence.
 */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort, startKafka, type LocalKafka } from '../../deploy/local/kafka.ts'
import { temporaryDirectory } from '../harness.ts'
import {
  ask,
  post,
  prediction,
  ROOT,
  spawnTarget,
  startTarget,
  until,
} from '../servers/processes.ts'

const directory = temporaryDirectory()
const data = join(directory, 'data')
/** What this release and a later one differ in. */
const LATER = {
  clickhouse:
    "ALTER TABLE predictions ADD COLUMN IF NOT EXISTS of_later String DEFAULT 'later' COMMENT 'Of a later release.';\n",
  postgres: "alter table runs add column of_later text not null default 'later';\n",
} as const
type Store = keyof typeof LATER

/** The files of this release, with a migration more of each of these stores. */
function laterRelease(name: string, stores: readonly Store[]): string {
  const root = join(directory, name)
  mkdirSync(root)
  for (const part of ['main.ts', 'targets.ts', 'package.json', 'lib', 'services', 'schemas'])
    cpSync(join(ROOT, part), join(root, part), { recursive: true })
  for (const part of ['node_modules', 'console', 'test', 'deploy'])
    symlinkSync(join(ROOT, part), join(root, part))
  for (const store of stores)
    writeFileSync(join(root, `schemas/${store}/9001_later.sql`), LATER[store])
  return root
}

let kafka: LocalKafka
const running: { stop: () => Promise<unknown> }[] = []
beforeAll(async () => {
  kafka = await startKafka({ directory: join(directory, 'kafka') })
})
afterAll(async () => {
  for (const one of running.toReversed()) await one.stop()
  await kafka?.stop()
})

const postgresPort = await freePort()
const storesOf = async (root = ROOT) => {
  const stores = await startTarget(
    'stores',
    { PLUMBLINE_DATA_DIR: data, PLUMBLINE_POSTGRES_PORT: String(postgresPort) },
    root,
  )
  running.push(stores)
  return stores
}
const besides = (service: string, clickhouseUrl: string) => ({
  PLUMBLINE_DATA_DIR: join(directory, service),
  PLUMBLINE_KAFKA_BROKERS: kafka.brokers,
  PLUMBLINE_CLICKHOUSE_URL: clickhouseUrl,
  PLUMBLINE_CLICKHOUSE_PASSWORD: readFileSync(join(data, 'clickhouse.secret'), 'utf8'),
  PLUMBLINE_POSTGRES_URL: `postgres://postgres:${readFileSync(join(data, 'postgres.secret'), 'utf8')}@127.0.0.1:${postgresPort}/postgres`,
})

/** What a process says that ends at its start. */
async function refused(target: string, env: Record<string, string>, root = ROOT): Promise<string> {
  const one = await spawnTarget(target, env, root)
  const code = await new Promise((resolve) => one.child.once('exit', resolve))
  expect(code).toBe(1)
  return one.log()
}

test('a release that needs what the stores lack refuses, by either store', async () => {
  const stores = await storesOf()
  const env = besides('feedback', stores.clickhouseUrl)
  const ofBoth = laterRelease('later', ['clickhouse', 'postgres'])
  const sentence = /the store lacks 9001_later\.sql, which this release needs: run npm run migrate/
  expect(await refused('feedback', env, ofBoth)).toMatch(sentence)
  const ofOne = laterRelease('later-control', ['postgres'])
  expect(await refused('feedback', env, ofOne)).toMatch(
    /postgres did not start: the store lacks 9001_later\.sql/,
  )
  expect(await stores.stop('SIGTERM')).toBe(0)
})

test('services of this release work beside stores that a later one has migrated, and do not take them over', async () => {
  const later = await storesOf(join(directory, 'later'))
  const services = await Promise.all(
    ['ingest', 'feedback', 'retrain-trigger'].map((service) =>
      startTarget(service, besides(service, later.clickhouseUrl)),
    ),
  )
  running.push(...services)
  const [ingest, feedback, trigger] = services
  await post(`${ingest!.url}/v1/predictions`, [prediction(1), prediction(2)])
  const label = {
    ...{ label_id: 'l-1', model_id: 'fraud', prediction_id: 'p-1', label: '1' },
    ...{ labelled_at: '2026-01-02T00:00:00Z', source: 'ground_truth' },
  }
  expect((await post(`${feedback!.url}/v1/labels`, [label])).ok).toBe(true)
  await until('the label is joined', async () => {
    const rows = await ask(
      later.clickhouseUrl,
      "SELECT label FROM outcomes WHERE prediction_id = 'p-1'",
    )
    return rows.length === 1
  })
  expect(await ask(later.clickhouseUrl, 'SELECT of_later FROM predictions')).toEqual([
    { of_later: 'later' },
    { of_later: 'later' },
  ])
  const asked = await post(`${trigger!.url}/v1/runs`, {
    model_id: 'fraud',
    message: 'asked for by a test',
  })
  expect(asked.status).toBeLessThan(500)
  for (const one of services) await one.stop('SIGTERM')
  await later.stop('SIGTERM')
  for (const target of ['stores', 'all'])
    expect(await refused(target, { PLUMBLINE_DATA_DIR: data })).toContain(
      'the store was migrated by a later release (9001_later.sql), and this one cannot own it',
    )
})

/**
 * A reader of one model against the rows of another: every table and view there is, and ways around
 * the wall that were thought of.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readersRules } from '../../../lib/clickhouse/migrations.ts'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { MAX_LIMITED_MODELS } from '../../../lib/sql-port/model-limits.ts'
import { HOURLY } from '../../../lib/sql-port/reader-quota.ts'
import { createReaders, type ReaderQuestion, type Readers } from '../../../lib/sql-port/readers.ts'
import { migratedClickHouse } from '../../harness.ts'

const OURS = "our's"
const THEIRS = 'theirs'
const rules = readersRules()
let db: ClickHouse
let readers: Readers
let now = 0
let close: () => Promise<void>

beforeAll(async () => {
  const store = await migratedClickHouse()
  db = store.db
  close = store.engine.close
  readers = createReaders(store.engine, () => now)
  await db.command(
    'CREATE TABLE made_later (secret String, model_id String) ENGINE = MergeTree ORDER BY secret',
  )
  for (const table of [...rules.tables, ...rules.others, 'made_later'])
    for (const model of [OURS, THEIRS]) await fill(table, model)
})
afterAll(() => close())

/** Rows of failures are dropped after 30 days. */
const NOT_TEXT: Record<string, () => unknown> = {
  sign: () => 1,
  failed_at: () => new Date().toISOString(),
}

/** Puts a row into a table in which every text is the model's name. */
async function fill(table: string, model: string) {
  const columns = await db.query<{ name: string; type: string }>(
    `SELECT name, type FROM system.columns WHERE database = 'default' AND table = {table:String}
       AND default_kind IN ('', 'DEFAULT') AND (name IN ('sign', 'failed_at') OR match(type, '^(LowCardinality\\\\(|Nullable\\\\()?String'))`,
    { table },
  )
  const [{ engine } = { engine: '' }] = await db.query<{ engine: string }>(
    "SELECT engine FROM system.tables WHERE database = 'default' AND name = {table:String}",
    { table },
  )
  if (engine.endsWith('View') || columns.length === 0) return
  await db.insertRows(`\`${table}\``, [
    Object.fromEntries(columns.map(({ name }) => [`\`${name}\``, NOT_TEXT[name]?.() ?? model])),
  ])
}

async function answer(sql: string, limits: ReaderQuestion['limits']): Promise<string> {
  let text = ''
  await readers.ask({ sql, params: new Map(), format: 'TSV', limits }, async ({ bytes }) => {
    text = bytes.toString()
  })
  return text
}
const ask = (sql: string, models: readonly string[] = [OURS], reader = 'ann') =>
  answer(sql, { reader, models })
/** As a reader of every model: what is looked for is there. */
const askAll = (sql: string) => answer(sql, undefined)
const refusal = (sql: string) =>
  ask(sql).then(
    (text) => `answered: ${text.slice(0, 200)}`,
    (error: Error) => error.message,
  )

test('every table and view is by model, or closed; each row that is read is of the own model', async () => {
  const present = await db.query<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = 'default' AND name NOT IN ('made_later') ORDER BY name",
  )
  expect([...rules.tables, ...rules.views, ...rules.others].toSorted()).toEqual(
    present.map(({ name }) => name),
  )
  for (const table of rules.tables) {
    const [counted] = await db.query<{ n: string }>(
      `SELECT uniqExact(model_id) AS n FROM \`${table}\` WHERE model_id IN ('our\\'s', 'theirs')`,
    )
    expect(counted, table).toEqual({ n: '2' })
    const text = await ask(`SELECT * FROM \`${table}\``)
    expect(text, table).not.toContain(THEIRS)
    expect(await ask(`SELECT uniqExact(model_id), any(model_id) FROM \`${table}\``)).toBe(
      `1\tour\\'s\n`,
    )
  }
  for (const view of rules.views)
    expect(await ask(`SELECT * FROM ${view}`), view).not.toContain(THEIRS)
  for (const other of rules.others)
    expect(await refusal(`SELECT * FROM \`${other}\``)).toContain(
      `the table ${other}: it holds rows`,
    )
})

test('a table that no rule names is empty to them', async () => {
  expect(await ask('SELECT count() FROM made_later')).toBe('0\n')
})

test.each([
  'SELECT prediction_id FROM (SELECT * FROM predictions) ORDER BY 1',
  'WITH labels AS (SELECT * FROM predictions) SELECT * FROM labels',
  'SELECT * FROM predictions AS p CROSS JOIN predictions AS q',
  'SELECT l.* FROM predictions AS p RIGHT JOIN labels AS l ON 1 = 1',
  'SELECT l.* FROM numbers(3) AS n FULL JOIN labels AS l ON n.number = length(l.label)',
  'SELECT * FROM predictions AS `default.dead_letters`',
  'SELECT `default.labels`.prediction_id FROM predictions AS `default.labels`',
  "SELECT 'our\\'s' AS model_id, prediction_id FROM predictions",
  "SELECT * REPLACE ('our\\'s' AS model_id) FROM predictions",
  "SELECT prediction_id FROM predictions WHERE ('theirs' AS model_id) != ''",
  'SELECT prediction_id, (SELECT groupArray(prediction_id) FROM predictions) FROM labels',
  'SELECT * FROM view(SELECT * FROM predictions)',
  'SELECT * FROM predictions UNION ALL SELECT * FROM predictions',
  'SELECT * FROM outcomes FINAL',
  'SELECT max(prediction_id), min(model_id), max(model_id) FROM predictions',
  'SELECT DISTINCT model_id FROM predictions ORDER BY model_id DESC LIMIT 10',
  'SELECT model_id, count() FROM predictions GROUP BY model_id WITH TOTALS',
  'SELECT prediction_id FROM predictions ARRAY JOIN [1, 2] AS x',
  "SELECT model_id FROM predictions WHERE prediction_id != '' SETTINGS final = 1, extremes = 1",
  'SELECT groupArray(prediction_id) OVER () FROM predictions',
  "SELECT COLUMNS('.*') FROM predictions",
])('no row of another model comes by: %s', async (sql) => {
  expect(await askAll(sql)).toContain(THEIRS)
  expect(await refusal(sql)).not.toContain(THEIRS)
})

test.each([
  "'theirs' IN (SELECT model_id FROM predictions)",
  "'theirs' IN (SELECT message FROM view(SELECT message FROM default.dead_letters))",
  "('theirs', 'theirs') IN (SELECT x.secret, p.prediction_id FROM made_later AS x, predictions AS p)",
  "exists(SELECT 1 FROM predictions WHERE model_id = 'theirs')",
  "(SELECT count() FROM predictions WHERE model_id = 'theirs') > 0",
  "'theirs' IN (SELECT secret FROM made_later)",
  "('theirs', 'theirs') IN default.made_later",
])('nor the answer yes to: %s', async (condition) => {
  expect(await askAll(`SELECT ${condition}`)).toBe('1\n')
  expect(await refusal(`SELECT ${condition}`)).not.toMatch(/^answered: (1|true)/)
})

test('a function that fails on a value of another model does not tell it', async () => {
  await db.insertRows('predictions', [
    { model_id: THEIRS, prediction_id: 'theirs-17', predicted_at: 1 },
    { model_id: OURS, prediction_id: '17', predicted_at: 1 },
  ])
  const own = "toUInt32(if(prediction_id = 'our\\'s', '17', prediction_id)) = 17"
  // Without the wall the engine's own message has the value.
  await expect(db.query(`SELECT count() FROM predictions WHERE ${own}`)).rejects.toThrow('theirs')
  for (const sql of [
    `SELECT count() FROM predictions WHERE ${own}`,
    `SELECT count() FROM (SELECT * FROM predictions) WHERE ${own}`,
    `SELECT countIf(${own}) FROM predictions`,
    `SELECT count() FROM predictions ARRAY JOIN [1] AS x WHERE ${own}`,
    `SELECT count() FROM predictions GROUP BY 'x' HAVING countIf(${own}) > 0`,
    `SELECT count() FROM (SELECT ${own} AS y FROM predictions) WHERE y`,
  ])
    expect(await ask(sql), sql).toBe('2\n')
  expect(await refusal(`SELECT count() FROM predictions PREWHERE ${own}`)).toContain('PREWHERE')
})

test.each([
  ['SELECT 1 SETTINGS additional_table_filters = {}', 'additional_table_filters'],
  ['SELECT 1 SETTINGS enable_analyzer = 0', 'enable_analyzer'],
  ['SELECT * FROM predictions SETTINGS max_rows_to_read = 1', 'max_rows_to_read'],
  ['SELECT 1 SETTINGS query_plan_enable_optimizations = 1', 'query_plan_enable_optimizations'],
  ["SELECT * FROM merge('default', 'predictions')", 'merge'],
  ["SELECT * FROM cluster('default', default.predictions)", 'cluster'],
  ["SELECT * FROM remote('127.0.0.1', default.predictions)", 'remote'],
  ["SELECT * FROM url('http://127.0.0.1:1/', LineAsString)", 'url'],
  ["SELECT * FROM file('x', LineAsString)", 'file'],
  ["SELECT file('x')", 'file'],
  ['SELECT * FROM mergeTreeIndex(default, predictions)', 'mergeTreeIndex'],
  ["SELECT * FROM dictionary('x')", 'dictionary'],
  ["SELECT dictGet('x', 'y', 1)", 'dictGet'],
  ["SELECT joinGet('x', 'y', 1)", 'joinGet'],
  ['SELECT 1; SELECT * FROM predictions', ';'],
  ['SET additional_table_filters = {}', 'SET'],
  ['SELECT * FROM system.parts', 'system.parts'],
  ['SELECT * FROM system.tables', '*'],
  ["SELECT total_rows FROM system.tables WHERE name = 'predictions'", 'total_rows'],
  ['SELECT * FROM system.data_skipping_indices', 'data_skipping_indices'],
  ['SELECT * FROM information_schema.tables', 'information_schema.tables'],
  ['SELECT data_compressed_bytes FROM system.columns', 'data_compressed_bytes'],
  ['SELECT _part_offset FROM predictions', '_part_offset'],
  ['EXPLAIN ESTIMATE SELECT * FROM predictions', 'ESTIMATE'],
  ['EXPLAIN indexes = 1 SELECT * FROM predictions', 'EXPLAIN'],
  ['WITH dead_letters AS (SELECT 1) SELECT * FROM dead_letters', 'dead_letters'],
  ['SELECT 1 IN (SELECT 1 FROM attributes_latest)', 'attributes_latest'],
])('refused, and says why: %s', async (sql, word) => {
  const message = await refusal(sql)
  expect(message).toContain('READONLY')
  expect(message).toContain(word)
})

test('what browsers of tables ask is answered', async () => {
  expect(await ask('SHOW TABLES')).toContain('predictions')
  expect(await ask("SELECT name, engine FROM system.tables WHERE database = 'default'")).toContain(
    'labels',
  )
  expect(await ask("SELECT name, type FROM system.columns WHERE table = 'labels'")).toContain(
    'label_id',
  )
  expect(await ask('DESCRIBE predictions')).toContain('model_id')
  expect(await ask('EXPLAIN AST SELECT * FROM predictions')).toContain('predictions')
})

test('several models are read together; too many are told so', async () => {
  expect(await ask('SELECT uniqExact(model_id) FROM predictions', [OURS, THEIRS])).toBe('2\n')
  const many = Array.from({ length: MAX_LIMITED_MODELS }, (_, i) => `model-${i}-${'x'.repeat(200)}`)
  expect(await ask('SELECT count() FROM predictions', many)).toBe('0\n')
  await expect(ask('SELECT 1', [...many, 'x'])).rejects.toThrow('ask for a key that may read all')
})

test('an hour is used up by its questions; another reader and the next hour are not', async () => {
  for (let i = 0; i <= HOURLY.seconds / 30; i++)
    await readers
      .ask(
        {
          sql: 'SELECT 1',
          params: new Map(),
          format: 'TSV',
          limits: { reader: 'slow', models: [OURS] },
        },
        async () => void (now += 30_000),
      )
      .catch((error: Error) => expect(error.message).toContain('QUOTA_EXCEEDED'))
  await expect(ask('SELECT 1', [OURS], 'slow')).rejects.toThrow('900 seconds are used up')
  expect(await ask('SELECT 1')).toBe('1\n')
  now += 3_600_000
  expect(await ask('SELECT 1', [OURS], 'slow')).toBe('1\n')
})

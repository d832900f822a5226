/** `docs/data-model.md` names what exists, and its questions run on data. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline } from '../../pipeline.ts'
import { ROOT } from '../../servers/processes.ts'

const DOCUMENT = readFileSync(join(ROOT, 'docs/data-model.md'), 'utf8')
const POSTGRES_START = DOCUMENT.indexOf('\n## PostgreSQL')
const QUESTIONS = [...DOCUMENT.matchAll(/### (\d+\. .*)\n\n```sql\n([^`]*);\n```/g)].map(
  ([, question, sql]) => ({ question: question!, sql: sql! }),
)
/** First cells of the tables of a part of the document. */
const namesIn = (text: string) => [...text.matchAll(/^\| `(\w+)`/gm)].map((found) => found[1]!)

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 5)
let db: ClickHouse

beforeAll(async () => {
  const stream = await pipeline()
  db = stream.db
  const instants = Array.from({ length: 200 }, (_, i) => START + i * 60_000)
  await stream.predictions(
    instants.map((at, i) => ({
      prediction_id: `p-${i}`,
      model_id: 'fraud',
      model_version: i % 2 === 0 ? '1' : '2',
      predicted_at: new Date(at).toISOString(),
      prediction: i % 3 === 0 ? '1' : '0',
      score: (i % 10) / 10,
      latency_ms: 5 + (i % 7),
      features: { amount: 1 + (i % 50) },
      // One number is left out.
      producer: { id: 'shop', sequence: i + Math.floor(i / 100) },
    })),
  )
  await stream.labels(
    instants.slice(0, 150).map((at, i) => ({
      label_id: `l-${i}`,
      model_id: 'fraud',
      prediction_id: `p-${i}`,
      label: i % 4 === 0 ? '1' : '0',
      labelled_at: new Date(at + HOUR).toISOString(),
      source: 'ground_truth',
    })),
  )
  const model = parseModel(
    'model_id: fraud\ntask: binary\nwindows: { size: 1h, lateness: 0s, idle: 1m }\nlabels: { horizon: 1h }\n',
  )
  await evaluateOn(stream.connect('drift'), { now: () => START + 48 * HOUR })(model)
})

test('the document asks ten questions, and every block of SQL is one', () => {
  expect(QUESTIONS).toHaveLength(10)
  expect(DOCUMENT.match(/```sql/g)).toHaveLength(10)
})

/** Answers that need an alarm, a refused message or a person are empty here. */
const EMPTY = /^(2|3|10)\./

test.each(QUESTIONS)('$question', async ({ question, sql }) => {
  const rows = await db.query(sql)
  if (!EMPTY.test(question)) expect(rows.length).toBeGreaterThan(0)
})

test('what producers lost is told', async () => {
  const lost = QUESTIONS.find(({ question }) => question.startsWith('9.'))!
  expect(await db.query(lost.sql)).toEqual([
    { what: 'lost', which: 'fraud from shop', events: '1' },
  ])
})

test('every table and view is in the document, and nothing else', async () => {
  const tables = await db.query<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = currentDatabase() AND name != 'schema_migrations' ORDER BY name`,
  )
  expect(namesIn(DOCUMENT.slice(0, POSTGRES_START)).toSorted()).toEqual(
    tables.map(({ name }) => name),
  )
})

test('every table and view explains itself, in the words of the document', async () => {
  const tables = await db.query<{ name: string; comment: string }>(
    `SELECT name, comment FROM system.tables WHERE database = currentDatabase() AND name != 'schema_migrations' ORDER BY name`,
  )
  expect(tables.filter(({ comment }) => comment === '')).toEqual([])
  const plain = DOCUMENT.replaceAll(/[`\\]/g, '')
  for (const { name, comment } of tables) expect(plain, name).toContain(comment)
})

test.each(['outcomes', 'window_metrics_latest'])(
  'columns of the view %s are explained',
  async (view) => {
    const columns = await db.query<{ comment: string }>(`DESCRIBE ${view}`)
    expect(columns.filter(({ comment }) => comment !== '').length).toBeGreaterThan(3)
  },
)

test('every table of PostgreSQL is in the document', () => {
  const folder = 'schemas/postgres'
  const files = readdirSync(join(ROOT, folder))
  const created = files.flatMap((file) =>
    [...readFileSync(join(ROOT, folder, file), 'utf8').matchAll(/^create table (\w+)/gm)].map(
      (found) => found[1]!,
    ),
  )
  expect(namesIn(DOCUMENT.slice(POSTGRES_START)).toSorted()).toEqual(created.toSorted())
})

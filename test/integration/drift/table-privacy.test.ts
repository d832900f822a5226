/** A table that is a baseline is read as the privacy rules of its model say: a planted person is nowhere. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { keyedHash } from '../../../lib/events/privacy/keyed-hash.ts'
import { NO_PRIVACY } from '../../../lib/events/privacy/redactor.ts'
import { eventPrivacy } from '../../../lib/models/event-privacy.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { tableLoader } from '../../../services/drift/loop/load-tables.ts'
import { driftQueries } from '../../../services/drift/queries/drift-queries.ts'
import { migratedClickHouse, temporaryDirectory } from '../../harness.ts'

const key = Buffer.from('0123456789abcdef0123456789abcdef')
const folder = temporaryDirectory()
const file = (more = '') =>
  parseModel(
    `model_id: m
task: binary
slices: [region]
references:
  parquet: { kind: table, file: t.parquet, columns: { label: paid, amount: AMT } }
  csv: { kind: table, file: t.csv }
  ndjson: { kind: table, file: t.ndjson }
${more}`,
    folder,
  )
const rules = (drop: string) =>
  `privacy:\n  drop: [${drop}]\n  hash: [customer, iban_id]\n  mask: [email, card, names]\n  names: [Ann Planted]\n`
const model = file(rules('salary, home, features.f_secret'))
/** Each way by which a person could come in: dropped, hashed, masked, a card, a column's own name. */
const TABLE = `SELECT 100.5 + number AS AMT, 987654321 + number AS salary, toString('planted street') AS home,
    'planted secret' AS f_secret, toInt64(4711) AS customer, 'planted-iban' AS iban_id, true AS ok,
    'write to ann@planted.example' AS note, toInt64(4111111111111111) AS payment, 'by Ann Planted' AS prediction,
    if(number = 1, NULL, 'north') AS region, toString(number % 2) AS paid, 1 AS \`bob@planted.example\`,
    toDecimal64(0.1, 3) AS exact, if(number = 2, nan, 0.25) AS score, [toString('planted')] AS nested
  FROM numbers(3)`
const FORMATS = { parquet: 'Parquet', csv: 'CSVWithNames', ndjson: 'JSONEachRow' } as const

let db: ClickHouse
let directory: string
beforeAll(async () => {
  const opened = await migratedClickHouse()
  ;({ db, directory } = opened)
  const session = opened.engine.rawSession('plumbline_owner', [])
  for (const [name, format] of Object.entries(FORMATS))
    writeFileSync(join(folder, `t.${name}`), (await session.run(TABLE, {}, format)).bytes)
})

const privacyOf = (of: typeof model) => eventPrivacy({ declared: [of], get: () => of }, key)
const load = async (of: typeof model, privacy = privacyOf(of)) => {
  const queries = driftQueries(db)
  const unread = await tableLoader(queries, new Map(), privacy, () => 1)(of)
  return { unread, stored: await queries.referencesOf('m') }
}

/** Files below a folder whose bytes hold a text. */
const holding = (text: string, under = directory): string[] =>
  readdirSync(under).flatMap((name) => {
    const path = join(under, name)
    if (statSync(path).isDirectory()) return holding(text, path)
    return readFileSync(path).includes(text) ? [path] : []
  })

test('dropped columns are not read, hashed ones are hashed, texts are masked, in every format', async () => {
  const { unread, stored } = await load(model)
  expect([...unread]).toEqual([])
  const rows = await db.query<Record<string, unknown>>(
    `SELECT features, attributes, prediction, score, label FROM reference_rows WHERE model_id = {id:String} ORDER BY row`,
    { id: 'm\nreference\nparquet\n1' },
  )
  expect(rows).toEqual(
    [0, 1, 2].map((n) => ({
      features: {
        amount: 100.5 + n,
        customer: keyedHash(key, '4711'),
        iban_id: keyedHash(key, 'planted-iban'),
        ok: true,
        note: 'write to [email]',
        exact: 0.1,
        ...(n !== 1 && { region: 'north' }),
      },
      attributes: n === 1 ? {} : { region: 'north' },
      prediction: 'by [name]',
      score: n === 2 ? null : 0.25,
      label: String(n % 2),
    })),
  )
  for (const one of ['csv', 'ndjson']) {
    const [row] = await db.query<{ features: Record<string, unknown>; prediction: string }>(
      `SELECT features, prediction FROM reference_rows WHERE model_id = {id:String} ORDER BY row LIMIT 1`,
      { id: `m\nreference\n${one}\n1` },
    )
    expect(row!.prediction, one).toBe('by [name]')
    expect(row!.features, one).toMatchObject({
      customer: keyedHash(key, '4711'),
      note: 'write to [email]',
    })
    expect(Object.keys(row!.features), one).not.toContain('payment')
  }
  expect(stored.find(({ name }) => name === 'parquet')!.note).toBe(
    '3 rows with 8 features, predictions, scores and labels; 4 columns dropped by its privacy rules; left out, being neither number nor text: nested',
  )
  const counted = await db.query<{ category: string }>(
    `SELECT DISTINCT category FROM category_counts WHERE startsWith(model_id, 'm')`,
  )
  expect(counted.map(({ category }) => category)).toContain(keyedHash(key, '4711'))
  // Parts in memory come to the disk whole, and are as readable there as they ever are.
  await db.command('OPTIMIZE TABLE reference_rows FINAL')
  for (const text of ['planted', 'Planted', '987654321', '4111111111111111', 'salary', 'f_secret'])
    expect({ text, in: holding(text) }).toEqual({ text, in: [] })
}, 60_000)

test('a table is read again when the rules change, and not when they are as before', async () => {
  const revisions = async (of: typeof model) =>
    (await load(of)).stored.map(({ revision }) => revision)
  expect(await revisions(model)).toEqual([1, 1, 1])
  expect(await revisions(file(rules('salary, home, f_secret, note')))).toEqual([2, 2, 2])
})

test('a model with rules that nobody knows here is not read at all', async () => {
  const { unread } = await load(file(rules('home')), NO_PRIVACY)
  expect([...unread.values()]).toEqual(
    ['parquet', 'csv', 'ndjson'].map((name) =>
      expect.stringContaining(`t.${name} could not be stored: the rules of m are not known here`),
    ),
  )
  // Without rules the search would find what it looks for.
  await load(file(), NO_PRIVACY)
  expect(holding('planted')).not.toEqual([])
})

/** Every door gives the same verdict: TypeBox at HTTP and SQL in ClickHouse, on the same bytes. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { TObject } from 'typebox'
import { beforeAll, expect, test } from 'vitest'
import type { ClickHouse } from '../../lib/clickhouse.ts'
import { createJudge } from '../../lib/event-verdict.ts'
import { ONE_BLOCK } from '../../lib/clickhouse.ts'
import { encodeLines, createSpool } from '../../lib/spool.ts'
import type { WireMapping } from '../../lib/wire-mapping.ts'
import { LabelV1 } from '../../schemas/events/label.v1.ts'
import { PredictionV1 } from '../../schemas/events/prediction.v1.ts'
import { LABEL_MAPPINGS } from '../../services/feedback/rows.ts'
import { PREDICTION_MAPPINGS } from '../../services/ingest/rows.ts'
import { migratedClickHouse, prediction, rangeOf, ROOT } from '../harness.ts'

let db: ClickHouse
let directory: string
beforeAll(async () => {
  ;({ db, directory } = await migratedClickHouse())
})

interface Told {
  code: string
  message: string
}

async function bySql(
  mapping: WireMapping,
  values: readonly (string | Buffer)[],
  fields?: ReadonlySet<string>,
): Promise<Told[]> {
  const spool = createSpool(`${directory}/parity`, 'process')
  const { messages } = rangeOf('t', mapping.version, values)
  return spool.withFile(encodeLines(messages), async (path) => {
    const select = mapping.select(
      `file('${path}', LineAsString, 'line String')`,
      { log_epoch: 'e', topic: 't', partition: '0' },
      fields,
    )
    const rows = await db.query<{ reject_code: string; reject_message: string }>(
      `SELECT reject_code, reject_message FROM (${select}) ORDER BY offset SETTINGS ${ONE_BLOCK}`,
    )
    return rows.map((row) => ({ code: row.reject_code, message: row.reject_message }))
  })
}

function byTypeBox(schema: TObject, values: readonly string[]): Told[] {
  const judge = createJudge(schema)
  return values.map((value) => {
    const verdict = judge(value)
    return verdict.ok
      ? { code: '', message: '' }
      : { code: verdict.rejection.code, message: verdict.rejection.message }
  })
}

async function agree(schema: TObject, mapping: WireMapping, values: readonly string[]) {
  const sql = await bySql(mapping, values)
  const typebox = byTypeBox(schema, values)
  for (const [i, value] of values.entries())
    expect({ value, ...sql[i] }).toEqual({ value, ...typebox[i] })
}

const base = prediction(1)
const withField = (name: string, raw: string) =>
  `${JSON.stringify(base).slice(0, -1)},${JSON.stringify(name)}:${raw}}`
const replaced = (name: string, raw: string) => {
  const { [name]: _, ...rest } = base
  return `{${JSON.stringify(name)}:${raw},${JSON.stringify(rest).slice(1)}`
}
const without = (name: string) => {
  const { [name]: _, ...rest } = base
  return JSON.stringify(rest)
}

const TIMES = [
  '2026-01-01T00:00:00Z',
  '2026-02-29T00:00:00Z',
  '2024-02-29T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T23:59:60Z',
  '2026-01-01 00:00:00Z',
  '2026-01-01T00:00:00',
  '2026-01-01T00:00:00+14:00',
  '2026-01-01T00:00:00+15:00',
  '1989-12-31T23:59:59Z',
  '1990-01-01T00:00:00Z',
  '2099-12-31T23:59:59.999Z',
  '2100-01-01T00:00:00Z',
  '2099-12-31T23:00:00-02:00',
  '10 Jan',
  '',
  '2026-13-01T00:00:00Z',
  '2026-01-01T00:00:00.123456789Z',
  '2026-01-01T00:00:00.1234567891Z',
]
const RAWS = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '1',
  '1.5',
  '-1',
  '1e400',
  '1e-400',
  '9007199254740991',
  '9007199254740992',
  '123456789012345678901234567890',
  '0.5',
  '2',
  '""',
  '"x"',
  '"0.5"',
  '"accept"',
  '"ok"',
  '"a\\u0000b"',
  '"é"',
  '[]',
  '[1,2]',
  '["a"]',
  '[1,"a"]',
  '[null]',
  '[1e999]',
  '{}',
  '{"a":1}',
  '{"a":"x"}',
  '{"a":null}',
  '{"a":true}',
  '{"a":[1]}',
  '{"a":{}}',
  '{"a":1,"a":2}',
  '{"id":"p","sequence":1}',
  '{"id":"p","sequence":1.5}',
  '{"id":"","sequence":1}',
  '{"id":"p"}',
  '{"id":"p","sequence":1,"more":2}',
  `"${'x'.repeat(201)}"`,
  `"${'é'.repeat(200)}"`,
  ...TIMES.map((time) => JSON.stringify(time)),
]

test('every kind of value in every field of a prediction', async () => {
  const values = Object.keys(PredictionV1.properties).flatMap((name) =>
    RAWS.map((raw) => (name in base ? replaced(name, raw) : withField(name, raw))),
  )
  expect(values.length).toBeGreaterThan(1000)
  await agree(PredictionV1, PREDICTION_MAPPINGS[0], values)
})

test('what is no event at all, and what is missing', async () => {
  const values = [
    '{}',
    '[]',
    '1',
    'null',
    '"x"',
    '{',
    '{"a":NaN}',
    '{"a":1}{"b":2}',
    'garbage',
    '{"a":01}',
    ' {"a": 1} ',
    '\u0000',
    JSON.stringify(base),
    ` ${JSON.stringify(base)} `,
    withField('unknown', '1'),
    withField('prediction_id', '"again"'),
    withField('a', String.raw`"\ud800"`),
    ...Object.keys(base).map(without),
  ]
  await agree(PredictionV1, PREDICTION_MAPPINGS[0], values)
})

test('any JSON in any field, for predictions and labels', async () => {
  const label = {
    label_id: 'l',
    model_id: 'm',
    prediction_id: 'p',
    label: '1',
    labelled_at: '2026-01-01T00:00:00Z',
    source: 'ground_truth',
  }
  const cases: [TObject, WireMapping, Record<string, unknown>][] = [
    [PredictionV1, PREDICTION_MAPPINGS[0], base],
    [LabelV1, LABEL_MAPPINGS[0], label],
  ]
  for (const [schema, mapping, valid] of cases) {
    const overrides = fc.sample(
      fc.dictionary(
        fc.constantFrom(...Object.keys(schema.properties), 'other'),
        fc.jsonValue({ maxDepth: 2 }),
        { maxKeys: 3 },
      ),
      { numRuns: 3000, seed: 42 },
    )
    await agree(
      schema,
      mapping,
      overrides.map((override) => JSON.stringify({ ...valid, ...override })),
    )
  }
})

test('a narrowed mapping gives the same verdicts and rows', async () => {
  const values = [JSON.stringify(base), without('model_id'), replaced('score', '"x"'), 'garbage']
  const fields = new Set([...Object.keys(base)])
  expect(await bySql(PREDICTION_MAPPINGS[0], values, fields)).toEqual(
    await bySql(PREDICTION_MAPPINGS[0], values),
  )
})

test('bytes that are no text never break a batch', async () => {
  const noise = fc
    .sample(fc.uint8Array({ minLength: 0, maxLength: 80 }), { numRuns: 2000, seed: 7 })
    .map((bytes) => Buffer.from(bytes))
  const told = await bySql(PREDICTION_MAPPINGS[0], [...noise, Buffer.from(JSON.stringify(base))])
  expect(told).toHaveLength(2001)
  expect(told.at(-1)!.code).toBe('')
  expect(
    told
      .slice(0, -1)
      .every(({ code }) => code === 'empty' || code === 'invalid_json' || code === 'missing_field'),
  ).toBe(true)
})

test('every committed example gets the same verdict in SQL', async () => {
  for (const [event, schema, mapping] of [
    ['prediction.v1', PredictionV1, PREDICTION_MAPPINGS[0]],
    ['label.v1', LabelV1, LABEL_MAPPINGS[0]],
  ] as const) {
    const folder = join(ROOT, 'schemas/examples', event)
    const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8').trim())
    expect(texts.length).toBeGreaterThan(2)
    await agree(schema, mapping, texts)
  }
})

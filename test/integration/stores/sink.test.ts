/** Rows, dead letters and every count of them land together, once. */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { COUNTS } from '../../../bench/ingest/counts-in-sql.ts'
import { messageReader } from '../../../lib/events/decode-message.ts'
import { createMetrics } from '../../../lib/runtime/metrics.ts'
import { createSeenIds } from '../../../lib/sink/dedupe-set.ts'
import { RECEIVED_AT, migratedClickHouse, rangeOf, sinkOn } from '../../harness.ts'
import { prediction } from '../../servers/processes.ts'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Sink } from '../../../lib/sink/sink.ts'
import { LABEL_MAPPINGS } from '../../../services/feedback/data/label-rows.ts'
import { PREDICTION_MAPPINGS } from '../../../services/ingest/data/prediction-rows.ts'

let db: ClickHouse
let sink: Sink
const metrics = createMetrics()
const TOPIC = 'plumbline.predictions.v1'
beforeAll(async () => {
  const opened = await migratedClickHouse()
  db = opened.db
  sink = sinkOn(db, opened.directory, 'ingest', PREDICTION_MAPPINGS[0], { metrics })
})

const totals = async () =>
  (
    await db.query<
      Record<string, string>
    >(`SELECT (SELECT count() FROM predictions) AS rows, (SELECT uniqExact(prediction_id) FROM predictions) AS ids,
      (SELECT sum(events) FROM event_counts) AS events, (SELECT sum(count) FROM numeric_counts WHERE subject = 'f0') AS numbers,
      (SELECT sum(count) FROM category_counts WHERE subject = 'color') AS categories, (SELECT count() FROM prediction_times) AS times,
      (SELECT count() FROM dead_letters) AS dead, (SELECT sum(rows) FROM sink_ranges) AS logged`)
  )[0]

test('a range stored three times, as after crashes, counts once everywhere', async () => {
  const values = Array.from({ length: 100 }, (_, i) =>
    i % 10 === 9
      ? 'garbage'
      : JSON.stringify(prediction(i, { features: { f0: i, color: `c${i % 3}`, gone: null } })),
  )
  const range = rangeOf(TOPIC, sink.mapping, values)
  await sink.store(range)
  await sink.store({ ...range, replayed: true })
  await sink.store({ ...range, replayed: true })
  expect(await totals()).toEqual({
    rows: '90',
    ids: '90',
    events: '90',
    numbers: '90',
    categories: '90',
    times: '90',
    dead: '10',
    logged: '100',
  })
})

test('each message is counted once, at the place where it ended; fields are counted apart', async () => {
  metrics.events.reset()
  metrics.unknownFields.reset()
  const good = (i: number) => JSON.stringify({ ...prediction(5000 + i), colour: 'red', size: 3 })
  const values = [good(0), good(1), good(1), 'garbage', good(2)]
  await sink.store(rangeOf(TOPIC, sink.mapping, values, 5000))
  const events = await metrics.events.get()
  expect(
    Object.fromEntries(events.values.map(({ labels, value }) => [labels.outcome, value])),
  ).toEqual({ stored: 3, duplicate: 1, dead_letter: 1 })
  const fields = await metrics.unknownFields.get()
  expect(fields.values.map(({ value }) => value)).toEqual([6])
})

test('types are not guessed, values compare as JavaScript prints them', async () => {
  const values = [1, 0, 1.0, 1e21, 1e-7, -0, true, '02139', 'nan', '1', 123456789.125, 5e-324].map(
    (value, i) =>
      JSON.stringify(
        prediction(1000 + i, { model_id: 'types', prediction: value, features: { x: value } }),
      ),
  )
  await sink.store(rangeOf(TOPIC, sink.mapping, values, 1000))
  const rows = await db.query<{ prediction: string; type: string; x: string }>(
    `SELECT prediction, variantType(features['x']) AS type, toString(features['x']) AS x FROM predictions WHERE model_id = 'types' ORDER BY offset`,
  )
  expect(rows.map((row) => row.prediction)).toEqual([
    '1',
    '0',
    '1',
    '1e+21',
    '1e-7',
    '0',
    'true',
    '02139',
    'nan',
    '1',
    '123456789.125',
    '5e-324',
  ])
  expect(rows.map((row) => row.type)).toEqual([
    'Float64',
    'Float64',
    'Float64',
    'Float64',
    'Float64',
    'Float64',
    'Bool',
    'String',
    'String',
    'String',
    'Float64',
    'Float64',
  ])
})

test('the numeric grid keeps order, signs, zeros and extremes', async () => {
  const numbers = [-1e15, -2.5, -1e-12, 0, 1e-12, 21, 22, 255, 256, 273.15, 1e15]
  const values = numbers.map((x, i) =>
    JSON.stringify(prediction(2000 + i, { model_id: 'grid', features: { x } })),
  )
  await sink.store(rangeOf(TOPIC, sink.mapping, values, 2000))
  const rows = await db.query<{ bin: number; low: number }>(
    `SELECT bin, min(low) AS low FROM numeric_counts WHERE model_id = 'grid' AND subject = 'x' GROUP BY bin ORDER BY bin`,
  )
  expect(rows.map((row) => row.low)).toEqual(numbers.toSorted((a, b) => a - b))
})

test('any key is taken and counted, none too; each row has its own offset and time', async () => {
  metrics.unexpectedKeys.reset()
  const values = [1, 2, 3, 3].map((i) => JSON.stringify(prediction(3000 + i, { model_id: 'keys' })))
  const keys = ['keys/p-3001', 'user-7', '', 'p-3003']
  const models = await sink.store(rangeOf(TOPIC, sink.mapping, values, 3000, keys))
  expect([...models]).toEqual(['keys'])
  expect(
    await db.query(
      `SELECT offset, received_at FROM predictions WHERE model_id = 'keys' ORDER BY offset`,
    ),
  ).toEqual(
    [0, 1, 2].map((i) => ({
      offset: String(3000 + i),
      received_at: `2025-07-01T00:00:00.00${i}Z`,
    })),
  )
  const { values: counted } = await metrics.unexpectedKeys.get()
  expect(Object.fromEntries(counted.map(({ labels, value }) => [labels['key'], value]))).toEqual({
    other: 2,
    none: 1,
  })
})

test('a range that an older release had begun is drained as it would have: other keys are refused', async () => {
  const older = PREDICTION_MAPPINGS.find(({ version }) => version === 'predictions-2')!
  const range = rangeOf(
    TOPIC,
    older.version,
    [JSON.stringify(prediction(3101, { model_id: 'older' }))],
    3100,
    ['user-7'],
  )
  const { dead, rows } = older.map(range, messageReader().read, createSeenIds(10))
  expect({ rows, codes: dead.map(({ code }) => code) }).toEqual({
    rows: 0,
    codes: ['key_mismatch'],
  })
})

test('a field that only the last event of a large batch has is stored all the same', async () => {
  const values = Array.from({ length: 400 }, (_, i) =>
    JSON.stringify(prediction(5000 + i, { model_id: 'rare' })),
  )
  values.push(JSON.stringify(prediction(5400, { model_id: 'rare', cost_usd: 0.5 })))
  await sink.store(rangeOf(TOPIC, sink.mapping, values, 5000))
  expect(
    await db.query(
      `SELECT count() AS n, sum(cost_usd) AS cost FROM predictions WHERE model_id = 'rare'`,
    ),
  ).toEqual([{ n: '401', cost: 0.5 }])
})

test('every column a mapping writes is one of its table, of the same type', async () => {
  for (const mapping of [PREDICTION_MAPPINGS[0], LABEL_MAPPINGS[0]]) {
    const seen = createSeenIds(10)
    const range = rangeOf(TOPIC, mapping.version, ['garbage'])
    for (const { table, columns } of mapping.map(range, messageReader().read, seen).tables) {
      const rows = await db.query<{ name: string; type: string }>(
        `SELECT name, type FROM system.columns WHERE table = {table:String} AND database = currentDatabase()`,
        { table },
      )
      const types = new Map(rows.map((row) => [row.name, plainType(row.type)]))
      for (const [name, column] of Object.entries(columns))
        expect([table, name, types.get(name)]).toEqual([table, name, plainType(column.type)])
    }
  }
})

/**
 * Neither a dictionary nor how a table sums changes what a value is; variants print their parts in
 * alphabetical order.
 */
const plainType = (type: string) =>
  type
    .replaceAll('LowCardinality(String)', 'String')
    .replace(/SimpleAggregateFunction\(\w+, (.+)\)/, '$1')
    .replace('Variant(Float64, String, Bool)', 'Variant(Bool, Float64, String)')

test('counts are what ClickHouse counts of the same rows', async () => {
  const values = fc
    .sample(
      fc.record({
        features: fc.dictionary(
          fc.constantFrom('a', 'b', 'c'),
          fc.oneof(
            fc.double({ noNaN: true, noDefaultInfinity: true }),
            fc.integer(),
            fc.string({ maxLength: 300 }),
            fc.boolean(),
            fc.constant(null),
          ),
        ),
        prediction: fc.oneof(
          fc.double({ noNaN: true, noDefaultInfinity: true }),
          fc.string({ maxLength: 3 }),
          fc.boolean(),
        ),
        model_version: fc.constantFrom('1', '2'),
        variant: fc.constantFrom('x', null),
        shadow: fc.boolean(),
        status: fc.constantFrom('ok', 'error', null),
        latency_ms: fc.option(fc.nat(1000)),
        minute: fc.nat(60),
      }),
      { numRuns: 500, seed: 3 },
    )
    .map(({ minute, ...event }, i) =>
      JSON.stringify(
        prediction(20_000 + i, {
          ...event,
          model_id: 'counted',
          predicted_at: new Date(RECEIVED_AT + minute * 60_000).toISOString(),
        }),
      ),
    )
  await sink.store(rangeOf(TOPIC, sink.mapping, values, 20_000))
  const source = `(SELECT *, mapKeys(features) AS feature_names, arrayMap(v -> variantElement(v, 'Float64'), mapValues(features)) AS feature_numbers,
    arrayMap(v -> multiIf(variantType(v) = 'String', variantElement(v, 'String'), variantType(v) = 'Bool', toString(variantElement(v, 'Bool')), NULL), mapValues(features)) AS feature_texts
    FROM predictions WHERE model_id = 'counted')`
  // Sums of doubles depend on their order in the last digits; wide integers come as text.
  const rounded = (value: unknown) =>
    typeof value !== 'boolean' && Number.isFinite(Number(value))
      ? Number(value).toPrecision(10)
      : value
  const sorted = (rows: readonly object[]) =>
    rows
      .map((row) =>
        JSON.stringify(
          Object.entries(row)
            // Streams that are not sampled have nothing extra; 0 stands for the longest time bucket.
            .filter(([name, value]) => !(/^(extra_|bucket_s)/.test(name) && value === 0))
            .map(([name, value]) => `${name}=${String(rounded(value))}`)
            .toSorted((a, b) => (a < b ? -1 : 1)),
        ),
      )
      .toSorted()
  for (const [table, select] of Object.entries(COUNTS)) {
    const ours = await db.query(
      table === 'numeric_counts'
        ? ON_COARSEST_GRID
        : `SELECT * FROM ${table}${table === 'prediction_times' ? '' : ' FINAL'} WHERE model_id = 'counted'${table === 'category_counts' ? NAMED_ALONE : ''}`,
    )
    expect(ours.length).toBeGreaterThan(0)
    expect({ table, rows: sorted(ours) }).toEqual({
      table,
      rows: sorted(await db.query(select(source))),
    })
  }
})

/** Features that were named and had no value are told of by ours alone. */
const NAMED_ALONE = ' AND count > 0'
/** Finer grids are ours alone; merged they are what grid 17 says. */
const COARSEST_BIN =
  'sign(n.bin_high * 16777216 + n.bin) * bitShiftRight(abs(toInt64(n.bin_high) * 16777216 + n.bin), least(42, 4 * (n.grid - 16) + 3) - 7)'
const ON_COARSEST_GRID = `
  SELECT model_id, step, subject, model_version, variant, shadow, toUInt16(17) AS grid,
    ${COARSEST_BIN} AS bin, sum(n.count) AS count, sum(n.total) AS total, min(n.low) AS low, max(n.high) AS high
  FROM numeric_counts AS n WHERE model_id = 'counted'
  GROUP BY model_id, step, subject, model_version, variant, shadow, ${COARSEST_BIN}`

test('fields and features named like what every object has are names like any other', async () => {
  const names = ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf']
  const values = names.map((name, i) => {
    const event = JSON.stringify(prediction(30_000 + i, { model_id: 'names', features: undefined }))
    return `{"${name}":1,${event.slice(1, -1)},"features":{"${name}":${i},"x":"y"}}`
  })
  await sink.store(rangeOf(TOPIC, sink.mapping, values, 30_000))
  expect(
    await db.query(
      `SELECT mapKeys(features)[1] AS name, unknown_fields FROM predictions WHERE model_id = 'names' ORDER BY offset`,
    ),
  ).toEqual(names.map((name) => ({ name, unknown_fields: 1 })))
})

test('a range of a mapping that is gone is refused, not guessed', async () => {
  await expect(sink.store(rangeOf(TOPIC, 'predictions-0', ['{}'], 9000))).rejects.toThrow(
    'which this release no longer has',
  )
})

/** Messages of the user's own through the sink: events, dead letters and counts of each, once. */
import { beforeAll, expect, test } from 'vitest'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { memoryLog } from '../../../lib/event-log/in-process.ts'
import type { RangeConsumer } from '../../../lib/event-log/port.ts'
import { createMetrics } from '../../../lib/runtime/metrics.ts'
import { messageReader } from '../../../lib/events/decode-message.ts'
import { createSpool } from '../../../lib/clickhouse/spool.ts'
import { sourceConsumer } from '../../../lib/sources/consumer.ts'
import { parseSource } from '../../../lib/sources/source-files.ts'
import type { SourceEventType } from '../../../lib/sources/mapping.ts'
import { labelMapping } from '../../../services/feedback/data/label-rows.ts'
import { createJoin } from '../../../services/feedback/loop/join.ts'
import { NO_PRIVACY } from '../../../lib/events/privacy/redactor.ts'
import { predictionMapping } from '../../../services/ingest/data/prediction-rows.ts'
import { migratedClickHouse, rangeOf } from '../../harness.ts'

const FILE = `source: shop
kafka: { topic: shop.scored }
format: json
events:
  - type: prediction
    where: { $.kind: scored }
    each: $.rows
    fields:
      prediction_id: { template: "{$.id}/{$item.n}" }
      model_id: shop
      model_version: "1"
      predicted_at: { path: $.at, time: epoch_ms }
      score: $item.score
      features: { match: "f_*" }
  - type: label
    where: { $.kind: paid }
    fields:
      label_id: { template: "paid-{$.order}" }
      model_id: shop
      prediction_id: $.order
      label: { path: $.paid, values: { "true": "1", "false": "0" } }
      labelled_at: { path: $.at, time: epoch_ms }
      source: ground_truth
`
const AT = Date.UTC(2025, 5, 1)
const scored = (id: string, rows: readonly object[]) =>
  JSON.stringify({ kind: 'scored', id, at: AT, rows })
const row = (n: number, more = {}) => ({ n, score: 0.5, f_a: n, ...more })

let db: ClickHouse
let directory: string
let connect: (role: string) => ClickHouse
const metrics = createMetrics()
beforeAll(async () => {
  const opened = await migratedClickHouse()
  ;({ db, directory } = opened)
  connect = (role) => opened.engine.connect(role)
})

/** The consumer of a source file, as an event log would be given it. */
function consumerOf(text: string, type: SourceEventType): RangeConsumer {
  let consumer: RangeConsumer | undefined
  sourceConsumer({
    source: parseSource(text, () => ''),
    type,
    service: type === 'label' ? 'feedback' : 'ingest',
    reader: messageReader(),
    duplicateHorizon: 1000,
    clickhouse: db,
    spool: createSpool(`${directory}/spool`, 'process'),
    metrics,
    now: Date.now,
    eventLog: {
      ...memoryLog({ now: Date.now, onError: () => {} }),
      ranges: (given) => {
        consumer = given
        return { name: 'none' }
      },
    },
    mappingOf: (version) =>
      type === 'label'
        ? labelMapping(version, { privacy: NO_PRIVACY })
        : predictionMapping(version),
    committed: () => {},
  })
  return consumer!
}

const counts = async () =>
  (
    await db.query<Record<string, string>>(
      `SELECT (SELECT count() FROM predictions) AS rows, (SELECT sum(events) FROM event_counts) AS events,
         (SELECT sum(count) FROM numeric_counts WHERE subject = 'f_a') AS numbers, (SELECT count() FROM dead_letters) AS dead,
         (SELECT groupArray((rows, rejected, duplicates, filtered, events)) FROM (SELECT * FROM sink_ranges WHERE topic = 'shop/prediction' ORDER BY first)) AS ranges`,
    )
  )[0]

test('events of one message are stored once, its faults are one dead letter, the rest is counted', async () => {
  const consumer = consumerOf(FILE, 'prediction')
  expect([consumer.topic, consumer.from, consumer.group]).toEqual([
    'shop/prediction',
    'shop.scored',
    'plumbline-source-shop-prediction',
  ])
  const range = rangeOf(consumer.topic, consumer.mapping, [
    scored('a', [row(1), row(2), row(2)]),
    scored('b', [row(1), { n: 2 }, row(3, { score: 'high' })]),
    JSON.stringify({ kind: 'paid', order: 'a/1', paid: true, at: AT }),
    '{"knd":"scored"}',
    'garbage',
    scored('c', []),
  ])
  await consumer.store(range)
  await consumer.store({ ...range, replayed: true })
  expect(await counts()).toEqual({
    rows: '3',
    events: '3',
    numbers: '3',
    dead: '2',
    // Messages, refused ones, repeats, filtered ones, events.
    ranges: [['6', '2', '1', '3', '3']],
  })
  const letters = await db.query<Record<string, string>>(
    `SELECT reason, message, topic, service FROM dead_letters ORDER BY offset`,
  )
  expect(letters).toEqual([
    {
      reason: 'unmapped',
      message:
        '2 of 3 events are refused, the first is [1]: no $item.score (score): there are n; $item has none of f_* (features)',
      topic: 'shop/prediction',
      service: 'ingest',
    },
    {
      reason: 'invalid_json',
      message: 'the message is no JSON',
      topic: 'shop/prediction',
      service: 'ingest',
    },
  ])
  const { values } = await metrics.events.get()
  expect(
    values.flatMap(({ labels, value }) =>
      labels.outcome === 'filtered' ? [[labels.reason, value]] : [],
    ),
  ).toEqual([
    ['where $.kind', 2],
    ['no $.kind', 2],
    ['no element', 2],
  ])
})

test('ids of a message’s events are remembered over a restart', async () => {
  const consumer = consumerOf(FILE, 'prediction')
  const range = rangeOf(consumer.topic, consumer.mapping, [scored('a', [row(2), row(9)])], 6)
  await consumer.store({ ...range, continues: false })
  expect(await counts()).toMatchObject({ rows: '4', events: '4' })
})

test('labels of the same topic are stored by their own consumer, and joined', async () => {
  const consumer = consumerOf(FILE, 'label')
  const range = rangeOf(consumer.topic, consumer.mapping, [
    scored('a', [row(1)]),
    JSON.stringify({ kind: 'paid', order: 'a/1', paid: true, at: AT }),
  ])
  await consumer.store(range)
  await createJoin(connect('join'), { declared: [] }).resolve()
  expect(
    await db.query(`SELECT prediction_id, label FROM outcomes WHERE model_id = 'shop'`),
  ).toEqual([{ prediction_id: 'a/1', label: '1' }])
})

test('a range that was cut off is completed by the file that began it', async () => {
  const first = consumerOf(FILE, 'prediction')
  const values = [scored('late', [row(1), row(2)])]
  const range = rangeOf(first.topic, first.mapping, values, 100)
  await first.store(range)
  const before = await counts()
  const changed = consumerOf(FILE.replace('match: "f_*"', 'match: "g_*"'), 'prediction')
  expect(changed.mapping).not.toBe(first.mapping)
  await changed.store({ ...range, replayed: true })
  expect(await counts()).toEqual(before)
  const unknown = { ...range, mapping: 'source-1-0123456789abcdef', replayed: true }
  await expect(changed.store(unknown)).rejects.toThrow('which this release no longer has')
})

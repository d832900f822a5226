/**
 * What producers say they emitted, beside what came: losses and repeats are counted exactly, and
 * gate verdicts.
 */
import { beforeAll, expect, test } from 'vitest'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { murmurHash3, xxHash32 } from '../../../lib/sink/id-hash.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import type { Sink } from '../../../lib/sink/sink.ts'
import { driftQueries } from '../../../services/drift/queries/drift-queries.ts'
import { PREDICTION_MAPPINGS } from '../../../services/ingest/data/prediction-rows.ts'
import { migratedClickHouse, rangeOf, sinkOn } from '../../harness.ts'
import { prediction } from '../../servers/processes.ts'
import { evaluateOn } from '../../evaluating.ts'

const START = Date.UTC(2026, 0, 1)
const HOUR = 3_600_000
let db: ClickHouse
let sink: Sink
let directory: string
let offset = 0
beforeAll(async () => {
  const opened = await migratedClickHouse()
  db = opened.db
  directory = opened.directory
  sink = sinkOn(db, directory, 'ingest', PREDICTION_MAPPINGS[0])
})

async function store(events: readonly object[], into = sink) {
  await into.store(
    rangeOf(
      'plumbline.predictions.v1',
      into.mapping,
      events.map((e) => JSON.stringify(e)),
      offset,
    ),
  )
  offset += events.length
}

/** Two producers take turns; each numbers its own events. */
const emitted = (model: string, hours: number, perHour: number) =>
  Array.from({ length: hours * perHour }, (_, i) =>
    prediction(i, {
      model_id: model,
      predicted_at: new Date(START + Math.floor((i * HOUR) / perHour)).toISOString(),
      features: { x: i % 10 },
      producer: { id: `pod-${i % 2}`, sequence: Math.floor(i / 2) },
    }),
  )

test('of a known 3 % dropped, exactly that is reported, per window and in sum', async () => {
  // Not the first and last of a producer: what nobody numbered after cannot be missed yet.
  const all = emitted('lossy', 3, 1000)
  const isDropped = (i: number) => i > 1 && i < 2998 && (i * 7919) % 100 < 3
  await store(all.filter((_, i) => !isDropped(i)))
  const dropped = all.filter((_, i) => isDropped(i)).length
  expect(dropped / all.length).toBeCloseTo(0.03, 2)
  expect(
    await db.query(
      `SELECT sum(emitted) AS emitted, sum(received_events) AS received, sum(missing) AS missing FROM producer_completeness WHERE model_id = 'lossy'`,
    ),
  ).toEqual([{ emitted: '3000', received: String(3000 - dropped), missing: String(dropped) }])
  const queries = driftQueries(db)
  let received = 0
  let lost = 0
  for (let hour = 0; hour < 3; hour++) {
    const share = await queries.completeness('lossy', {
      start: START + hour * HOUR,
      end: START + (hour + 1) * HOUR,
    })
    const came = all.filter((_, i) => Math.floor(i / 1000) === hour && !isDropped(i)).length
    received += came
    lost += came / share! - came
    expect(share).toBeCloseTo(0.97, 1)
  }
  expect(Math.round(lost)).toBe(dropped)
  expect(received).toBe(3000 - dropped)
})

test('the same events again, within a range and after a restart, count once and are counted as duplicates', async () => {
  const all = emitted('again', 1, 100)
  await store([...all, ...all.slice(0, 10)])
  await store(all.slice(0, 5))
  // Another process, which remembers nothing: it reads the ids back.
  const restarted = sinkOn(db, `${directory}/restarted`, 'ingest', PREDICTION_MAPPINGS[0])
  const range = rangeOf(
    'plumbline.predictions.v1',
    restarted.mapping,
    all.map((e) => JSON.stringify(e)),
    offset,
  )
  await restarted.store({ ...range, continues: false })
  offset += 100
  expect(
    await db.query(`SELECT (SELECT count() FROM predictions WHERE model_id = 'again') AS rows,
      (SELECT sum(events) FROM event_counts WHERE model_id = 'again') AS events, (SELECT sum(duplicates) FROM event_counts WHERE model_id = 'again') AS duplicates,
      (SELECT sum(count) FROM numeric_counts WHERE model_id = 'again' AND subject = 'x') AS numbers,
      (SELECT sum(duplicated) FROM producer_completeness WHERE model_id = 'again') AS told,
      (SELECT sum(duplicates) FROM sink_ranges) AS logged`),
  ).toEqual([
    { rows: '100', events: '100', duplicates: '115', numbers: '100', told: '115', logged: '115' },
  ])
})

test('hashes are those of ClickHouse', async () => {
  const ids = [
    '',
    'a',
    'm/p-1',
    'fraud/0198c1f2-7d10-7aaa-8bbb-100000000000',
    'é/😀',
    'x'.repeat(401),
  ]
  for (const id of ids) {
    const bytes = Buffer.from(id)
    expect(
      await db.query(`SELECT xxHash32({id:String}) AS a, murmurHash3_32({id:String}) AS b`, { id }),
    ).toEqual([{ a: xxHash32(bytes), b: murmurHash3(bytes) }])
  }
})

test('beyond the horizon an id is new again, the same way before and after a restart', async () => {
  const small = () =>
    sinkOn(db, `${directory}/small`, 'ingest', PREDICTION_MAPPINGS[0], { duplicateHorizon: 50 })
  const all = emitted('horizon', 1, 120)
  const topic = 'plumbline.horizon'
  let at = 0
  const into = async (target: Sink, events: readonly object[], continues: boolean) => {
    const range = rangeOf(
      topic,
      target.mapping,
      events.map((e) => JSON.stringify(e)),
      at,
    )
    await target.store({ ...range, continues })
    at += events.length
  }
  const one = small()
  await into(one, all.slice(0, 60), false)
  await into(one, all.slice(60, 120), true)
  // The newest 50 of 120 stored ids are 70 to 119.
  await into(small(), [all[69]!, all[70]!, all[119]!], false)
  expect(
    await db.query(`SELECT duplicates FROM sink_ranges WHERE topic = '${topic}' ORDER BY first`),
  ).toEqual([{ duplicates: '0' }, { duplicates: '0' }, { duplicates: '2' }])
})

test('below min_completeness nothing is evaluated, and the values stand', async () => {
  const all = emitted('gated', 2, 400)
  // The second hour loses a tenth.
  await store(all.filter((_, i) => i < 400 || i % 10 < 9 || i > 790))
  const model = parseModel(
    'model_id: gated\ntask: binary\nwindows: { size: 1h, lateness: 15m, min_count: 50 }\nreferences: { baseline: { kind: first, windows: 1, baseline: true } }\n',
  )
  await evaluateOn(db, { now: () => START + 48 * HOUR })(model)
  const results = await db.query<{
    verdict: string
    value: number
    completeness: number
    reason: string
  }>(
    `SELECT verdict, value, completeness, reason FROM window_metrics_latest WHERE model_id = 'gated' AND metric = 'psi' AND subject = 'x' AND convention = 'plumbline' AND reference = 'baseline'`,
  )
  expect(results).toHaveLength(1)
  expect(results[0]).toMatchObject({ verdict: 'incomplete', value: expect.any(Number) })
  expect(results[0]!.completeness).toBeCloseTo(0.9, 1)
  expect(results[0]!.reason).toContain('below min_completeness 0.95')
})

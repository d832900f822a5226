/**
 * The join against a model of it in a few lines: any order of arrival, any batches, ended anywhere.
 */
import fc from 'fast-check'
import { Registry } from 'prom-client'
import { beforeAll, expect, test } from 'vitest'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { TOPICS } from '../../../schemas/topics.ts'
import { createJoin } from '../../../services/feedback/loop/join.ts'
import { LABEL_MAPPINGS } from '../../../services/feedback/data/label-rows.ts'
import { waitingMetrics } from '../../../services/feedback/queries/waiting-labels.ts'
import { PREDICTION_MAPPINGS } from '../../../services/ingest/data/prediction-rows.ts'
import { migratedClickHouse, rangeOf, sinkOn } from '../../harness.ts'

interface Predicted {
  prediction_id: string
  trace_id: string
  subject_id: string
  predicted_at: string
}
interface Labelled {
  label_id: string
  prediction_id?: string
  trace_id?: string
  subject_id?: string
  label: string
  labelled_at: string
  source: string
  labeler: string
  retracted: boolean
}
type Event = { predicted: Predicted } | { labelled: Labelled }

const RANK = ['ground_truth', 'human_review', 'user_feedback', 'judge']
const at = (hour: number) =>
  `2026-01-0${1 + Math.floor(hour / 24)}T${String(hour % 24).padStart(2, '0')}:00:00Z`
const later = (a: string, b: string) => (a < b ? 1 : a > b ? -1 : 0)

/** The prediction a label is about, of all there are. */
function meant(label: Labelled, all: readonly Predicted[]): string | undefined {
  const byTime = (p: Predicted) => `${p.predicted_at} ${p.prediction_id}`
  const sorted = all.toSorted((a, b) => later(byTime(b), byTime(a)))
  if (label.prediction_id)
    return all.find((p) => p.prediction_id === label.prediction_id)?.prediction_id
  if (label.trace_id) return sorted.find((p) => p.trace_id === label.trace_id)?.prediction_id
  return sorted.findLast(
    (p) => p.subject_id === label.subject_id && p.predicted_at <= label.labelled_at,
  )?.prediction_id
}

/** The truth of every prediction that has one. */
function naive(events: readonly Event[]): Record<string, string> {
  const predictions = events.flatMap((e) => ('predicted' in e ? [e.predicted] : []))
  const labels = events.flatMap((e) => ('labelled' in e ? [e.labelled] : []))
  const truths: Record<string, string> = {}
  for (const [id, own] of Map.groupBy(labels, (label) => meant(label, predictions) ?? '')) {
    if (id === '') continue
    const when = (l: Labelled) => `${l.labelled_at} ${l.label_id}`
    const newest = [...Map.groupBy(own, (l) => `${l.source} ${l.labeler}`).values()].map(
      (same) => same.toSorted((a, b) => later(when(a), when(b)))[0]!,
    )
    const [winner] = newest
      .filter((l) => !l.retracted)
      .toSorted(
        (a, b) => RANK.indexOf(a.source) - RANK.indexOf(b.source) || later(when(a), when(b)),
      )
    if (winner) truths[id] = winner.label
  }
  return truths
}

const predicted = (i: number) =>
  fc.record({
    prediction_id: fc.constant(`p-${i}`),
    trace_id: fc.constantFrom('', 't-1', 't-2'),
    subject_id: fc.constantFrom('', 's-1', 's-2'),
    predicted_at: fc.integer({ min: 0, max: 8 }).map(at),
  })
const labelled = (i: number) =>
  fc
    .record({
      about: fc.oneof(
        fc.integer({ min: 0, max: 9 }).map((id) => ({ prediction_id: `p-${id}` })),
        fc.constantFrom({ trace_id: 't-1' }, { trace_id: 't-2' }, { trace_id: 't-9' }),
        fc.constantFrom({ subject_id: 's-1' }, { subject_id: 's-2' }, { subject_id: 's-9' }),
      ),
      label: fc.constantFrom('0', '1'),
      labelled_at: fc.integer({ min: 0, max: 10 }).map(at),
      source: fc.constantFrom(...RANK),
      labeler: fc.constantFrom('a', 'b'),
      retracted: fc.boolean(),
    })
    .map(({ about, ...label }) => ({ label_id: `l-${i}`, ...about, ...label }))

/**
 * A connection whose statement number `ends` fails, before or after it is done, as a killed process
 * leaves things.
 */
function ending(db: ClickHouse, ends: number, isAfter: boolean): ClickHouse {
  let left = ends
  const guard = async <T>(run: () => Promise<T>): Promise<T> => {
    if (left-- > 0) return run()
    if (isAfter && left === -1) await run()
    throw new Error('killed')
  }
  return {
    ...db,
    command: (sql, params) => guard(() => db.command(sql, params)),
    query: (sql, params) => guard(() => db.query(sql, params)) as never,
    insertRows: (table, rows, token) => guard(() => db.insertRows(table, rows, token)),
  }
}

async function stores() {
  const { db, engine, directory } = await migratedClickHouse()
  let offset = 0
  const stored = (topic: string, sink: ReturnType<typeof sinkOn>) => async (events: object[]) => {
    if (events.length === 0) return
    const lines = events.map((event) => JSON.stringify(event))
    await sink.store(rangeOf(topic, sink.mapping, lines, offset))
    offset += events.length
  }
  return {
    db,
    other: engine.connect('join'),
    predictions: stored(
      TOPICS.predictions.topic,
      sinkOn(db, directory, 'ingest', PREDICTION_MAPPINGS[0]),
    ),
    labels: stored(
      TOPICS.labels.topic,
      sinkOn(db, `${directory}/labels`, 'feedback', LABEL_MAPPINGS[0]),
    ),
  }
}

let opened: Awaited<ReturnType<typeof stores>>
beforeAll(async () => {
  opened = await stores()
})

async function joinAll(join: ReturnType<typeof createJoin>) {
  while ((await join.resolve()).more);
}

test('predictions, labels, corrections, retractions, by id, trace and subject: any order, batches and ends give the answer of the model', async () => {
  const { db, other, predictions, labels } = opened
  let run = 0
  const events = fc
    .tuple(
      ...Array.from({ length: 8 }, (_, i) => predicted(i)),
      ...Array.from({ length: 14 }, (_, i) => labelled(i)),
    )
    .map((all): Event[] =>
      all.map((one) =>
        'label' in one ? { labelled: one as Labelled } : { predicted: one as Predicted },
      ),
    )
  const shuffled = events.chain((all) => fc.shuffledSubarray(all, { minLength: all.length }))
  const steps = fc.array(
    fc.record({
      size: fc.integer({ min: 1, max: 8 }),
      ends: fc.option(fc.integer({ min: 0, max: 20 })),
      isAfter: fc.boolean(),
    }),
    { minLength: 8, maxLength: 8 },
  )
  await fc.assert(
    fc.asyncProperty(shuffled, steps, async (all, batches) => {
      const model_id = `m-${run++}`
      const ids = (text: string) => `${model_id}-${text}`
      let from = 0
      for (const { size, ends, isAfter } of [
        ...batches,
        { size: all.length, ends: null, isAfter: true },
      ]) {
        const batch = all.slice(from, (from += size))
        await predictions(
          batch.flatMap((e) =>
            'predicted' in e
              ? [
                  {
                    ...e.predicted,
                    model_id,
                    model_version: '1',
                    prediction: '1',
                    trace_id: e.predicted.trace_id || undefined,
                    subject_id: e.predicted.subject_id || undefined,
                  },
                ]
              : [],
          ),
        )
        await labels(
          batch.flatMap((e) =>
            'labelled' in e
              ? [{ ...e.labelled, label_id: ids(e.labelled.label_id), model_id }]
              : [],
          ),
        )
        // Every join is a new one, as after a restart; two at a time, as two processes are.
        const one = createJoin(ends === null ? db : ending(db, ends, isAfter), { declared: [] })
        const two = createJoin(other, { declared: [] }, { labels: 3, predictions: 3 })
        await Promise.all([one.resolve().catch(() => {}), ends === 7 ? two.resolve() : undefined])
      }
      await joinAll(createJoin(db, { declared: [] }))
      const rows = await db.query<{ prediction_id: string; label: string }>(
        'SELECT prediction_id, label FROM outcomes WHERE model_id = {model_id:String} AND isNotNull(label)',
        { model_id },
      )
      expect(Object.fromEntries(rows.map((row) => [row.prediction_id, row.label]))).toEqual(
        naive(all),
      )
      const waiting = await db.query<{ label_id: string }>(
        'SELECT label_id FROM labels_waiting WHERE model_id = {model_id:String} ORDER BY label_id',
        { model_id },
      )
      const known = all.flatMap((e) => ('predicted' in e ? [e.predicted] : []))
      expect(waiting.map((row) => row.label_id)).toEqual(
        all
          .flatMap((e) =>
            'labelled' in e && !meant(e.labelled, known) ? [ids(e.labelled.label_id)] : [],
          )
          .toSorted(),
      )
    }),
    { numRuns: 6, seed: 3 },
  )
})

test('labels whose predictions never come stop no other label, and are told', async () => {
  const { db, predictions, labels } = opened
  const join = createJoin(db, { declared: [] })
  const said = (model_id: string, i: number) => ({
    label_id: `${model_id}-${i}`,
    model_id,
    prediction_id: `p-${i}`,
    label: '1',
    labelled_at: at(30),
    source: 'ground_truth',
  })
  await labels(Array.from({ length: 25_000 }, (_, i) => said('aaa', i)))
  await labels([said('zzz', 1)])
  await joinAll(join)
  await predictions([
    {
      prediction_id: 'p-1',
      model_id: 'zzz',
      model_version: '1',
      prediction: '1',
      predicted_at: at(1),
    },
  ])
  await joinAll(join)
  await labels([said('zzz', 2)])
  await predictions([
    {
      prediction_id: 'p-2',
      model_id: 'zzz',
      model_version: '1',
      prediction: '1',
      predicted_at: at(1),
    },
  ])
  await joinAll(join)
  expect(
    await db.query(
      `SELECT prediction_id FROM outcomes WHERE model_id = 'zzz' ORDER BY prediction_id`,
    ),
  ).toEqual([{ prediction_id: 'p-1' }, { prediction_id: 'p-2' }])
  const registry = new Registry()
  await labels(Array.from({ length: 25 }, (_, i) => said(`model-${i}`, i)))
  await waitingMetrics(db, registry, Date.now).refresh()
  const told = await registry.metrics()
  expect(told).toContain('plumbline_labels_waiting{model_id="aaa"} 25000')
  expect(told).toMatch(/^plumbline_labels_waiting\{model_id="other"\} \d+$/m)
  expect(told.match(/^plumbline_labels_waiting\{/gm)).toHaveLength(21)
  expect(Number(/^plumbline_labels_waiting_oldest_seconds (.*)$/m.exec(told)![1])).toBeGreaterThan(
    0,
  )
})

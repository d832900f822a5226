/** Labels meet predictions in any order, and end in the batch answer. */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { migratedClickHouse, rangeOf, RECEIVED_AT, sinkOn } from '../../harness.ts'
import { prediction } from '../../servers/processes.ts'
import { NO_PRIVACY } from '../../../lib/events/privacy/redactor.ts'
import { liveLabelChecks } from '../../../lib/models/labels/label-values.ts'
import { labelReport } from '../../../services/feedback/queries/label-report.ts'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import type { Sink } from '../../../lib/sink/sink.ts'
import { createJoin, type Join } from '../../../services/feedback/loop/join.ts'
import { labelMappings } from '../../../services/feedback/data/label-rows.ts'
import { PREDICTION_MAPPINGS } from '../../../services/ingest/data/prediction-rows.ts'

const declared = [
  parseModel('{ model_id: spelled, task: binary, classes: ["0", "1"] }'),
  parseModel('{ model_id: voted, task: binary, labels: { resolve: majority } }'),
]
let db: ClickHouse
let predictions: Sink
let labels: Sink
let join: Join
let offset = 0
beforeAll(async () => {
  const opened = await migratedClickHouse()
  db = opened.db
  predictions = sinkOn(db, opened.directory, 'ingest', PREDICTION_MAPPINGS[0])
  const [mapping] = labelMappings({ privacy: NO_PRIVACY, checks: liveLabelChecks({ declared }) })
  labels = sinkOn(db, `${opened.directory}/labels`, 'feedback', mapping)
  join = createJoin(opened.engine.connect('join'), { declared })
})

async function store(sink: Sink, topic: string, events: readonly object[]) {
  if (events.length === 0) return
  await sink.store(
    rangeOf(
      topic,
      sink.mapping,
      events.map((event) => JSON.stringify(event)),
      offset,
    ),
  )
  offset += events.length
}

interface Label {
  label_id: string
  prediction_id?: string
  trace_id?: string
  subject_id?: string
  label: string
  labelled_at: string
  source: string
  labeler?: string
  retracted?: boolean
}
const label = (model: string, more: Label) => ({ model_id: model, ...more })

test('before the prediction a label waits, and is joined once the prediction has come', async () => {
  await store(labels, 'plumbline.labels.v1', [
    label('late', {
      label_id: 'l',
      prediction_id: 'p-1',
      label: '1',
      labelled_at: '2026-01-02T00:00:00Z',
      source: 'ground_truth',
    }),
  ])
  expect((await join.resolve()).models).toEqual([])
  expect(await db.query('SELECT prediction_id FROM labels_waiting')).toEqual([
    { prediction_id: 'p-1' },
  ])
  await store(predictions, 'plumbline.predictions.v1', [prediction(1, { model_id: 'late' })])
  expect((await join.resolve()).models).toEqual(['late'])
  expect(await db.query(`SELECT label FROM outcomes WHERE model_id = 'late'`)).toEqual([
    { label: '1' },
  ])
  expect(await db.query('SELECT prediction_id FROM labels_waiting')).toEqual([])
})

/** The batch answer, written without looking at the SQL. */
function expectedLabel(all: readonly Label[]): string | null {
  const rank = ['ground_truth', 'human_review', 'user_feedback', 'judge']
  const seen = new Map<string, Label>()
  for (const one of all) if (!seen.has(one.label_id)) seen.set(one.label_id, one)
  const later = (a: Label, b: Label) =>
    a.labelled_at === b.labelled_at ? a.label_id > b.label_id : a.labelled_at > b.labelled_at
  const newest = new Map<string, Label>()
  for (const one of seen.values()) {
    const identity = `${one.source} ${one.labeler ?? ''}`
    const held = newest.get(identity)
    if (!held || later(one, held)) newest.set(identity, one)
  }
  const standing = [...newest.values()].filter((one) => !one.retracted)
  standing.sort((a, b) => rank.indexOf(a.source) - rank.indexOf(b.source) || (later(a, b) ? -1 : 1))
  return standing[0]?.label ?? null
}

test('corrections, retractions, several sources and reviewers, other ids, duplicates: any order of arrival gives the batch answer', async () => {
  const draft = fc.record({
    id: fc.integer({ min: 0, max: 5 }),
    label: fc.constantFrom('0', '1'),
    day: fc.integer({ min: 1, max: 3 }),
    source: fc.constantFrom('ground_truth', 'human_review', 'user_feedback', 'judge'),
    labeler: fc.constantFrom('a', 'b'),
    retracted: fc.boolean(),
    about: fc.constantFrom('prediction_id', 'trace_id', 'subject_id'),
  })
  const cases = fc.sample(fc.array(draft, { minLength: 1, maxLength: 6 }), {
    numRuns: 1000,
    seed: 11,
  })
  const all = cases.map((drafts, i) => {
    const byId = new Map(drafts.map((d) => [d.id, d]))
    // A repeated label_id repeats its label; that is what makes it a repetition.
    return drafts.map(({ id }) => {
      const d = byId.get(id)!
      return {
        label_id: `${i}-${id}`,
        [d.about]: `p-${i}`,
        label: d.label,
        labelled_at: `2026-01-0${d.day}T00:00:00Z`,
        source: d.source,
        labeler: d.labeler,
        retracted: d.retracted,
      }
    })
  })
  const events = fc.sample(fc.shuffledSubarray(all.flat(), { minLength: all.flat().length }), {
    numRuns: 1,
    seed: 12,
  })[0]!
  const half = Math.floor(events.length / 2)
  const send = (some: readonly Label[]) =>
    store(
      labels,
      'plumbline.labels.v1',
      some.map((one) => label('orders', one)),
    )
  await send(events.slice(0, half))
  await join.resolve()
  await store(
    predictions,
    'plumbline.predictions.v1',
    all.map((_, i) => {
      const predicted_at = '2026-01-01T00:00:00Z'
      return prediction(i, {
        model_id: 'orders',
        predicted_at,
        trace_id: `p-${i}`,
        subject_id: `p-${i}`,
      })
    }),
  )
  for (let i = half; i < events.length; i += 150) {
    await send(events.slice(i, i + 150))
    await join.resolve()
  }
  const rows = await db.query<{ prediction_id: string; label: string | null }>(
    `SELECT prediction_id, label FROM outcomes WHERE model_id = 'orders'`,
  )
  const found = Object.fromEntries(rows.map((row) => [row.prediction_id, row.label]))
  expect(found).toEqual(Object.fromEntries(all.map((own, i) => [`p-${i}`, expectedLabel(own)])))
})

test('a label that names a trace or a subject is of one prediction: the first of the trace, the subject’s newest by then', async () => {
  const at = (hour: number) => `2026-01-01T0${hour}:00:00Z`
  const of = (i: number, predicted_at: string, more: object) =>
    prediction(i, { model_id: 'named', predicted_at, ...more })
  const said = (label_id: string, more: object) =>
    label('named', { label_id, label: '1', labelled_at: at(4), source: 'user_feedback', ...more })
  await store(labels, 'plumbline.labels.v1', [
    said('of-trace', { trace_id: 't' }),
    said('of-subject', { subject_id: 's' }),
    said('of-nobody', { subject_id: 'nobody' }),
    said('too-early', { subject_id: 's', labelled_at: at(0) }),
  ])
  expect((await join.resolve()).models).toEqual([])
  await store(predictions, 'plumbline.predictions.v1', [
    of(1, at(1), { trace_id: 't' }),
    of(2, at(5), { trace_id: 't' }),
    of(3, at(1), { subject_id: 's' }),
    of(4, at(3), { subject_id: 's' }),
    of(5, at(5), { subject_id: 's', trace_id: 's' }),
  ])
  await join.resolve()
  await store(predictions, 'plumbline.predictions.v1', [
    of(6, at(6), { trace_id: 't' }),
    of(7, at(4), { subject_id: 's' }),
  ])
  await join.resolve()
  // The label of the other model's trace is none of ours.
  await store(predictions, 'plumbline.predictions.v1', [
    prediction(8, { model_id: 'other', subject_id: 'nobody' }),
  ])
  await join.resolve()
  expect(
    await db.query(
      `SELECT prediction_id, label FROM outcomes WHERE model_id = 'named' ORDER BY prediction_id`,
    ),
  ).toEqual([
    { prediction_id: 'p-1', label: '1' },
    // It was meant as long as no newer one by then was known.
    { prediction_id: 'p-4', label: null },
    { prediction_id: 'p-7', label: '1' },
  ])
  expect(
    await db.query(
      `SELECT label_id FROM labels_waiting WHERE model_id = 'named' ORDER BY label_id`,
    ),
  ).toEqual([{ label_id: 'of-nobody' }, { label_id: 'too-early' }])
  // Taken back by the same trace: the same prediction is meant.
  await store(labels, 'plumbline.labels.v1', [
    said('back', { trace_id: 't', labelled_at: at(7), retracted: true }),
  ])
  await join.resolve()
  expect(
    await db.query(
      `SELECT prediction_id, label FROM outcomes WHERE model_id = 'named' ORDER BY prediction_id`,
    ),
  ).toEqual([
    { prediction_id: 'p-1', label: null },
    { prediction_id: 'p-4', label: null },
    { prediction_id: 'p-7', label: '1' },
  ])
})

test('labels and predictions stored at the same time: none is lost between waiting and joined', async () => {
  const count = 400
  let storing = true
  const joining = (async () => {
    while (storing) await join.resolve()
  })()
  for (let i = 0; i < count; i += 20) {
    const ids = Array.from({ length: 20 }, (_, k) => i + k)
    await Promise.all([
      store(
        predictions,
        'plumbline.predictions.v1',
        ids.map((id) => prediction(id, { model_id: 'race' })),
      ),
      store(
        labels,
        'plumbline.labels.v1',
        ids.map((id) =>
          label('race', {
            label_id: `r-${id}`,
            prediction_id: `p-${id}`,
            label: '1',
            labelled_at: '2026-01-02T00:00:00Z',
            source: 'ground_truth',
          }),
        ),
      ),
    ])
  }
  storing = false
  await joining
  await join.resolve()
  expect(await db.query(`SELECT count() AS n FROM outcomes WHERE model_id = 'race'`)).toEqual([
    { n: String(count) },
  ])
  expect(await db.query(`SELECT count() AS n FROM labels_waiting WHERE model_id = 'race'`)).toEqual(
    [{ n: '0' }],
  )
})

test('a model ranks the sources of truth as its file says, beside models that do not', async () => {
  const ranking = createJoin(db, {
    declared: [
      parseModel(
        'model_id: ranked\ntask: binary\nlabels: { precedence: [judge, ground_truth, human_review, user_feedback] }\n',
      ),
    ],
  })
  const both = (model: string) =>
    (['judge', 'ground_truth'] as const).map((source) =>
      label(model, {
        label_id: source,
        prediction_id: 'p-1',
        label: source,
        labelled_at: '2026-01-02T00:00:00Z',
        source,
      }),
    )
  for (const model_id of ['ranked', 'unranked'])
    await store(predictions, 'plumbline.predictions.v1', [prediction(1, { model_id })])
  await store(labels, 'plumbline.labels.v1', [...both('ranked'), ...both('unranked')])
  await ranking.resolve()
  expect(
    await db.query(
      `SELECT model_id, label FROM outcomes WHERE model_id IN ('ranked', 'unranked') ORDER BY model_id`,
    ),
  ).toEqual([
    { model_id: 'ranked', label: 'judge' },
    { model_id: 'unranked', label: 'ground_truth' },
  ])
})

test('what most labelers of the deciding source say is true, and how many say so is kept', async () => {
  const votes = ['1', '1', '0'].map((said, i) =>
    label('voted', {
      label_id: `v-${i}`,
      prediction_id: 'p-1',
      label: said,
      labelled_at: `2026-01-0${i + 2}T00:00:00Z`,
      source: 'human_review',
      labeler: `reviewer-${i}`,
    }),
  )
  const judged = { ...votes[0]!, label_id: 'j', label: '0', source: 'judge', labeler: 'gpt' }
  const newest = votes.map((vote) => ({ ...vote, model_id: 'newest' }))
  for (const model_id of ['voted', 'newest'])
    await store(predictions, 'plumbline.predictions.v1', [prediction(1, { model_id })])
  await store(labels, 'plumbline.labels.v1', [...votes, judged, ...newest])
  await join.resolve()
  const outcomes = () =>
    db.query(
      `SELECT model_id, label, labeler, votes, voters FROM outcomes WHERE model_id IN ('voted', 'newest') ORDER BY model_id`,
    )
  expect(await outcomes()).toEqual([
    { model_id: 'newest', label: '0', labeler: 'reviewer-2', votes: 1, voters: 3 },
    { model_id: 'voted', label: '1', labeler: 'reviewer-1', votes: 2, voters: 3 },
  ])
  // One of them takes it back: of equals the newest.
  await store(labels, 'plumbline.labels.v1', [
    { ...votes[0]!, label_id: 'back', labelled_at: '2026-01-09T00:00:00Z', retracted: true },
  ])
  await join.resolve()
  expect((await outcomes())[1]).toEqual({
    model_id: 'voted',
    label: '0',
    labeler: 'reviewer-2',
    votes: 1,
    voters: 2,
  })
})

test('labels are read by the classes of their model, and what is odd about them is counted', async () => {
  const DAY = 86_400_000
  const now = RECEIVED_AT
  const said = (id: string, value: unknown, more: object = {}) => ({
    model_id: 'spelled',
    label_id: id,
    prediction_id: id,
    label: value,
    labelled_at: new Date(now).toISOString(),
    source: 'ground_truth',
    ...more,
  })
  await store(
    predictions,
    'plumbline.predictions.v1',
    [1, 2, 3].map((n) =>
      prediction(n, { model_id: 'spelled', predicted_at: new Date(now - DAY).toISOString() }),
    ),
  )
  await store(labels, 'plumbline.labels.v1', [
    said('p-1', '1.0'),
    said('p-2', 'banana'),
    said('p-2', ' TRUE', { labelled_at: new Date(now + 365 * DAY).toISOString() }),
    said('p-3', 0, { labelled_at: new Date(now - 3 * DAY).toISOString() }),
    // One id for labels of two predictions, one of which never comes.
    said('p-1', '0', { prediction_id: 'p-lost' }),
  ])
  await join.resolve()
  expect(
    await db.query(
      `SELECT prediction_id, label FROM outcomes WHERE model_id = 'spelled' ORDER BY prediction_id`,
    ),
  ).toEqual([
    { prediction_id: 'p-1', label: '1' },
    { prediction_id: 'p-2', label: '1' },
    { prediction_id: 'p-3', label: '0' },
  ])
  const report = await labelReport(db, { modelId: 'spelled', days: 30, now: now + 60 * DAY })
  expect(report.waiting).toMatchObject({ labels: 1, longer_than_days: 1 })
  expect(report.waiting.oldest_seconds).toBeGreaterThan((59 * DAY) / 1000)
  expect(await labelReport(db, { modelId: 'spelled', days: 30, now })).toMatchObject({
    labels: 4,
    refused: 1,
    normalised: 2,
    shared_ids: 1,
    before_prediction: { labels: 1, furthest_seconds: (2 * DAY) / 1000 },
    ahead: { labels: 1 },
    waiting: { labels: 1, longer_than_days: 0 },
  })
  expect(await labelReport(db, { modelId: 'nobody', days: 1, now })).toMatchObject({
    labels: 0,
    ahead: { labels: 0, furthest_seconds: null },
    waiting: { labels: 0, oldest_seconds: null },
  })
})

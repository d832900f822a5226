/**
 * Data sets: the same bytes after more came in, a plain word where rows are gone, and in every
 * format what was stored.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { createSpool } from '../../../lib/clickhouse/spool.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import type { DatasetBody, DatasetManifest } from '../../../schemas/http/labels/datasets.ts'
import { withheldFrom } from '../../../services/feedback/data/datasets/columns.ts'
import { readQuestion } from '../../../services/feedback/data/datasets/question.ts'
import { labelStudioLabels } from '../../../services/feedback/data/exchange/label-studio.ts'
import {
  makeDataset,
  remakeDataset,
  type DatasetMaker,
} from '../../../services/feedback/queries/datasets/make.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const START = Date.UTC(2025, 0, 1)
const NOW = Date.UTC(2026, 0, 1)
const at = (minutes: number) => new Date(START + minutes * 60_000).toISOString()
const MODEL = parseModel(`
model_id: loans
task: binary
classes: ['0', '1']
cohorts: { where: { large: amount > 50 } }
privacy: { withhold: [salary] }
`)

let on: Pipeline
let maker: DatasetMaker
let folder: string

const prediction = (id: string, minute: number, more: object = {}) => ({
  prediction_id: id,
  model_id: 'loans',
  model_version: '7',
  predicted_at: at(minute),
  prediction: minute % 2 === 0 ? '1' : '0',
  score: 0.25,
  features: { amount: minute * 10, salary: 1000, 'odd "`name': '=1+1', even: minute % 2 === 0 },
  attributes: { country: minute < 5 ? 'DE' : 'FR' },
  ...more,
})
const label = (id: string, prediction_id: string, value: string, more: object = {}) => ({
  label_id: id,
  model_id: 'loans',
  prediction_id,
  label: value,
  labelled_at: at(100),
  source: 'ground_truth',
  ...more,
})

beforeAll(async () => {
  on = await pipeline()
  folder = join(on.directory, 'dataset-spool')
  maker = {
    db: on.connect('datasets'),
    spool: createSpool(folder, 'process'),
    bounds: { rows: 1000, bytes: 1_000_000 },
  }
  await on.predictions([
    ...Array.from({ length: 10 }, (_, i) => prediction(`p-${i}`, i)),
    prediction('traced', 20, { trace_id: 'a-trace', subject_id: 'ann-of-the-street' }),
    prediction('seen', 21, { shadow: true }),
    ...['good', 'bad', 'middling'].map((id, i) =>
      prediction(id, 30 + i, { input_text: 'why?', output_text: `${id} answer` }),
    ),
    prediction('alone', 40, { input_text: 'alone?', output_text: 'yes' }),
  ])
  await on.labels([
    label('l-1', 'p-1', '0', {
      source: 'human_review',
      labeler: 'ann',
      inclusion_probability: 0.5,
    }),
    label('l-1b', 'p-1', '1', { source: 'human_review', labeler: 'bob', labelled_at: at(90) }),
    label('l-2', 'p-2', '1'),
    label('l-2b', 'p-2', '0', { source: 'judge', labelled_at: at(200) }),
    label('l-9', 'p-9', ' TRUE '),
    { ...label('l-t', '', '1'), prediction_id: undefined, trace_id: 'a-trace' },
    ...[
      ['good', '5'],
      ['bad', '1'],
      ['middling', '3'],
      ['alone', '4'],
    ].map(([id, stars]) => label(`s-${id}`, id!, stars!, { name: 'stars' })),
    label('than', 'good', 'bad', { name: 'better_than' }),
  ])
})

const asked = (more: Partial<DatasetBody>): DatasetBody => ({
  model_id: 'loans',
  from: at(0),
  to: at(60),
  label: 'label',
  rows: 'labelled',
  format: 'jsonl',
  ...more,
})

const made = async (more: Partial<DatasetBody> = {}, isAdmin = true) =>
  makeDataset(
    maker,
    readQuestion(asked(more), MODEL, NOW),
    MODEL,
    withheldFrom(isAdmin, MODEL.privacy?.withhold),
  )

async function bytesOf(manifest: DatasetManifest): Promise<Buffer> {
  const file = await remakeDataset(maker, manifest, MODEL)
  const bytes = await file.readFile()
  await file.close()
  return bytes
}

async function rowsOf(manifest: DatasetManifest): Promise<Record<string, unknown>[]> {
  const text = (await bytesOf(manifest)).toString()
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as never]))
}

const FORMATS = ['jsonl', 'csv', 'parquet'] as const

test('labels are resolved as they are everywhere, with how they came about and what they weigh', async () => {
  const manifest = await made()
  const rows = await rowsOf(manifest)
  expect(rows.map((row) => row['prediction_id'])).toEqual(['p-1', 'p-2', 'p-9', 'traced'])
  const outcomes = await on.db.query<Record<string, unknown>>(
    `SELECT prediction_id, label, source AS label_source, labeler, labelled_at, votes, voters, inclusion_probability FROM outcomes
     WHERE model_id = 'loans' AND name = 'label' ORDER BY predicted_at`,
  )
  expect(
    rows.map(
      ({
        prediction_id,
        label,
        label_source,
        labeler,
        labelled_at,
        votes,
        voters,
        inclusion_probability,
      }) => ({
        prediction_id,
        label,
        label_source,
        labeler,
        labelled_at,
        votes,
        voters,
        inclusion_probability,
      }),
    ),
  ).toEqual(outcomes)
  expect(rows[0]).toMatchObject({
    label: '0',
    labeler: 'ann',
    votes: 1,
    weight: 2,
    'features.amount': 10,
    'features.even': false,
    'attributes.country': 'DE',
  })
  expect(manifest.file).toMatchObject({ rows: 4, weight: 5 })
  expect(manifest.parts.map(({ rows }) => rows)).toEqual([15, 6])
  expect(readdirSync(folder)).toEqual([])
})

test('every format holds the same values', async () => {
  const lines = await rowsOf(await made({ rows: 'all' }))
  expect(lines).toHaveLength(15)
  const parquet = await made({ rows: 'all', format: 'parquet' })
  await maker.spool.withFile([await bytesOf(parquet)], async (path) => {
    expect(await on.db.query(`SELECT * FROM file('${path}', Parquet)`)).toEqual(lines)
  })
  const csv = await made({
    rows: 'all',
    format: 'csv',
    columns: ['features', 'score', 'labelled_at'],
  })
  const [head, first] = (await bytesOf(csv)).toString().split('\r\n')
  expect(head).toBe(
    'prediction_id,score,labelled_at,features.amount,features.even,"features.odd ""`name",features.salary',
  )
  expect(first).toBe("p-0,0.25,,0,true,'=1+1,1000")
  expect(csv.file.defused_cells).toBe(15)
})

test('a cohort and a predicate choose rows, and what a caller may not see is neither given nor asked by', async () => {
  const some = await made({ cohort: 'large', where: "country = 'FR'", rows: 'all' }, false)
  const rows = await rowsOf(some)
  expect(rows.map((row) => row['features.amount'])).toEqual([
    60, 70, 80, 90, 200, 300, 310, 320, 400,
  ])
  expect(Object.keys(rows[0]!)).not.toContain('features.salary')
  expect(some.withheld).toEqual(['features.salary'])
  await expect(made({ where: 'salary > 10' }, false)).rejects.toMatchObject({
    status: 403,
    code: 'withheld_field',
  })
  await expect(made({ columns: ['subject_id'] }, false)).resolves.toMatchObject({
    withheld: ['subject_id'],
  })
  await expect(made({ columns: ['scoore'] })).rejects.toThrow('did you mean score?')
  await expect(made({ cohort: 'larg' })).rejects.toThrow('did you mean large?')
})

test('preference pairs are made by the rule that is named', async () => {
  const ranked = await made({
    format: 'pairs',
    label: 'stars',
    pairs: { rule: 'higher_label', order: [], margin: 1 },
  })
  const pair = {
    prompt: 'why?',
    chosen: 'good answer',
    rejected: 'bad answer',
    chosen_id: 'good',
    rejected_id: 'bad',
  }
  expect(await rowsOf(ranked)).toEqual([pair])
  expect(ranked.file).toMatchObject({
    rows: 1,
    weight: null,
    left_out: { only_answer: 1, between_best_and_worst: 1 },
  })
  const named = await made({
    format: 'pairs',
    label: 'better_than',
    pairs: { rule: 'preferred_to', order: [], margin: 0 },
  })
  expect(await rowsOf(named)).toEqual([pair])
})

test('people who label elsewhere get tasks and records, and what they answer comes back as labels', async () => {
  const tasks = await made({ format: 'label_studio', rows: 'all', columns: ['score', 'features'] })
  const read = JSON.parse((await bytesOf(tasks)).toString()) as { data: object }[]
  expect(read).toHaveLength(15)
  expect(read[0]).toMatchObject({
    data: { model_id: 'loans', prediction_id: 'p-0', features: { amount: 0 } },
  })
  const records = await made({ format: 'argilla', label: 'stars' })
  expect(JSON.parse((await bytesOf(records)).toString())).toMatchObject([
    {
      id: 'good',
      fields: { input_text: 'why?', output_text: 'good answer' },
      metadata: { label: '5' },
    },
    { id: 'bad' },
    { id: 'middling' },
    { id: 'alone' },
  ])
  const none = await made({ format: 'argilla', label: 'no such' })
  expect(JSON.parse((await bytesOf(none)).toString())).toEqual([])
  const answered = {
    annotations: [
      {
        id: 1,
        completed_by: 7,
        created_at: at(0),
        result: [{ from_name: 'reviewed', type: 'choices', value: { choices: ['1'] } }],
      },
    ],
    data: read[0]!.data,
  }
  const labels = labelStudioLabels(answered).flatMap((one) => ('event' in one ? [one.event] : []))
  await on.labels(labels)
  expect(await rowsOf(await made({ label: 'reviewed', columns: ['label', 'labeler'] }))).toEqual([
    { prediction_id: 'p-0', label: '1', labeler: 'label-studio/7' },
  ])
})

test('a data set has bounds', async () => {
  const small = { ...maker, bounds: { rows: 3, bytes: 1_000_000 } }
  const question = readQuestion(asked({}), MODEL, NOW)
  const all = () => false
  await expect(makeDataset(small, question, MODEL, all)).rejects.toMatchObject({
    code: 'too_many_rows',
  })
  const short = { ...maker, bounds: { rows: 1000, bytes: 100 } }
  await expect(makeDataset(short, question, MODEL, all)).rejects.toMatchObject({
    code: 'too_many_bytes',
  })
  expect(readdirSync(folder)).toEqual([])
})

test('the bytes stay the same after more came in, and that rows are gone is told', async () => {
  const manifests = await Promise.all(FORMATS.map((format) => made({ format })))
  const pairs = await made({
    format: 'pairs',
    label: 'stars',
    pairs: { rule: 'higher_label', order: [], margin: 0 },
  })
  // As if they had been received before, which a log that is read late does.
  await on.predictions([
    prediction('late', 3),
    prediction('earlier', 1, { trace_id: 'a-trace' }),
    prediction('best', 33, { input_text: 'why?', output_text: 'best answer' }),
  ])
  await on.labels([
    label('late', 'late', '1'),
    label('l-2c', 'p-2', '0', { labelled_at: at(300) }),
    label('l-5', 'p-5', '1'),
    label('s-best', 'best', '9', { name: 'stars' }),
  ])
  for (const manifest of [...manifests, pairs])
    expect(
      createHash('sha256')
        .update(await bytesOf(manifest))
        .digest('hex'),
    ).toBe(manifest.file.sha256)
  expect((await made()).file.rows).toBe(6)
  await on.db.command(
    "ALTER TABLE predictions DELETE WHERE prediction_id = 'p-2' SETTINGS mutations_sync = 2",
  )
  for (const manifest of manifests)
    await expect(bytesOf(manifest)).rejects.toMatchObject({
      status: 409,
      code: 'dataset_changed',
      message: expect.stringContaining('of 15 predictions 14 are stored') as string,
    })
  expect(readdirSync(folder)).toEqual([])
})

test('a statement without parameters is written to a file too', async () => {
  const path = join(on.directory, 'selected')
  await on.db.selectToFile('SELECT 1 AS one', {}, path)
  expect(readFileSync(path, 'utf8')).toBe('{"one":1}\n')
})

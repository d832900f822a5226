/** Data sets: predictions with their resolved labels, as files that are the same whenever fetched. */
import Type, { type Static } from 'typebox'
import { asOf, closed, defaulted, id, limit, nullable, person, time } from '../parts.ts'
import { HASH, MANIFEST_SAMPLE } from './dataset-sample.ts'
import { DatasetPart } from '../runs/run-evidence.ts'

/** What a data set is written as. */
export const DATASET_FORMATS = [
  'parquet',
  'csv',
  'jsonl',
  'pairs',
  'label_studio',
  'argilla',
] as const
/** What a data set is written as. */
export type DatasetFormat = (typeof DATASET_FORMATS)[number]

/** What an answer is preferred to another by. */
const PAIR_RULES = ['higher_label', 'preferred_to'] as const

const ID = '5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9d'

const Pairs = closed(
  {
    rule: Type.Enum([...PAIR_RULES], {
      description:
        '`higher_label`: of the answers to one `input_text` the one with the highest label is chosen and the one with the lowest is rejected, one pair for each input. `preferred_to`: a label is the `prediction_id` of the answer that its own was preferred to.',
    }),
    order: defaulted(
      Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
        maxItems: 100,
        default: [],
        description:
          'Of `higher_label`: labels from the worst to the best; without any they are numbers, true or false.',
      }),
    ),
    margin: defaulted(
      Type.Number({
        minimum: 0,
        default: 0,
        description: 'Least difference of the labels, for `higher_label`; never nothing.',
      }),
    ),
  },
  { description: 'Which answer is preferred, for the format `pairs`.' },
)

const predicate = (description: string, example: string) =>
  Type.String({ minLength: 1, maxLength: 1000, description, examples: [example] })

const question = {
  model_id: id('The model.', 'fraud'),
  from: Type.String({
    maxLength: 40,
    description: 'Predictions are of this time or later, RFC 3339.',
    examples: ['2026-01-01T00:00:00Z'],
  }),
  to: Type.String({
    maxLength: 40,
    description: 'Predictions are of before this time, RFC 3339.',
    examples: ['2026-02-01T00:00:00Z'],
  }),
  cohort: Type.Optional(id('A name of `cohorts.where` of the model file.', 'large')),
  where: Type.Optional(
    predicate(
      'A predicate as in `cohorts.where`: attributes and features by name, `@` before what the model answered.',
      "amount > 1000 and country = 'DE'",
    ),
  ),
  label: defaulted(
    Type.String({
      minLength: 1,
      maxLength: 200,
      default: 'label',
      description: 'The name of the label.',
    }),
  ),
  rows: defaulted(
    Type.Enum(['labelled', 'all'], {
      default: 'labelled',
      description: 'Predictions that have the label, or all of them.',
    }),
  ),
  format: Type.Enum([...DATASET_FORMATS], { description: 'What it is written as.' }),
  columns: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 210 }), {
      minItems: 1,
      maxItems: 1000,
      uniqueItems: true,
      description:
        'Columns: a field such as `score` or `weight`, `features` or `attributes` for all of them, `features.name` or `attributes.name` for one. Without it all but texts and ids of others.',
    }),
  ),
  pairs: Type.Optional(Pairs),
}

/** Asks for a data set. */
export const DatasetBody = closed(
  { actor: Type.Optional(person), as_of: asOf, ...question },
  {
    examples: [
      {
        actor: 'ann',
        model_id: 'fraud',
        from: '2026-01-01T00:00:00Z',
        to: '2026-02-01T00:00:00Z',
        where: "country = 'DE'",
        label: 'label',
        rows: 'labelled',
        format: 'csv',
      },
    ],
  },
)
export type DatasetBody = Static<typeof DatasetBody>

const count = (description: string) => Type.Integer({ minimum: 0, description })

/** A column of a file. */
export const DatasetColumn = closed({
  name: Type.String(),
  type: Type.Enum(['text', 'number', 'boolean', 'time'], {
    description: 'Any value may be missing.',
  }),
})
export type DatasetColumn = Static<typeof DatasetColumn>

const DatasetFile = closed(
  {
    rows: count('Rows, or pairs.'),
    bytes: count('Its length.'),
    sha256: Type.String({ description: 'SHA-256 of its bytes, 64 hex digits.' }),
    weight: nullable(
      Type.Number({
        description: 'How many predictions its rows stand for: the sum of `weight`; null of pairs.',
      }),
    ),
    columns: Type.Array(DatasetColumn, { description: 'Its columns, in their order.' }),
    defused_cells: count(
      "Of CSV: texts that a spreadsheet would run, which begin with a `'` here and not in what was stored.",
    ),
    left_out: Type.Record(Type.String(), Type.Integer(), {
      description: 'Rows that are in no pair, by why.',
    }),
  },
  { description: 'What was written.' },
)
/** What was written. */
export type DatasetFile = Static<typeof DatasetFile>

/** What a data set was made of. */
export const DatasetManifest = closed({
  question: closed({ as_of: time('Rows that were received later are left out.'), ...question }),
  withheld: Type.Array(Type.String(), {
    description: 'Fields that its maker may not see, and that are not in it.',
  }),
  resolution: closed(
    {
      precedence: Type.Array(Type.String()),
      resolve: Type.String(),
      model_file_sha256: Type.String({ description: 'Empty where there is no model file.' }),
    },
    { description: 'How one label is made of several, by the model file that was in force.' },
  ),
  parts: Type.Array(DatasetPart, {
    description: 'The stored predictions and labels that it was made of.',
  }),
  file: DatasetFile,
  sha256: Type.String({
    description: 'SHA-256 of the manifest without this field, as sorted JSON.',
  }),
})
export type DatasetManifest = Static<typeof DatasetManifest>

const head = {
  dataset_id: Type.String(),
  model_id: Type.String(),
  made_at: time('When it was made.'),
  made_by: Type.String({ description: 'Who made it.' }),
}

const SAMPLE = {
  dataset_id: ID,
  model_id: 'fraud',
  made_at: '2026-02-01T08:00:00.000Z',
  made_by: 'claimed:ann',
}

/** A data set with its manifest. */
export const DatasetAnswer = closed(
  { ...head, manifest: DatasetManifest },
  {
    description: 'The data set and what it was made of.',
    examples: [
      {
        ...SAMPLE,
        manifest: MANIFEST_SAMPLE,
      },
    ],
  },
)
export type DatasetAnswer = Static<typeof DatasetAnswer>

/** Which data sets are listed. */
export const DatasetsQuery = Type.Object({
  model_id: Type.Optional(id('Data sets of this model alone.', 'fraud')),
  limit,
})

const Listed = closed({
  ...head,
  state: Type.Enum(['made', 'erased'], {
    description: '`erased`: it named a subject that was erased, and cannot be fetched.',
  }),
  format: nullable(Type.String()),
  label: nullable(Type.String()),
  as_of: nullable(Type.String()),
  from: nullable(Type.String()),
  to: nullable(Type.String()),
  rows: nullable(Type.Integer()),
  bytes: nullable(Type.Integer()),
  sha256: nullable(Type.String({ description: 'Hash of the file, hexadecimal.' })),
})
/** A data set in a list. */
export type ListedDataset = Static<typeof Listed>

/** Data sets, the newest first. */
export const DatasetsAnswer = closed(
  { datasets: Type.Array(Listed) },
  {
    description: 'Data sets of the models that the caller may read, the newest first.',
    examples: [
      {
        datasets: [
          {
            ...SAMPLE,
            state: 'made',
            format: 'csv',
            label: 'label',
            as_of: '2026-02-01T08:00:00.000Z',
            from: '2026-01-01T00:00:00.000Z',
            to: '2026-02-01T00:00:00.000Z',
            rows: 1250,
            bytes: 180_000,
            sha256: HASH,
          },
        ],
      },
    ],
  },
)

/** The `{id}` of a path that names a data set. */
export const DatasetPath = Type.Object({
  id: Type.String({ description: 'The data set.', examples: [ID] }),
})

/** Who fetches, where no keys are set. */
export const DatasetQuery = Type.Object({ actor: Type.Optional(person) })

/** The file of a data set. */
export const DatasetRows = {
  description:
    'The file, of the length and hash that the manifest says; its `ETag` is the hash. By `format`: CSV with a line of names (RFC 4180), one JSON object a line, an array of tasks or records, or Parquet.',
  content: {
    'text/csv': { schema: Type.String(), example: 'prediction_id,score,label\r\np-1,0.93,1\r\n' },
    'application/x-ndjson': {
      schema: Type.String(),
      example: '{"prediction_id":"p-1","score":0.93,"label":"1"}\n',
    },
    'application/json': { schema: Type.Array(Type.Object({})), example: [{ id: 'p-1' }] },
    'application/vnd.apache.parquet': { schema: Type.String(), example: 'PAR1' },
  },
}

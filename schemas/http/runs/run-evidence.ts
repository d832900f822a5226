/** What a run was decided with and is to learn from, and its decision made again. */
import Type, { type Static } from 'typebox'
import { closed, nullable, time } from '../parts.ts'

const RUN_ID = '5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9d'
const HASH = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'

/** The versions of what decided. */
export const RunConfiguration = closed({
  model_file_sha256: Type.String({ description: 'SHA-256 of the model file that was in force.' }),
  code_sha256: Type.String({
    description: 'SHA-256 of the source files that read policies and decide by them.',
  }),
})
export type RunConfiguration = Static<typeof RunConfiguration>

/** One table of a data set. */
export const DatasetPart = closed({
  table: Type.Enum(['predictions', 'labels']),
  query: Type.String({ description: 'The statement that selects its rows, with `{name:Type}`.' }),
  parameters: Type.Record(Type.String(), Type.Unknown(), {
    description: 'The values of its parameters; `attributes` are the filters of the policy.',
  }),
  schema: Type.Array(closed({ name: Type.String(), type: Type.String() }), {
    description: 'The columns that the content hash covers, in its order.',
  }),
  names: Type.Array(Type.String(), {
    description: 'Names of its features, or of its labels; the first 200 in order.',
  }),
  rows: Type.Integer({ description: 'How many rows there are.' }),
  weight: Type.Number({
    description:
      'How many of the stream they stand for: the sum of 1/sampling_fraction of predictions, or of 1/inclusion_probability of labels.',
  }),
  content_sha256: Type.String({
    description: 'Hash of the rows, in whatever order they are read.',
  }),
})

export type DatasetPart = Static<typeof DatasetPart>

/** The data set that a job is to learn from. */
export const Dataset = closed({
  as_of: time('When rows had to be received; those that came later are left out.'),
  from: time('Predictions are of this instant or later.'),
  to: time('Predictions are of before this instant, the stream time of the decision.'),
  parts: Type.Array(DatasetPart),
  sha256: Type.String({
    description: 'SHA-256 of the manifest without this field, as sorted JSON.',
  }),
})
export type Dataset = Static<typeof Dataset>

const decision = closed({ action: Type.String(), reason: Type.String() })

/** A decision made again. */
export const ReplayAnswer = closed(
  {
    run_id: Type.String(),
    outcome: Type.Enum(['identical', 'different', 'not_replayable'], {
      description:
        '`not_replayable`: a person or an alert asked for it, or it is older than what is kept.',
    }),
    differences: Type.Array(Type.String(), {
      description: 'What differs, or why it cannot be replayed, a sentence each.',
    }),
    recorded: decision,
    recomputed: nullable(decision),
    windows: Type.Integer({ description: 'Windows of cohorts whose results were read again.' }),
    results_sha256: Type.String({
      description: 'Hash of the results that the decision saw, or empty.',
    }),
    configuration: nullable(
      closed({
        recorded: RunConfiguration,
        current: RunConfiguration,
      }),
    ),
    dataset: closed(
      {
        outcome: Type.Enum(['identical', 'different', 'none'], {
          description: '`none`: the run has no manifest.',
        }),
        recorded_sha256: Type.String({ description: 'Hash in the manifest of the run, or empty.' }),
        recomputed_sha256: Type.String({
          description: 'Hash of the rows as they are read again, or empty.',
        }),
      },
      { description: 'Whether the data set of the run is still what its manifest says.' },
    ),
  },
  {
    description: 'The decision as it was recorded, and as it comes out again.',
    examples: [
      {
        run_id: RUN_ID,
        outcome: 'identical',
        differences: [],
        recorded: { action: 'launch', reason: 'alarm of drift.psi of amount' },
        recomputed: { action: 'launch', reason: 'alarm of drift.psi of amount' },
        windows: 3,
        results_sha256: HASH,
        configuration: null,
        dataset: { outcome: 'none', recorded_sha256: '', recomputed_sha256: '' },
      },
    ],
  },
)
export type ReplayAnswer = Static<typeof ReplayAnswer>

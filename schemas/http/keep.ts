/** Bodies and answers of keeping and deleting. */
import Type from 'typebox'
import { closed, nullable, time } from './parts.ts'

const count = (description: string) => Type.Integer({ minimum: 0, description })
const KafkaTopic = closed({
  topic: Type.String({ description: 'The topic.' }),
  retention_ms: nullable(
    Type.Integer({ description: 'How long its broker keeps messages; null: not by time.' }),
  ),
})

/** What is kept for how long. */
export const RetentionAnswer = closed(
  {
    last_run_at: nullable(time('When rows were dropped last; null: never yet.')),
    next_run_at: time('When it is looked next for what is due.'),
    tables: Type.Array(
      closed({
        table: Type.String({ description: 'The table.' }),
        bytes: count('On disk, compressed.'),
        rows: count('Rows.'),
      }),
      { description: 'Every table with rows, the largest first.' },
    ),
    models: Type.Array(
      closed({
        model_id: Type.String({ description: 'The model; empty for tables without models.' }),
        table: Type.String({ description: 'A table whose rows are dropped.' }),
        keep: nullable(Type.String({ description: 'How long they are kept; null: for ever.' })),
        rows: count('Rows of the model.'),
        bytes: count('Its part of the table, by rows.'),
        oldest_month: Type.String({ description: 'Month of its oldest rows, `2026-01`.' }),
        next_drop_at: nullable(time('When that month goes; null: never.')),
      }),
      { description: 'Rows that retention reaches, at most 10 000 pairs of model and table.' },
    ),
    references: Type.Array(
      closed({
        model_id: Type.String({ description: 'The model.' }),
        name: Type.String({ description: 'A fixed reference of its model file.' }),
        rows_until: time(
          'From then on its rows go; its counts stay, and windows compare with them.',
        ),
        lost: Type.Boolean({ description: 'Whether that has begun.' }),
      }),
      { description: 'References whose rows retention takes.' },
    ),
    kafka: Type.Array(KafkaTopic, { description: 'What the brokers keep; empty without Kafka.' }),
  },
  {
    description: 'What is kept for how long.',
    examples: [
      {
        last_run_at: '2026-07-15T10:00:00.000Z',
        next_run_at: '2026-07-15T11:00:00.000Z',
        tables: [{ table: 'predictions', bytes: 81_920, rows: 1000 }],
        models: [
          {
            model_id: 'fraud',
            table: 'predictions',
            keep: '180d',
            rows: 1000,
            bytes: 81_920,
            oldest_month: '2026-01',
            next_drop_at: '2026-07-31T00:00:00.000Z',
          },
        ],
        references: [
          {
            model_id: 'fraud',
            name: 'training',
            rows_until: '2026-07-31T00:00:00.000Z',
            lost: false,
          },
        ],
        kafka: [{ topic: 'plumbline.predictions.v1', retention_ms: 604_800_000 }],
      },
    ],
  },
)

/** The `{id}` of a path that names a subject. */
export const SubjectPath = Type.Object({
  id: Type.String({
    minLength: 1,
    maxLength: 200,
    description: 'The id of the subject, as its events were sent.',
    examples: ['customer-4711'],
  }),
})

/** Who asks, where no keys are set. */
export const SubjectQuery = Type.Object(
  {
    actor: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 180,
        description: 'Who asks, where no keys are set.',
      }),
    ),
  },
  { additionalProperties: false },
)

/** What an erasure did. */
export const ErasureAnswer = closed(
  {
    request_id: Type.String({ description: 'Names the erasure in the audit log, without the id.' }),
    state: Type.Enum(['done', 'running'], {
      description: '`running`: tables are still being rewritten; ask again.',
    }),
    rows: Type.Record(Type.String(), count('Rows, tasks or files.'), {
      description: 'What was erased, by table.',
    }),
    kafka: Type.Array(KafkaTopic, {
      description: 'Topics that may still hold messages of the subject, and for how long.',
    }),
    remains: Type.Array(Type.String(), {
      description: 'What this service cannot erase, in one sentence each.',
    }),
  },
  {
    description: 'What was erased, and what must wait.',
    examples: [
      {
        request_id: '0b6c1d8e-2f3a-4b5c-8d7e-6f5a4b3c2d1e',
        state: 'done',
        rows: { predictions: 3, labels: 2 },
        kafka: [{ topic: 'plumbline.predictions.v1', retention_ms: 604_800_000 }],
        remains: ['Backups that were made before hold the subject until they are deleted.'],
      },
    ],
  },
)

/** What is held of a subject. */
export const SubjectAnswer = closed(
  {
    request_id: Type.String({ description: 'Names the export in the audit log, without the id.' }),
    tables: Type.Array(
      closed({
        table: Type.String({ description: 'The table.' }),
        rows: Type.Array(Type.Unsafe<Record<string, unknown>>({ type: 'object' }), {
          description: 'Its rows, at most 1 000.',
        }),
        is_cut: Type.Boolean({ description: 'Whether there are more.' }),
      }),
      { description: 'Tables with rows about the subject.' },
    ),
    kafka: Type.Array(KafkaTopic, { description: 'Topics that may hold more.' }),
  },
  {
    description: 'What is held of the subject.',
    examples: [
      {
        request_id: '0b6c1d8e-2f3a-4b5c-8d7e-6f5a4b3c2d1e',
        tables: [
          {
            table: 'predictions',
            rows: [{ model_id: 'fraud', prediction_id: 'p-1', subject_id: 'customer-4711' }],
            is_cut: false,
          },
        ],
        kafka: [{ topic: 'plumbline.predictions.v1', retention_ms: 604_800_000 }],
      },
    ],
  },
)

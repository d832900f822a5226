/** Bodies and answers of references that are put over HTTP. */
import Type, { type Static } from 'typebox'
import { closed, time } from './parts.ts'

const AT = '2026-01-01T00:00:00.000Z'
const NEXT = '2026-01-02T00:00:00.000Z'

const shortText = (description: string) => Type.String({ maxLength: 200, description })

/** A reference as JSON: a span, or all predictions of a version. */
export const ReferenceBody = closed(
  {
    from: Type.Optional(shortText('Start of the span, RFC 3339.')),
    to: Type.Optional(shortText('End of the span, RFC 3339.')),
    model_version: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: 'A table, in place of a span.' }),
    ),
  },
  { examples: [{ from: '2026-01-01T00:00:00Z', to: '2026-01-08T00:00:00Z' }] },
)
export type ReferenceBody = Static<typeof ReferenceBody>

/** A reference as NDJSON, which is read line by line. */
export const UploadedPredictions = Type.Unsafe<Buffer>({
  description: 'Predictions of the model (`prediction.v1`), one a line.',
  examples: [
    '{"prediction_id":"p-1","model_id":"fraud","model_version":"7","predicted_at":"2026-01-01T00:00:00Z","features":{"amount":129.9}}\n',
  ],
})

/** A reference that was put. */
export const ReferenceAnswer = closed(
  {
    name: Type.String(),
    kind: Type.Enum(['first', 'fixed', 'version', 'uploaded', 'table']),
    model_version: Type.Optional(
      Type.String({ description: 'The version of a reference of kind version.' }),
    ),
    from: Type.Optional(time('Start of its span.')),
    to: Type.Optional(time('End of its span.')),
    events: Type.Optional(Type.Integer({ description: 'Predictions that were uploaded.' })),
    rows: Type.Optional(Type.Integer({ description: 'Rows of a table.' })),
    note: Type.Optional(
      Type.String({ description: 'What was read of a table, and what was left out.' }),
    ),
    revision: Type.Integer({ minimum: 1, description: 'How often it was put.' }),
  },
  {
    description: 'The reference as it is kept; 201 where it is new.',
    examples: [{ name: 'spring', kind: 'fixed', from: AT, to: NEXT, revision: 1 }],
  },
)

const column = (what: string) =>
  Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      description: `Of a table: the column with ${what}, where it is not named so.`,
    }),
  )

/** How a body is read. */
export const ReferenceQuery = closed({
  kind: Type.Optional(
    Type.Enum(['table'], {
      description:
        'Lines of NDJSON are rows of a table, not predictions; Parquet and CSV always are.',
    }),
  ),
  label: column('labels'),
  prediction: column('predictions'),
  score: column('scores'),
})
export type ReferenceQuery = Static<typeof ReferenceQuery>

/** A reference as a table, which is read as a stream. */
export const UploadedTable = Type.Unsafe<Buffer>({
  description:
    'A table, such as the one the model was trained on: a row an example, columns by feature, with `label`, `prediction` and `score` where there are.',
  examples: ['amount,country,label\n129.9,DE,0\n12.5,FR,1\n'],
})

/** `references` of the model file: what the windows of a model are compared with. */
import Type, { type Static } from 'typebox'

const closed = { additionalProperties: false }

/**
 * A table below the folder of the model file: names of letters, digits, `.`, `_`, `-` and blanks, of
 * which none begins with a dot.
 */
const TABLE_FILE =
  '^[A-Za-z0-9_][A-Za-z0-9_. -]*(/[A-Za-z0-9_][A-Za-z0-9_. -]*)*\\.(parquet|csv|ndjson)$'

/** A reference, as a model file declares it. */
export const ModelReference = Type.Object(
  {
    kind: Type.Enum(
      ['fixed', 'trailing', 'first', 'previous', 'season', 'version', 'since_promotion', 'table'],
      {
        description:
          'A span; the last windows; the first windows; the one before; the same phase of the last seasons; all of a version; the first windows after the newest version took over; a table, such as the one the model was trained on.',
      },
    ),
    from: Type.Optional(Type.String({ description: 'Start of a fixed reference, RFC 3339.' })),
    to: Type.Optional(Type.String({ description: 'End of a fixed reference, RFC 3339.' })),
    windows: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1000,
        description:
          'How many windows, or seasons: 4 unless given, of the kinds first and since_promotion 8.',
      }),
    ),
    model_version: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'Version of a reference of kind version; of a table, the version that it trained: it gives verdicts while that version leads.',
      }),
    ),
    file: Type.Optional(
      Type.String({
        pattern: TABLE_FILE,
        maxLength: 500,
        description:
          'File of kind table: Parquet, CSV (with a line of names) or NDJSON, relative to the folder of the model file.',
      }),
    ),
    columns: Type.Optional(
      Type.Record(
        Type.String({ minLength: 1, maxLength: 200 }),
        Type.String({ minLength: 1, maxLength: 200 }),
        {
          maxProperties: 2000,
          description:
            'Which column of a table holds `label`, `prediction`, `score`, or a feature, where it has another name: `{ label: defaulted, amount: AMT }`.',
        },
      ),
    ),
    baseline: Type.Optional(
      Type.Boolean({
        description:
          'Verdicts come from this reference; the others inform. A table that gives them is asked the question of skew.',
      }),
    ),
    on_promotion: Type.Optional(
      Type.Enum(['renew', 'keep'], {
        description:
          'Whether the first 8 windows of a version that takes over are the baseline from then on; renew unless given.',
      }),
    ),
  },
  closed,
)
/** A reference of a model file, as read and checked. */
export type ModelReference = Static<typeof ModelReference>

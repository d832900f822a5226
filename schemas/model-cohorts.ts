/** The section `cohorts` of a model file: which parts of the predictions are looked at apart. */
import Type, { type Static } from 'typebox'

const closed = { additionalProperties: false }
const name = () => Type.String({ minLength: 1, maxLength: 200 })

/** Cohorts beside the values of `slices`, and how they are looked for. */
export const ModelCohorts = Type.Object(
  {
    where: Type.Record(
      Type.String({ pattern: '^[a-zA-Z_][a-zA-Z0-9_]{0,99}$' }),
      Type.String({ minLength: 1, maxLength: 1000 }),
      {
        maxProperties: 20,
        default: {},
        description:
          "Cohorts by a predicate over attributes and features, such as `amount > 1000 and country = 'DE'`.",
      },
    ),
    pairs: Type.Array(Type.Array(name(), { minItems: 2, maxItems: 2 }), {
      maxItems: 10,
      default: [],
      description: 'Two attributes or features whose values make cohorts together.',
    }),
    values: Type.Integer({
      minimum: 1,
      maximum: 200,
      default: 50,
      description:
        'Values of a slice that are evaluated one by one, the most frequent ones; the rest is the cohort `(other)`.',
    }),
    search: Type.Optional(
      Type.Object(
        {
          by: Type.Array(name(), {
            maxItems: 50,
            default: [],
            description:
              'Attributes and features that are searched; without any, all that a window has, 50 at most.',
          }),
          min: Type.Integer({
            minimum: 30,
            maximum: 1_000_000,
            default: 100,
            description: 'Labelled predictions below which a cohort is not tested.',
          }),
        },
        {
          ...closed,
          description:
            'Whether each window is searched for the cohorts with the worst performance.',
        },
      ),
    ),
    odd_one_out: Type.Boolean({
      default: true,
      description:
        'Whether each producer, and each version, is compared with all others of the same window.',
    }),
  },
  { ...closed, description: 'Parts of the predictions that are looked at apart, beside slices.' },
)
/** The cohorts of a model file, as read and checked. */
export type ModelCohorts = Static<typeof ModelCohorts>

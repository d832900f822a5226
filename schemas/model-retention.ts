/** The section `retention` of a model file: how long its rows are kept. */
import Type, { type Static } from 'typebox'

const days = (description: string) =>
  Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,4}d$', description }))

/** How long rows of a model are kept, as its model file says; counts and metrics stay. */
export const ModelRetention = Type.Object(
  {
    predictions: days(
      'Days after `predicted_at` for which predictions are kept; PLUMBLINE_RETENTION_PREDICTIONS unless given.',
    ),
    labels: days(
      'Days for which labels (after they came) and outcomes (after `predicted_at`) are kept; PLUMBLINE_RETENTION_LABELS unless given.',
    ),
  },
  {
    additionalProperties: false,
    description: 'How long rows are kept: a month goes when all of it is older.',
  },
)
/** The retention of a model file, as read and checked. */
export type ModelRetention = Static<typeof ModelRetention>

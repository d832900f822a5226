/** Ratings that browsers send, and the tokens they need. */
import Type, { type Static } from 'typebox'
import { closed, empty, id } from '../parts.ts'

const model_id = id('The model.', 'support')
const prediction_id = id('The prediction that is rated.', 'p-1')
const name = id('What is rated.', 'thumbs')

/** Most answers a prediction may get under one name: the first and its changes. */
export const MOST_CHANGES = 10

/** A rating of one prediction. */
export const RatingBody = closed(
  {
    prediction_id,
    name,
    label: Type.Union([Type.String({ maxLength: 200 }), Type.Number(), Type.Boolean()], {
      description: 'The rating, such as `up`, or a number of stars.',
    }),
    comment: Type.Optional(Type.String({ maxLength: 1000, description: 'Words of who rates it.' })),
    final: Type.Optional(Type.Boolean({ description: 'No change is taken after this one.' })),
  },
  { examples: [{ prediction_id: 'p-1', name: 'thumbs', label: 'up', comment: 'to the point' }] },
)
export type RatingBody = Static<typeof RatingBody>

/** What was taken. */
export const RatingAnswer = closed(
  {
    label_id: Type.String({ description: 'The label that it became.' }),
    changes_left: Type.Integer({
      minimum: 0,
      maximum: MOST_CHANGES - 1,
      description: 'How often it may still be changed.',
    }),
  },
  {
    description: 'The rating was taken.',
    examples: [{ label_id: '5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9d', changes_left: 9 }],
  },
)
export type RatingAnswer = Static<typeof RatingAnswer>

/** Asks for the token of one prediction. */
export const FeedbackTokenBody = closed(
  {
    model_id,
    prediction_id,
    names: Type.Array(name, {
      minItems: 1,
      maxItems: 20,
      description: 'Names that the token may give.',
    }),
    valid_seconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 2_592_000,
        description: 'How long it is good; a day unless given, 30 days at most.',
      }),
    ),
  },
  { examples: [{ model_id: 'support', prediction_id: 'p-1', names: ['thumbs', 'comment'] }] },
)

/** The token. */
export const FeedbackTokenAnswer = closed(
  {
    token: Type.String({ description: 'To be given to the page that shows the prediction.' }),
    expires_at: Type.String({ format: 'date-time', description: 'When it ends.' }),
  },
  {
    description: 'The token.',
    examples: [{ token: 'eyJhbGciOi…', expires_at: '2026-02-01T12:00:00Z' }],
  },
)

/** A page may ask, where `Access-Control-Allow-Origin` names its origin. */
export const PreflightAnswer = empty('A page may ask where the answer names its origin.')

/**
 * `inference.v1`: one half of an exchange with a model server, as its logger tells it. Key: the
 * exchange.
 */
import Type, { type Static } from 'typebox'
import * as f from '../fields.ts'

/** Bodies above this are refused: a batch of thousands of rows fits. */
const MAX_BODY = 200_000

/** The schema of an `inference.v1` event. */
export const InferenceV1 = Type.Object(
  {
    exchange_id: f.id('What request and response have in common.'),
    part: f.choice('Which half this is.', ['request', 'response']),
    model_id: f.id('The model that was asked.'),
    model_version: f.optional(f.text('The version that answered, where the logger knows it.', 200)),
    exchanged_at: f.timestamp('When the logger sent it.'),
    body: f.text('The body, as it was.', MAX_BODY),
  },
  { $id: 'inference.v1', additionalProperties: true },
)
/** An `inference.v1` event, as an object. */
export type InferenceV1 = Static<typeof InferenceV1>

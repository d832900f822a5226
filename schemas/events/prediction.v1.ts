/** `prediction.v1`: what a model said about one case. Key `model_id/prediction_id`. */
import Type, { type Static } from 'typebox'
import * as f from '../fields.ts'

/** The schema of a `prediction.v1` event. */
export const PredictionV1 = Type.Object(
  {
    prediction_id: f.id('Identity of the prediction; labels name it. Stable over retries.'),
    model_id: f.id('The monitored model.'),
    model_version: f.id('The version that answered.'),
    predicted_at: f.timestamp('When the model answered (event time).'),
    prediction: f.optional(f.scalar('The class, value or text that was answered.')),
    score: f.optional(f.number('Probability (or margin) of the positive class.')),
    scores: f.optional(f.numbers('Probability per class.')),
    features: f.optional(f.features('What the model saw; null means missing.')),
    attributes: f.optional(f.strings('Protected groups and segments.')),
    quantiles: f.optional(f.numbers('Forecast quantiles: value per probability.')),
    target_time: f.optional(f.timestamp('The time a forecast is about.')),
    decision: f.optional(
      f.choice('What was done, where that is not the prediction.', ['accept', 'deny']),
    ),
    group_id: f.optional(f.id('The ranking (query, page, session) an item belongs to.')),
    position: f.optional(f.integer('Place in the ranking, from 0.')),
    exposure_propensity: f.optional(
      f.number('Probability that the item was seen.', { exclusiveMinimum: 0, maximum: 1 }),
    ),
    propensity: f.optional(
      f.number('Probability with which the chosen action was chosen.', {
        exclusiveMinimum: 0,
        maximum: 1,
      }),
    ),
    exploration: f.optional(
      f.boolean('Chosen to learn: not the action that the model holds best.'),
    ),
    variant: f.optional(f.id('Arm of an experiment.')),
    request_id: f.optional(f.id('Pairs champion and shadow answers to one request.')),
    shadow: f.optional(
      f.boolean('Answered, but not acted upon: counts only under its own version.'),
    ),
    latency_ms: f.optional(f.number('Time to answer, in milliseconds.', { minimum: 0 })),
    time_to_first_token_ms: f.optional(
      f.number('Time until the first token or chunk of a streamed answer, in milliseconds.', {
        minimum: 0,
      }),
    ),
    cost_usd: f.optional(f.number('Cost of the answer, in US dollars.', { minimum: 0 })),
    input_tokens: f.optional(f.integer('Tokens read.')),
    output_tokens: f.optional(f.integer('Tokens written.')),
    status: f.optional(f.choice('Whether the model could answer.', ['ok', 'error'])),
    input_text: f.optional(f.text('Text the model read.')),
    output_text: f.optional(f.text('Text the model wrote.')),
    embedding: f.optional(f.vector('Embedding of the input.')),
    attributions: f.optional(f.numbers('Contribution of each feature.')),
    subject_id: f.optional(f.id('Person or thing the prediction is about.')),
    trace_id: f.optional(f.id('Trace of the request.')),
    sampling_fraction: f.optional(
      f.number('Share of traffic this event stands for.', { exclusiveMinimum: 0, maximum: 1 }),
    ),
    producer: f.optional(f.producer('Who emitted the event, and its place in their sequence.')),
  },
  { $id: 'prediction.v1', additionalProperties: true },
)
/** A `prediction.v1` event, as an object. */
export type PredictionV1 = Static<typeof PredictionV1>

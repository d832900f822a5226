/**
 * `label.v1`: what was true of one prediction, and who says so. Key `model_id/prediction_id`, or the other id that is given in
 * its place.
 */
import Type, { type Static } from 'typebox'
import * as f from '../fields.ts'

/** Where a label may come from. */
export const LABEL_SOURCES = ['ground_truth', 'human_review', 'user_feedback', 'judge'] as const

/** The schema of a `label.v1` event. */
export const LabelV1 = Type.Object(
  {
    label_id: f.id('Idempotency key: a repeated one is ignored. Carries no time.'),
    model_id: f.id('The monitored model.'),
    prediction_id: f.optional(f.id('The prediction this is the truth of.')),
    trace_id: f.optional(f.id('In its place: the first prediction of this trace.')),
    subject_id: f.optional(
      f.id('In its place: the newest prediction about this subject by `labelled_at`.'),
    ),
    label: f.labelValue('The true class, value or classes.'),
    labelled_at: f.timestamp('When the truth was stated; the newest wins within an identity.'),
    source: f.choice('Where the truth comes from.', [...LABEL_SOURCES]),
    name: f.optional(f.id('What was labelled; `label` unless said otherwise.')),
    labeler: f.optional(f.id('Who labelled.')),
    confidence: f.optional(f.number('How sure the labeler is.', { minimum: 0, maximum: 1 })),
    comment: f.optional(f.text('Free words of the labeler.')),
    retracted: f.optional(f.boolean('Takes the identity’s earlier label back.')),
    final: f.optional(f.boolean('No later label is expected.')),
    inclusion_probability: f.optional(
      f.number('Probability with which the item was drawn for review.', {
        exclusiveMinimum: 0,
        maximum: 1,
      }),
    ),
  },
  {
    $id: 'label.v1',
    additionalProperties: true,
    anyOf: [
      { required: ['prediction_id'] },
      { required: ['trace_id'] },
      { required: ['subject_id'] },
    ],
  },
)
/** A `label.v1` event, as an object. */
export type LabelV1 = Static<typeof LabelV1>

/** The key of an event: what is said of one prediction keeps its order. */
export const labelKey = (event: f.EventFields) =>
  `${event.get('model_id') as string}/${(event.get('prediction_id') ?? event.get('trace_id') ?? event.get('subject_id')) as string}`

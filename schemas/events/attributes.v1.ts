/**
 * `attributes.v1`: protected groups and segments of a subject or of one prediction, told apart from it and mostly later.
 * Key: the prediction's id, else the subject's.
 */
import Type, { type Static } from 'typebox'
import * as f from '../fields.ts'

/** The schema of an `attributes.v1` event. */
export const AttributesV1 = Type.Object(
  {
    subject_id: f.optional(
      f.id('Whom the attributes describe, in the predictions of every model.'),
    ),
    prediction_id: f.optional(f.id('The one prediction they describe; goes before its subject.')),
    attributes: f.strings('Protected groups and segments.'),
    observed_at: f.timestamp('When they were observed; of each attribute the newest counts.'),
  },
  {
    $id: 'attributes.v1',
    additionalProperties: true,
    anyOf: [{ required: ['subject_id'] }, { required: ['prediction_id'] }],
  },
)
/** An `attributes.v1` event, as an object. */
export type AttributesV1 = Static<typeof AttributesV1>

/** The key of an event: what is said of one subject keeps its order. */
export const attributesKey = (event: f.EventFields) =>
  (event.get('prediction_id') ?? event.get('subject_id')) as string

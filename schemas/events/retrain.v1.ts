/** `retrain.v1`: a state that a retraining run has reached. Key `model_id`. */
import Type, { type Static } from 'typebox'
import * as f from '../fields.ts'

/** States of a run; it moves forward only. */
export const RUN_STATES = [
  'proposed',
  'awaiting_approval',
  'queued',
  'launching',
  'running',
  'succeeded',
  'failed',
  'timed_out',
  'cancelled',
  'validating',
  'promoting',
  'promoted',
  'rolled_back',
  'rejected',
] as const

/** The schema of a `retrain.v1` event. */
export const RetrainV1 = Type.Object(
  {
    run_id: f.id('The run.'),
    model_id: f.id('The model it retrains.'),
    policy: f.id('The policy that asked for it.'),
    state: Type.Enum([...RUN_STATES]),
    reason: Type.String(),
    window_end: Type.Union([f.timestamp('End of the window that gave the evidence.'), Type.Null()]),
    revision: Type.Integer({ minimum: 1 }),
    at: f.timestamp('When the state was reached.'),
  },
  { $id: 'retrain.v1', additionalProperties: true },
)
/** A `retrain.v1` event, as an object. */
export type RetrainV1 = Static<typeof RetrainV1>

/** Where translated events go. */
import {
  createValidator,
  predictionKey,
  type Event,
  type Validator,
} from '../../../lib/events/validator.ts'
import type { Privacy } from '../../../lib/events/privacy/redactor.ts'
import { labelKey, LabelV1 } from '../../../schemas/events/label.v1.ts'
import { PredictionV1 } from '../../../schemas/events/prediction.v1.ts'
import { TOPICS } from '../../../schemas/topics.ts'

/** A topic, the rule of its events and their key in it. */
export interface Destination {
  topic: string
  validator: Validator
  keyOf: (event: Event) => string
}

/** Where predictions go. */
export const predictionDestination = (privacy: Privacy): Destination => ({
  topic: TOPICS.predictions.topic,
  validator: createValidator(PredictionV1, privacy),
  keyOf: predictionKey,
})

/** Where labels go. */
export const labelDestination = (privacy: Privacy): Destination => ({
  topic: TOPICS.labels.topic,
  validator: createValidator(LabelV1, privacy),
  keyOf: labelKey,
})

/** Where translated events go. */
import {
  createValidator,
  predictionKey,
  type Event,
  type Validator,
} from '../../../lib/events/validator.ts'
import type { Privacy } from '../../../lib/events/privacy/redactor.ts'
import type { RefusalOf } from '../../../lib/models/expectations/refusal.ts'
import { labelKey, LabelV1 } from '../../../schemas/events/label.v1.ts'
import { PredictionV1 } from '../../../schemas/events/prediction.v1.ts'
import { TOPICS } from '../../../schemas/topics.ts'

/** A topic, the rule of its events and their key in it. */
export interface Destination {
  topic: string
  validator: Validator
  keyOf: (event: Event) => string
  /** Says why a well-formed event is refused all the same; it goes to the topic too. */
  refusalOf?: RefusalOf | undefined
}

/** Where predictions go. */
export const predictionDestination = (privacy: Privacy, refusalOf?: RefusalOf): Destination => ({
  refusalOf,
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

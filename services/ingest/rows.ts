/** From a prediction on the wire to its row, or to the reason why it has none. */
import { PredictionV1 } from '../../schemas/events/prediction.v1.ts'
import { wireMapping } from '../../lib/wire-mapping.ts'

/** Newest first. A release that changes what a message becomes adds a mapping and keeps the one before it. */
export const PREDICTION_MAPPINGS = [wireMapping('predictions-1', PredictionV1)] as const

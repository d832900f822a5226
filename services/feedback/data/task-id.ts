/** What a review task is called. */
import { createHash } from 'node:crypto'
import { ID_SEPARATOR } from '../../../schemas/fields.ts'

/** The id of the task that asks about a prediction: 32 hexadecimal digits, the same ever again. */
export const taskIdOf = (modelId: string, predictionId: string): string =>
  createHash('sha256').update(`${modelId}${ID_SEPARATOR}${predictionId}`).digest('hex').slice(0, 32)

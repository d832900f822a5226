/** What a reviewer may answer about a model. */
import { labelReader } from '../../../lib/models/labels/label-values.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { ReviewLabel } from './review-label.ts'

/**
 * An answer in the spelling of its model: of one with classes, declared or implied, one of them.
 *
 * @throws {Problem} 400 where it is none that the model has
 */
export function answerOf(answer: ReviewLabel, model: Model): ReviewLabel {
  const { classes, labels, modelId } = model
  const hasImplied = labels.values === 'any' && classes.length > 0
  const values = hasImplied ? 'classes' : labels.values
  const read = labelReader({ modelId, classes, labels: { ...labels, values } })(answer)
  if (!read.ok) throw new Problem(400, 'invalid_request', read.message)
  return read.label as ReviewLabel
}

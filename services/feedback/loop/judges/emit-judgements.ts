/** Answers of judges become labels on the topic of labels. */
import type { Postgres } from '../../../../lib/postgres/port.ts'
import type { LabelV1 } from '../../../../schemas/events/label.v1.ts'
import { labelerOf, labelIdOf } from '../../data/judges/judge.ts'
import {
  markJudgementSent,
  unsentJudgements,
  type UnsentJudgement,
} from '../../queries/judges/unsent-judgements.ts'
import { passedBy, sendLabels, type LabelSender } from '../send-labels.ts'

/** What the loop of judges' labels holds. */
export interface JudgementEmitter extends LabelSender {
  postgres: Postgres
  now: () => number
}

/**
 * Sends the labels of judges' answers; one that is sent again after a crash has the same id and the
 * same bytes.
 *
 * @returns whether there was none
 */
export async function emitJudgements(emitter: JudgementEmitter): Promise<{ isIdle: boolean }> {
  const { postgres, now } = emitter
  const unsent = await unsentJudgements(postgres, passedBy(emitter, now()))
  await sendLabels(emitter, unsent, {
    loop: 'judge labels',
    idOf: ({ questionId }) => questionId,
    eventOf: labelOf,
    mark: (one) => markJudgementSent(postgres, one),
    now: now(),
  })
  return { isIdle: unsent.length === 0 }
}

const labelOf = (one: UnsentJudgement): LabelV1 => ({
  label_id: labelIdOf(one.questionId),
  model_id: one.modelId,
  prediction_id: one.predictionId,
  label: one.label,
  labelled_at: one.answeredAt.toISOString(),
  source: 'judge',
  name: one.labelName,
  labeler: labelerOf({ name: one.judge, version: one.version }),
  ...(one.comment !== '' && { comment: one.comment }),
  inclusion_probability: one.inclusionProbability,
})

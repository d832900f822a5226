/** Bodies and answers by which operators pause the queue of a model. */
import Type from 'typebox'
import { closed, nullable, person, time } from '../parts.ts'

const reason = Type.String({
  minLength: 1,
  maxLength: 500,
  description: 'Why; reviewers are told.',
})

/** Pauses or resumes a queue. */
export const PauseBody = closed(
  { actor: Type.Optional(person), reason },
  { examples: [{ actor: 'olga', reason: 'the instruction is being rewritten' }] },
)

/** Who paused a queue, why and since when; null of one that is not paused. */
export const Pause = nullable(
  closed({
    by: Type.String(),
    reason: Type.String(),
    since: time('When it was paused.'),
  }),
)

/** Whether the queue of a model is paused now. */
export const PauseAnswer = closed(
  { model_id: Type.String(), paused: Pause },
  {
    description: 'How the queue stands now.',
    examples: [
      {
        model_id: 'fraud',
        paused: {
          by: 'olga',
          reason: 'the instruction is being rewritten',
          since: '2026-01-01T00:00:00.000Z',
        },
      },
    ],
  },
)

/** Bodies and answers by which a person decides where reviewers disagree. */
import Type, { type Static } from 'typebox'
import { ClaimAnswer, ClaimBody, SubmitAnswer, SubmitBody } from '../feedback.ts'
import { closed } from '../parts.ts'

/** Asks for a task whose reviewers disagree. */
export const AdjudicateBody = ClaimBody

/** What reviewers said of a task, without their names. */
const Vote = closed({
  label: Type.String({ description: 'An answer.' }),
  votes: Type.Integer({ minimum: 1, description: 'Reviewers who say so.' }),
})
/** How many reviewers say one thing. */
export type Vote = Static<typeof Vote>

/** A task under a lease, with what its reviewers said. */
export const AdjudicateAnswer = closed(
  {
    ...ClaimAnswer.properties,
    votes: Type.Array(Vote, { description: 'In the order of the answers’ texts.' }),
  },
  {
    description: 'A task that is leased to the adjudicator.',
    examples: [
      {
        task_id: 'fraud/p-1',
        lease_id: '5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9d',
        lease_expires_at: '2026-01-01T00:10:00.000Z',
        model_id: 'fraud',
        prediction_id: 'p-1',
        classes: ['0', '1'],
        answer: 'class',
        event: {
          predicted_at: '2026-01-01T00:00:00.000Z',
          model_version: '7',
          prediction: null,
          score: null,
          features: { amount: 129.9 },
          attributes: {},
          input_text: '',
          output_text: '',
        },
        votes: [
          { label: '0', votes: 1 },
          { label: '1', votes: 1 },
        ],
      },
    ],
  },
)

/** Decides a task. */
export const DecideBody = SubmitBody

/** The decided task, and what the model had answered. */
export const DecideAnswer = SubmitAnswer

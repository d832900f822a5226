/** Bodies and answers of human review. */
import Type, { type Static } from 'typebox'
import { closed, defaulted, empty, id, nullable, person, texts, time, words } from './parts.ts'
import { Pause } from './reviews/pauses.ts'

const reviewer = Type.Optional(person)
const lease = {
  reviewer,
  lease_id: id('The lease that the claim gave.', '5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9d'),
  comment: words,
}

/** Asks for a task. */
export const ClaimBody = closed(
  {
    reviewer,
    model_id: Type.Optional(id('Tasks of this model alone; of any model unless given.', 'fraud')),
  },
  { examples: [{ reviewer: 'ann', model_id: 'fraud' }] },
)

/** Gives a task back. */
export const LeaseBody = closed(lease, {
  examples: [
    { reviewer: 'ann', lease_id: '5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9d', comment: 'unreadable' },
  ],
})
export type LeaseBody = Static<typeof LeaseBody>

/** Skips a task. */
export const SkipBody = closed(
  {
    ...lease,
    reason: defaulted(
      Type.Enum(['cannot_tell', 'bad_example'], {
        default: 'cannot_tell',
        description: 'The reviewer cannot tell, or nobody can of such an example.',
      }),
    ),
  },
  {
    examples: [
      {
        reviewer: 'ann',
        lease_id: '5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9d',
        reason: 'bad_example',
        comment: 'no text',
      },
    ],
  },
)

/** Keeps a lease for longer. */
export const RenewBody = closed(
  { reviewer, lease_id: lease.lease_id },
  { examples: [{ reviewer: 'ann', lease_id: '5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9d' }] },
)

/** Time until which a lease goes. */
export const RenewAnswer = closed(
  { task_id: Type.String(), lease_expires_at: time('When the lease ends.') },
  {
    description: 'The lease as it goes now.',
    examples: [{ task_id: 'fraud/p-1', lease_expires_at: '2026-01-01T00:20:00.000Z' }],
  },
)

/** Takes the last answer back. */
export const UndoBody = closed({ reviewer }, { examples: [{ reviewer: 'ann' }] })

/** The lease under which a task is answered again. */
export const UndoAnswer = closed(
  {
    task_id: Type.String(),
    lease_id: Type.String(),
    lease_expires_at: time('When the lease ends.'),
  },
  {
    description: 'The task is open again, and leased to the reviewer: the next claim gives it.',
    examples: [
      {
        task_id: 'fraud/p-1',
        lease_id: '5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9d',
        lease_expires_at: '2026-01-01T00:10:00.000Z',
      },
    ],
  },
)

/** Answers a task. */
export const SubmitBody = closed(
  {
    ...lease,
    label: Type.Unsafe<string | number | boolean>({
      type: ['string', 'number', 'boolean'],
      description: 'The class, value or truth value.',
    }),
  },
  {
    examples: [
      {
        reviewer: 'ann',
        lease_id: '5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9d',
        label: '1',
        comment: 'sure',
      },
    ],
  },
)

/**
 * What a reviewer sees of a prediction; its class, number and score are null until it is answered.
 */
export const ReviewedPrediction = closed({
  predicted_at: time('When the model answered.'),
  model_version: Type.String(),
  prediction: nullable(Type.String()),
  score: nullable(Type.Number()),
  features: Type.Unsafe<Record<string, string | number | boolean | null>>({
    type: 'object',
    additionalProperties: { type: ['string', 'number', 'boolean', 'null'] },
  }),
  attributes: texts(),
  input_text: Type.String(),
  output_text: Type.String(),
})
export type ReviewedPrediction = Static<typeof ReviewedPrediction>

/** A task under a lease, with what the reviewer needs to answer it. */
export const ClaimAnswer = closed(
  {
    task_id: Type.String(),
    lease_id: Type.String(),
    lease_expires_at: time('When the lease ends.'),
    model_id: Type.String(),
    prediction_id: Type.String(),
    classes: Type.Array(Type.String(), {
      description: 'Classes to choose from; empty where any answer is one.',
    }),
    answer: Type.Enum(['class', 'number', 'text'], {
      description: 'What is answered: one of the classes, a number, or any text.',
    }),
    event: ReviewedPrediction,
  },
  {
    description: 'A task that is leased to the reviewer.',
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
          features: { amount: 129.9, country: 'DE' },
          attributes: {},
          input_text: '',
          output_text: '',
        },
      },
    ],
  },
)

/** No task is left for this reviewer. */
export const NoTask = empty('No task is left for this reviewer.')

/** The state a task has come to. */
export const TaskAnswer = closed(
  {
    task_id: Type.String(),
    state: Type.String({
      description:
        '`open`, `done` where it has all its answers, `disputed` where these disagree, `impossible` where nobody can tell.',
    }),
  },
  {
    description: 'The state the task has come to.',
    examples: [{ task_id: 'fraud/p-1', state: 'open' }],
  },
)

/** The state a task has come to, and what the model had answered. */
export const SubmitAnswer = closed(
  {
    ...TaskAnswer.properties,
    prediction: nullable(Type.String({ description: 'What the model answered.' })),
    score: nullable(Type.Number({ description: 'Its score.' })),
  },
  {
    description: 'The state the task has come to, and what the model had answered.',
    examples: [{ task_id: 'fraud/p-1', state: 'done', prediction: '1', score: 0.93 }],
  },
)

const count = (description: string) => Type.Integer({ minimum: 0, description })

/** Tasks, leases and answers of each model. */
export const ReviewStatsAnswer = closed(
  {
    models: Type.Array(
      closed({
        model_id: Type.String(),
        open: count('Tasks that lack answers.'),
        done: count('Tasks with all their answers.'),
        disputed: count('Tasks of which as many say one thing as another.'),
        impossible: count('Tasks that too many have skipped.'),
        gone: count('Tasks whose prediction is not stored any more.'),
        leased: count('Leases that have not ended.'),
        answers: count('Answers that are no skip.'),
        skips: count('Skips.'),
        undone: count('Answers and skips that were taken back.'),
        paused: Pause,
        assigned: Type.Boolean({
          description: 'Whether the caller gets its tasks; false where others alone do.',
        }),
        adjudicates: Type.Boolean({
          description: 'Whether the caller decides where its reviewers disagree.',
        }),
      }),
    ),
  },
  {
    description: 'Counts by model, in the order of ids.',
    examples: [
      {
        models: [
          {
            model_id: 'fraud',
            open: 12,
            done: 30,
            disputed: 1,
            impossible: 0,
            gone: 0,
            leased: 1,
            answers: 61,
            skips: 2,
            undone: 1,
            paused: null,
            assigned: true,
            adjudicates: false,
          },
        ],
      },
    ],
  },
)

/** Bodies and answers of tasks whose right answer is known. */
import Type, { type Static } from 'typebox'
import { closed, defaulted, id, limit, person, time, valueOrReason } from '../parts.ts'

/** Most known answers of one request. */
const MAX_KNOWN = 1000

const label = Type.Unsafe<string | number | boolean | null>({
  type: ['string', 'number', 'boolean', 'null'],
  description:
    'The right answer: a class or a number of the model; null takes the task out of use.',
})

/** Known answers to predictions of a model. */
export const GoldBody = closed(
  {
    actor: Type.Optional(person),
    known: Type.Array(
      closed({
        prediction_id: id('The prediction.', 'p-1'),
        label,
        tolerance: defaulted(
          Type.Number({
            minimum: 0,
            maximum: 1e300,
            default: 0,
            description: 'How far an answer in numbers may lie beside it.',
          }),
        ),
      }),
      { minItems: 1, maxItems: MAX_KNOWN },
    ),
  },
  { examples: [{ actor: 'ann', known: [{ prediction_id: 'p-1', label: '1' }] }] },
)
export type GoldBody = Static<typeof GoldBody>

const count = (description: string) => Type.Integer({ minimum: 0, description })

/** What became of known answers. */
export const GoldAnswer = closed(
  {
    model_id: Type.String(),
    declared: count('New ones.'),
    changed: count('Those that were known with another label or tolerance.'),
    retired: count('Those that are taken out of use.'),
    unchanged: count('Those that were known so before.'),
    refused: Type.Array(closed({ prediction_id: Type.String(), reason: Type.String() }), {
      description: 'Those that were not taken, and why.',
    }),
    in_use: count('Known answers of the model that are in use now.'),
  },
  {
    description: 'What became of each.',
    examples: [
      {
        model_id: 'fraud',
        declared: 1,
        changed: 0,
        retired: 0,
        unchanged: 0,
        in_use: 1,
        refused: [{ prediction_id: 'p-2', reason: 'the prediction is not stored' }],
      },
    ],
  },
)
export type GoldAnswer = Static<typeof GoldAnswer>

/** How many known answers are listed. */
export const GoldQuery = Type.Object({ limit })

/** A known answer, and how it was answered. */
const GoldItem = closed({
  prediction_id: Type.String(),
  label: Type.Unsafe<string | number | boolean>({ type: ['string', 'number', 'boolean'] }),
  tolerance: Type.Number(),
  declared_by: Type.String(),
  declared_at: time('When it was declared last.'),
  answers: count('Answers of reviewers.'),
  correct: count('Those that are right.'),
  skips: count('Reviewers who gave none.'),
})
/** A known answer as it is listed. */
export type GoldItem = Static<typeof GoldItem>

/** Known answers of a model that are in use. */
export const GoldList = closed(
  {
    model_id: Type.String(),
    share: Type.Number({ description: 'Part of a reviewer’s tasks that is to be gold.' }),
    in_use: count('Known answers in use.'),
    gold: Type.Array(GoldItem, {
      description: 'Those first that most reviewers answer otherwise.',
    }),
  },
  {
    description: 'What is known, and how far reviewers agree.',
    examples: [{ model_id: 'fraud', share: 0.05, in_use: 0, gold: [] }],
  },
)

/** How reviewers answer tasks whose right answer is known, and what that says of their answers. */
export const GoldMeasures = closed({
  in_use: count('Known answers in use.'),
  answers: count('Answers to known ones; the newest 50 000 are read.'),
  accuracy: valueOrReason('Share of these that are right, with Wilson’s interval.'),
  reviewers: Type.Array(
    closed({
      reviewer: Type.String(),
      answers: count('Answers to known ones.'),
      skips: count('Known ones that were skipped.'),
      accuracy: valueOrReason('Share that is right.'),
    }),
    { description: 'The 20 with the most answers.' },
  ),
  positive_rate: closed(
    {
      tasks: count('Tasks that were answered.'),
      sensitivity: valueOrReason('Share of known positives that are called so.'),
      specificity: valueOrReason('Share of known negatives that are called so.'),
      observed: valueOrReason(
        'Share of answered tasks that are called positive, as they were drawn.',
      ),
      corrected: valueOrReason(
        'The share that is positive, by Rogan and Gladen; the interval by Lang and Reiczigel.',
      ),
    },
    { description: 'Of a model with two classes: how many predictions are positive in truth.' },
  ),
})
export type GoldMeasures = Static<typeof GoldMeasures>

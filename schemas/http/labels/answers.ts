/** Answers about labels: what is odd about them, and how far reviewers agree. */
import Type, { type Static } from 'typebox'
import { closed, defaulted, nullable, valueOrReason } from '../parts.ts'
import { GoldMeasures } from '../reviews/gold.ts'
import { JudgeAgreements } from './judges.ts'

const count = (description: string) => Type.Integer({ minimum: 0, description })
const seconds = (description: string) => nullable(Type.Integer({ minimum: 0, description }))

/** How far back is looked. */
export const DaysQuery = Type.Object({
  days: defaulted(
    Type.Integer({
      minimum: 1,
      maximum: 365,
      default: 30,
      description: 'How many days back.',
      examples: [30],
    }),
  ),
})

/** What is odd about the labels of a model. */
export const LabelReport = closed(
  {
    model_id: Type.String(),
    days: count('Days that are told of.'),
    labels: count('Labels that came, named ones among them.'),
    refused: count('Labels that are none that the model has: dead letters with `label_mismatch`.'),
    normalised: count('Labels that are taken in the spelling of the model’s classes.'),
    shared_ids: count('`label_id`s that are given to labels of several predictions.'),
    before_prediction: closed({
      labels: count('Outcomes whose label is older than the prediction.'),
      furthest_seconds: seconds('By how much at most.'),
    }),
    ahead: closed({
      labels: count('Labels with a time more than a day after they came.'),
      furthest_seconds: seconds('By how much at most.'),
    }),
    waiting: closed({
      labels: count('Labels whose prediction has not come, however old.'),
      longer_than_days: count('Those that came before the days that are asked for.'),
      oldest_seconds: seconds('For how long the oldest has waited.'),
    }),
  },
  {
    description: 'Counts, each with how far it goes.',
    examples: [
      {
        model_id: 'fraud',
        days: 30,
        labels: 1200,
        refused: 3,
        normalised: 40,
        shared_ids: 1,
        before_prediction: { labels: 2, furthest_seconds: 3600 },
        ahead: { labels: 1, furthest_seconds: 31_536_000 },
        waiting: { labels: 5, longer_than_days: 1, oldest_seconds: 4_000_000 },
      },
    ],
  },
)
export type LabelReport = Static<typeof LabelReport>

const NO_GOLD = {
  value: null,
  ci_low: null,
  ci_high: null,
  reason: 'no task with a known answer was answered',
}

/** How far reviewers of a model agree. */
export const AgreementAnswer = closed(
  {
    model_id: Type.String(),
    days: count('Days that are told of.'),
    tasks: count('Tasks with answers of two reviewers or more.'),
    answers: count('Answers to these; the newest 50 000 of the model are read.'),
    alpha: valueOrReason(
      'Krippendorff’s alpha: nominal of classes, interval of numbers; 95 % by the jackknife over tasks.',
    ),
    fleiss_kappa: nullable(
      Type.Number({ description: 'Null unless every task has as many answers, of classes.' }),
    ),
    classes: Type.Array(
      closed({
        class: Type.String(),
        answers: count('Answers that say so.'),
        alpha: valueOrReason('Agreement on this class against all others.'),
      }),
      { description: 'The 20 most frequent.' },
    ),
    reviewers: Type.Array(
      closed({
        reviewer: Type.String(),
        tasks: count('Tasks of which most others say one thing.'),
        kappa: valueOrReason('Cohen’s kappa with what most others say.'),
      }),
      { description: 'The 20 with the most answers.' },
    ),
    gold: GoldMeasures,
    judges: JudgeAgreements,
  },
  {
    description: 'Coefficients of agreement: 1 is complete, 0 what chance gives.',
    examples: [
      {
        model_id: 'fraud',
        days: 30,
        tasks: 100,
        answers: 200,
        alpha: { value: 0.71, ci_low: 0.6, ci_high: 0.82, reason: '' },
        fleiss_kappa: 0.7,
        classes: [],
        reviewers: [
          {
            reviewer: 'ann',
            tasks: 60,
            kappa: { value: 0.74, ci_low: 0.61, ci_high: 0.87, reason: '' },
          },
        ],
        gold: {
          in_use: 0,
          answers: 0,
          accuracy: NO_GOLD,
          reviewers: [],
          positive_rate: {
            tasks: 0,
            sensitivity: NO_GOLD,
            specificity: NO_GOLD,
            observed: NO_GOLD,
            corrected: NO_GOLD,
          },
        },
        judges: [],
      },
    ],
  },
)
export type AgreementAnswer = Static<typeof AgreementAnswer>

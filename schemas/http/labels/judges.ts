/** Answers about judges, and the body that unmutes one. */
import Type, { type Static } from 'typebox'
import { closed, id, nullable, person, time, valueOrReason } from '../parts.ts'

const count = (description: string) => Type.Integer({ minimum: 0, description })
const usd = (description: string) => Type.Number({ description })

/** The `{id}` and `{judge}` of a path that names a judge. */
export const JudgePath = Type.Object({
  id: Type.String({ description: 'The model.', examples: ['support_chat'] }),
  judge: Type.String({ description: 'Name of the judge.', examples: ['grounded'] }),
})

const Judge = closed({
  judge: Type.String({ description: 'Its name.' }),
  version: Type.String({ description: 'Its version in the model file.' }),
  label: Type.String({ description: 'Name of its labels.' }),
  asks: Type.String({ description: 'The model that is asked, or `command`.' }),
  prompt: Type.String({ description: 'The prompt file.' }),
  sample: Type.Number({ description: 'Share of the predictions that it is asked about.' }),
  standing: Type.Enum(['ready', 'paused', 'muted', 'unready'], {
    description: 'Whether it is asked: `paused` after a failure, `unready` where it cannot be.',
  }),
  reason: Type.String({ description: 'Why it is not asked; empty where it is.' }),
  muted_at: nullable(time('Since when it is muted.')),
  budget_usd: usd('US dollars of a day.'),
  spent_usd: usd('US dollars of today (UTC), with all its versions.'),
  held_usd: usd('US dollars that are held back for what is asked now.'),
  questions: closed(
    {
      open: count('Waiting to be asked.'),
      answered: count('With a label.'),
      invalid: count('Answered with what does not fit.'),
      failed: count('Not answered in all attempts.'),
      unasked: count('Not sent.'),
    },
    { description: 'Questions of this version.' },
  ),
  reasons: Type.Array(
    closed({ state: Type.String(), reason: Type.String(), questions: count('How many.') }),
    { description: 'Why questions have no label, the most frequent first.' },
  ),
})

/** The judges of a model. */
export const JudgesAnswer = closed(
  {
    model_id: Type.String(),
    days: count('Days that questions are counted of; 30 at most are kept.'),
    judges: Type.Array(Judge, { description: 'In the order of the model file.' }),
  },
  {
    description: 'The judges of the model file, as they stand.',
    examples: [
      {
        model_id: 'support_chat',
        days: 30,
        judges: [
          {
            judge: 'grounded',
            version: '1',
            label: 'grounded',
            asks: 'small-judge',
            prompt: 'prompts/grounded.yaml',
            sample: 0.05,
            standing: 'ready',
            reason: '',
            muted_at: null,
            budget_usd: 2,
            spent_usd: 0.42,
            held_usd: 0,
            questions: { open: 3, answered: 812, invalid: 2, failed: 0, unasked: 1 },
            reasons: [
              { state: 'invalid', reason: 'not_json', questions: 2 },
              { state: 'unasked', reason: 'field_missing', questions: 1 },
            ],
          },
        ],
      },
    ],
  },
)
export type JudgesAnswer = Static<typeof JudgesAnswer>

/** Unmutes a judge. */
export const UnmuteBody = closed(
  {
    actor: Type.Optional(person),
    version: id('The version that is unmuted, that of the model file.', '1'),
    reason: Type.String({
      minLength: 1,
      maxLength: 1000,
      description: 'Why it is asked again; it stands in the audit log.',
    }),
  },
  { examples: [{ actor: 'ann', version: '1', reason: 'the rubric of the people was wrong' }] },
)

/** A judge that is asked again. */
export const UnmuteAnswer = closed(
  {
    model_id: Type.String(),
    judge: Type.String(),
    version: Type.String(),
    agreement_from: time('Its labels from then on count for muting it again.'),
  },
  {
    description: 'It is asked again.',
    examples: [
      {
        model_id: 'support_chat',
        judge: 'grounded',
        version: '1',
        agreement_from: '2026-01-05T06:00:00.000Z',
      },
    ],
  },
)

/** How far judges agree with people. */
export const JudgeAgreements = Type.Array(
  closed({
    judge: Type.String({ description: 'Its labeler: `name@version` of judges that run here.' }),
    label: Type.String({ description: 'Name of the labels.' }),
    items: count('Predictions that it and people have labelled.'),
    statistic: Type.Enum(['kappa', 'alpha'], {
      description: 'Cohen’s kappa of classes, Krippendorff’s alpha of numbers.',
    }),
    agreement: valueOrReason('With what most people say; of numbers with the middle.'),
  }),
  { description: 'The 20 judges with the most shared predictions; the newest 20 000 are read.' },
)

/** Parameters and answer of the cohorts of one window beside one another. */
import Type, { type Static } from 'typebox'
import { asOf, closed, defaulted, nullable, time } from './parts.ts'

const AT = '2026-01-01T00:00:00.000Z'
const NEXT = '2026-01-02T00:00:00.000Z'
const number = (description: string) => nullable(Type.Number({ description }))

/** What the pages show unasked: what a model has of these. */
const SHOWN =
  'accuracy,precision,recall,macro_f1,roc_auc,log_loss,mae,rmse,ndcg_at_k,error_ratio,latency_p95_ms'

/** Which window, and which metrics. */
export const CohortsQuery = closed({
  as_of: asOf,
  to: Type.Optional(
    Type.String({
      description:
        'The newest window that ends by this time, RFC 3339; unless given the newest that knows the first metric.',
      examples: [NEXT],
    }),
  ),
  metrics: defaulted(
    Type.String({
      pattern: '^[A-Za-z0-9_.]{1,100}(,[A-Za-z0-9_.]{1,100}){0,14}$',
      default: SHOWN,
      description: 'Metrics with commas between, 15 at most.',
      examples: ['accuracy,recall'],
    }),
  ),
})

const STANDINGS = ['better', 'worse', 'differs', 'alike', 'too_few', 'unknown'] as const

/** One metric of one cohort. */
const Cell = closed({
  value: number('Null where it cannot be known.'),
  ci_low: number('Lower end of the 95 % interval.'),
  ci_high: number('Upper end.'),
  baseline_value: number('The same cohort in the baseline.'),
  n: Type.Integer({ description: 'Cases that the value rests on.' }),
  verdict: Type.Enum(['ok', 'warning', 'alarm', 'incomplete', 'none'], {
    description: 'Beside the baseline.',
  }),
  standing: Type.Enum([...STANDINGS], {
    description:
      'Beside the model as a whole in the same window, by intervals that hold for all cohorts of the metric together.',
  }),
  reason: Type.String(),
})
/** A cell as {@link CohortsAnswer} has it. */
export type Cell = Static<typeof Cell>

const cohort = {
  model_version: Type.String({ description: 'One version, or empty for all.' }),
  variant: Type.String({ description: 'One arm of an experiment, or empty for all.' }),
  slice_key: Type.String({ description: 'A slice, a pair of names, or a predicate; or empty.' }),
  slice_value: Type.String(),
}

/** One cohort found by searching all of them. */
const Found = closed({
  name: Type.String({ description: 'Such as `region=north`, or `amount>=10 and <25`.' }),
  gap: number('Mean loss of the cohort less that of all others.'),
  ci_low: number('Holds for all that were searched together.'),
  ci_high: number('Upper end.'),
  baseline_gap: number('The same gap in the baseline.'),
  n: Type.Integer({ description: 'Labelled predictions of the cohort.' }),
  reason: Type.String(),
})

/** The cohorts of one window. */
export const CohortsAnswer = closed(
  {
    model_id: Type.String(),
    window_start: nullable(time('Start of the window; null where none was evaluated.')),
    window_end: nullable(time('Its end.')),
    windows: Type.Array(time('End of a window, the newest first; 60 at most.')),
    min_count: Type.Integer({ description: 'Cases below which a number is too little.' }),
    metrics: Type.Array(
      closed({
        metric: Type.String(),
        family: Type.String(),
        worse: Type.Enum([-1, 0, 1], {
          description: '1 where more is worse, -1 where less is, 0 where neither.',
        }),
        tested: Type.Integer({ description: 'Cohorts that its intervals hold for together.' }),
      }),
    ),
    cohorts: Type.Array(
      closed({
        ...cohort,
        events: Type.Integer({ description: 'Events of it in the window.' }),
        labelled: Type.Integer({ description: 'Labelled ones.' }),
        cells: Type.Array(nullable(Cell), { description: 'One for each of `metrics`.' }),
      }),
      { description: 'The model as a whole first; then by kind, those with most events first.' },
    ),
    left_out: Type.Integer({ description: 'Cohorts beyond the 400 that are listed.' }),
    searched: closed({
      is_asked: Type.Boolean({ description: 'Whether the model file has `cohorts.search`.' }),
      verdict: nullable(Type.Enum(['ok', 'warning', 'alarm', 'incomplete', 'none'])),
      p_adjusted: number('p-value of the surest cohort, corrected for all that were searched.'),
      reason: Type.String({ description: 'What the search found, in words.' }),
      worst: Type.Array(Found, { description: 'Those that are surely worse, the worst first.' }),
    }),
  },
  {
    description: 'Every cohort of a window by metric.',
    examples: [
      {
        model_id: 'fraud',
        window_start: AT,
        window_end: NEXT,
        windows: [NEXT],
        min_count: 200,
        metrics: [{ metric: 'accuracy', family: 'performance', worse: -1, tested: 1 }],
        cohorts: [
          {
            model_version: '',
            variant: '',
            slice_key: 'country',
            slice_value: 'DE',
            events: 1200,
            labelled: 900,
            cells: [
              {
                value: 0.81,
                ci_low: 0.78,
                ci_high: 0.84,
                baseline_value: 0.9,
                n: 900,
                verdict: 'alarm',
                standing: 'worse',
                reason: '0.81 (0.78 to 0.84) against 0.9',
              },
            ],
          },
        ],
        left_out: 0,
        searched: {
          is_asked: true,
          verdict: 'alarm',
          p_adjusted: 0.0001,
          reason: 'country=DE: accuracy 0.81 of 900 labelled, 0.9 elsewhere',
          worst: [
            {
              name: 'country=DE',
              gap: 0.09,
              ci_low: 0.05,
              ci_high: 0.13,
              baseline_gap: 0,
              n: 900,
              reason: 'accuracy 0.81 of 900 labelled, 0.9 elsewhere',
            },
          ],
        },
      },
    ],
  },
)
/** The cohorts of one window. */
export type CohortsAnswer = Static<typeof CohortsAnswer>

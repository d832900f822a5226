/**
 * Parameters and answers of what is known of windows: metric results, comparisons and violations.
 */
import Type, { type Static } from 'typebox'
import { asOf, bigCount, closed, defaulted, nullable, time } from './parts.ts'

const AT = '2026-01-01T00:00:00.000Z'
const NEXT = '2026-01-02T00:00:00.000Z'

const filter = (description: string, example: string) =>
  Type.Optional(Type.String({ description, examples: [example] }))

/** Which metric results are asked for; what is left out does not narrow, but for the cohort. */
export const WindowsQuery = closed({
  from: filter('Windows that end after this time.', '2026-01-01T00:00:00Z'),
  to: filter('Windows that start before this time.', '2026-02-01T00:00:00Z'),
  slice: filter('key:value; the model as a whole unless given', 'country:DE'),
  family: filter('One family of metrics', 'drift'),
  metric: filter('One metric, or several with commas between', 'psi,ks'),
  subject: filter('A feature, `@prediction`, `@score` or a group', 'amount'),
  model_version: filter('One version, or * for each; without it the total', '7'),
  variant: filter('One arm of an experiment, or * for each; without it the total', '*'),
  newest: defaulted(
    Type.Boolean({
      default: false,
      description:
        'Asks for the newest window of each number alone, one that has a value if there is any.',
      examples: [true],
    }),
  ),
  as_of: asOf,
})

const number = (description: string) => nullable(Type.Number({ description }))

/** What a metric result says, wherever it stands. */
const result = {
  family: Type.Enum(['drift', 'quality', 'performance', 'fairness', 'operations', 'feedback']),
  subject: Type.String({
    description:
      'A feature, `@prediction`, `@score`, a group, the name of a label, or empty for the model.',
  }),
  metric: Type.String(),
  convention: Type.String({ description: '`plumbline`, or whose numbers these are.' }),
  method: Type.Enum(['observed', 'weighted', 'poststratified', 'cbpe', 'dle', 'nowcast']),
  precision: Type.Enum(['exact', 'bounded']),
  value: number('Null where it cannot be known; `reason` says why.'),
  bound_low: number('The value surely lies above.'),
  bound_high: number('The value surely lies below.'),
  ci_low: number('Lower end of the confidence interval.'),
  ci_high: number('Upper end of the confidence interval.'),
  ci_level: number('Level of the interval.'),
  p_value: number('p-value of no drift, allowing for the noise between windows.'),
  p_adjusted: number('Corrected for everything that is tested of the window.'),
  baseline_value: number('The same metric of the baseline; null where the baseline has none.'),
  threshold: number('The line it is held against.'),
  verdict: Type.Enum(['ok', 'warning', 'alarm', 'incomplete', 'none']),
  reason: Type.String(),
  n_effective: number('Effective number of events, where they were sampled.'),
  label_maturity: number('Share of predictions past the label horizon.'),
  completeness: number('Share of emitted events that came.'),
  reference: Type.String({ description: 'What it is compared with, or empty.' }),
}

const RESULT = {
  family: 'drift',
  subject: 'amount',
  metric: 'psi',
  convention: 'plumbline',
  method: 'observed',
  precision: 'exact',
  value: 0.31,
  bound_low: null,
  bound_high: null,
  ci_low: null,
  ci_high: null,
  ci_level: null,
  p_value: null,
  p_adjusted: null,
  baseline_value: null,
  threshold: 0.2,
  verdict: 'alarm',
  reason: '10 bins of equal mass in the reference',
  n_effective: null,
  label_maturity: null,
  completeness: null,
  reference: 'baseline',
}

/** A metric result of a window, as the store keeps it; 64-bit counts are text. */
export const WindowMetric = closed({
  model_id: Type.String(),
  model_version: Type.String({ description: 'One version, or empty for all.' }),
  variant: Type.String({ description: 'One arm of an experiment, or empty for all.' }),
  window_start: time('Start of the window.'),
  window_end: time('End of the window, which is no longer in it.'),
  slice_key: Type.String(),
  slice_value: Type.String(),
  ...result,
  episode_id: Type.String({ description: 'The alert episode, or empty.' }),
  n_reference: bigCount('Events of the reference.'),
  n_current: bigCount('Events of the window.'),
  n_labelled: bigCount('Labelled ones among them.'),
  reference_kind: Type.String({
    description:
      'What kind of reference that is, as the model file names kinds, or empty: a table answers for skew, others for drift.',
  }),
  reference_revision: Type.Integer(),
  policy_revision: Type.String({ description: 'Revision of the model file.' }),
  revision: Type.Integer({ description: 'How often the window was evaluated by then.' }),
  computed_at: time('When it was evaluated.'),
})
export type WindowMetric = Static<typeof WindowMetric>

/** Metric results of a model's windows. */
export const WindowsAnswer = closed(
  { model_id: Type.String(), metrics: Type.Array(WindowMetric) },
  {
    description:
      'Metric results as they stand, or stood at `as_of`, by window; 20 000 at most, the newest.',
    examples: [
      {
        model_id: 'fraud',
        metrics: [
          {
            model_id: 'fraud',
            model_version: '',
            variant: '',
            window_start: AT,
            window_end: NEXT,
            slice_key: '',
            slice_value: '',
            ...RESULT,
            episode_id: 'e-1',
            n_reference: '1000',
            n_current: '1200',
            n_labelled: '0',
            reference_kind: 'first',
            reference_revision: 1,
            policy_revision: 'a1',
            revision: 1,
            computed_at: NEXT,
          },
        ],
      },
    ],
  },
)

/** Whose numbers a comparison may give, besides Plumbline's own. */
export const INTEROP_CONVENTIONS = ['evidently', 'nannyml', 'azure', 'scouter', 'trustyai'] as const

const span = (description: string, example: string) =>
  Type.String({ description, examples: [example] })
const spans = {
  a: span('Baseline: two RFC 3339 times with a slash between.', `${AT}/${NEXT}`),
  b: span('Span beside it: two RFC 3339 times with a slash between.', `${AT}/${NEXT}`),
}

/** The spans that SageMaker's report is about. */
export const SpansQuery = closed(spans)

const text = (description: string, example: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 500, description, examples: [example] }))

/** What tells one side of a comparison, under names that begin with its letter. */
const side = <S extends 'a' | 'b'>(letter: S) => {
  const other = letter === 'a' ? 'b' : 'a'
  return {
    [letter]: text(`Side ${letter}: two RFC 3339 times with a slash between.`, `${AT}/${NEXT}`),
    [`${letter}_reference`]: text(
      `In place of a span: a reference as it stands for the span of ${other}.`,
      'baseline',
    ),
    [`${letter}_version`]: text('Its predictions of one version alone.', '7'),
    [`${letter}_variant`]: text('Those of one arm of an experiment.', 'b'),
    [`${letter}_slice`]: text('Those of one cohort of the model file, as key:value.', 'country:DE'),
  } as Record<S | `${S}_${'reference' | 'version' | 'variant' | 'slice'}`, ReturnType<typeof text>>
}

/** Both sides of a comparison, each a span or a reference, and what of it. */
export const SidesQuery = closed({ ...side('a'), ...side('b') })
/** Both sides as a caller asks for them. */
export type SidesQuery = Static<typeof SidesQuery>

/** The sides to compare, and how; a is the baseline. */
export const CompareQuery = closed({
  ...side('a'),
  ...side('b'),
  exact: defaulted(
    Type.Boolean({
      default: false,
      description: 'From raw rows, where counts would only bound the numbers.',
    }),
  ),
  as_of: asOf,
  convention: defaulted(
    Type.Enum(['plumbline', ...INTEROP_CONVENTIONS], {
      default: 'plumbline',
      description: 'Whose numbers; those of others are always exact.',
    }),
  ),
})

/** What drift there is between two spans. */
export const CompareAnswer = closed(
  {
    model_id: Type.String(),
    metrics: Type.Array(
      closed({
        ...result,
        n_reference: Type.Number(),
        n_current: Type.Number(),
        n_labelled: Type.Number(),
      }),
    ),
  },
  {
    description: 'Metric results of span b beside span a.',
    examples: [
      {
        model_id: 'fraud',
        metrics: [{ ...RESULT, n_reference: 1000, n_current: 1200, n_labelled: 0 }],
      },
    ],
  },
)

/** `constraint_violations.json` of SageMaker Model Monitor. */
export const ViolationsAnswer = closed(
  {
    violations: Type.Array(
      closed({
        feature_name: Type.String(),
        constraint_check_type: Type.Enum([
          'data_type_check',
          'completeness_check',
          'baseline_drift_check',
          'missing_column_check',
          'extra_column_check',
          'categorical_values_check',
        ]),
        description: Type.String(),
      }),
    ),
  },
  {
    description: 'Violations by feature; empty where there is none.',
    examples: [
      {
        violations: [
          {
            feature_name: 'amount',
            constraint_check_type: 'baseline_drift_check',
            description: 'Baseline drift distance: 0.3 exceeds threshold: 0.1',
          },
        ],
      },
    ],
  },
)

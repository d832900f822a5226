/** Parameters, bodies and answers of models, windows, references, comparisons and verdict feedback. */
import Type, { type Static } from 'typebox'
import { ModelFile, ModelReference, ModelWindows, RetrainPolicy } from '../model.ts'
import { bigCount, closed, defaulted, nullable, person, time } from './parts.ts'

const AT = '2026-01-01T00:00:00.000Z'
const NEXT = '2026-01-02T00:00:00.000Z'
const Task = nullable(ModelFile.properties.task)

/** Every model, and what is active of it. */
export const ModelsAnswer = closed(
  {
    models: Type.Array(
      closed({
        model_id: Type.String(),
        task: Task,
        windows: bigCount('Windows that were evaluated.'),
        last_window_end: nullable(time('End of the newest one.')),
        alarms: bigCount('Active alarms of the model as a whole.'),
        warnings: bigCount('Active warnings of the model as a whole.'),
        incomplete: bigCount('Metrics of the newest window that had too little data.'),
      }),
    ),
  },
  {
    description: 'Models in the order of their ids.',
    examples: [
      {
        models: [
          {
            model_id: 'fraud',
            task: 'binary',
            windows: '14',
            last_window_end: NEXT,
            alarms: '1',
            warnings: '0',
            incomplete: '0',
          },
        ],
      },
    ],
  },
)

const { kind: _kind, ...declared } = ModelReference.properties
const DescribedReference = closed({
  name: Type.String(),
  ...declared,
  kind: Type.Enum([...ModelReference.properties.kind.enum, 'uploaded']),
  revision: Type.Optional(
    Type.Integer({ description: 'How often it was put over HTTP; absent of the model file.' }),
  ),
})

/** One model: its file, watermark and references. */
export const ModelAnswer = closed(
  {
    model_id: Type.String(),
    task: Task,
    watermark: nullable(time('Events before this instant are considered complete.')),
    idle: Type.Boolean({ description: 'No event has come for `windows.idle`.' }),
    windows: ModelWindows,
    references: Type.Array(DescribedReference),
    alarms: closed({
      episodes: Type.Integer({ description: 'Alert episodes so far.' }),
      refuted: Type.Integer({ description: 'Those that a person called normal or no problem.' }),
      weeks: Type.Number(),
      refuted_per_week: nullable(Type.Number({ description: 'Null in the first week.' })),
      budget_per_week: Type.Number(),
    }),
    retrain: Type.Array(
      closed({
        name: RetrainPolicy.properties.name,
        when: RetrainPolicy.properties.when,
        approval: RetrainPolicy.properties.approval,
      }),
    ),
  },
  {
    description: 'What is known of the model.',
    examples: [
      {
        model_id: 'fraud',
        task: 'binary',
        watermark: NEXT,
        idle: false,
        windows: {
          size: '1d',
          timezone: 'UTC',
          lateness: '1h',
          idle: '60s',
          min_count: 200,
          min_completeness: 0.95,
          min_labelled: 0.5,
        },
        references: [{ name: 'recent', kind: 'trailing', windows: 4 }],
        alarms: {
          episodes: 2,
          refuted: 1,
          weeks: 4,
          refuted_per_week: 0.25,
          budget_per_week: 0.25,
        },
        retrain: [{ name: 'drifted', when: 'any(drift.psi, alarm)', approval: 'one' }],
      },
    ],
  },
)

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
})

const number = (description: string) => nullable(Type.Number({ description }))

/** What a metric result says, wherever it stands. */
const result = {
  family: Type.Enum(['drift', 'quality', 'performance', 'fairness', 'operations']),
  subject: Type.String({
    description: 'A feature, `@prediction`, `@score`, a group, or empty for the model.',
  }),
  metric: Type.String(),
  convention: Type.String({ description: '`plumbline`, or whose numbers these are.' }),
  method: Type.Enum(['observed', 'poststratified', 'cbpe', 'dle']),
  precision: Type.Enum(['exact', 'bounded']),
  value: number('Null where it cannot be known; `reason` says why.'),
  bound_low: number('The value surely lies above.'),
  bound_high: number('The value surely lies below.'),
  ci_low: number('Lower end of the confidence interval.'),
  ci_high: number('Upper end of the confidence interval.'),
  ci_level: number('Level of the interval.'),
  p_value: number('Of no drift, allowing for the noise between windows.'),
  p_adjusted: number('Corrected for everything that is tested of the window.'),
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
  n_labelled: bigCount('Of them labelled ones.'),
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
    description: 'Metric results as they stand now, by window; 20 000 at most, the newest.',
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

/** The spans to compare, and how. */
export const CompareQuery = closed({
  ...spans,
  exact: defaulted(
    Type.Boolean({
      default: false,
      description: 'From raw rows, where counts would only bound the numbers.',
    }),
  ),
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

const shortText = (description: string) => Type.String({ maxLength: 200, description })

/** A reference as JSON: a span, or all predictions of a version. */
export const ReferenceBody = closed(
  {
    from: Type.Optional(shortText('Start of the span, RFC 3339.')),
    to: Type.Optional(shortText('End of the span, RFC 3339.')),
    model_version: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: 'In place of a span.' }),
    ),
  },
  { examples: [{ from: '2026-01-01T00:00:00Z', to: '2026-01-08T00:00:00Z' }] },
)
export type ReferenceBody = Static<typeof ReferenceBody>

/** A reference as NDJSON, which is read line by line. */
export const UploadedPredictions = Type.Unsafe<Buffer>({
  description: 'Predictions of the model (`prediction.v1`), one a line.',
  examples: [
    '{"prediction_id":"p-1","model_id":"fraud","model_version":"7","predicted_at":"2026-01-01T00:00:00Z","features":{"amount":129.9}}\n',
  ],
})

/** A reference that was put. */
export const ReferenceAnswer = closed(
  {
    name: Type.String(),
    kind: Type.Enum(['first', 'fixed', 'version', 'uploaded']),
    model_version: Type.Optional(Type.String({ description: 'Of a reference of kind version.' })),
    from: Type.Optional(time('Start of its span.')),
    to: Type.Optional(time('End of its span.')),
    events: Type.Optional(Type.Integer({ description: 'Predictions that were uploaded.' })),
    revision: Type.Integer({ minimum: 1, description: 'How often it was put.' }),
  },
  {
    description: 'The reference as it is kept; 201 where it is new.',
    examples: [{ name: 'spring', kind: 'fixed', from: AT, to: NEXT, revision: 1 }],
  },
)

const feedback = {
  actor: Type.Optional(person),
  comment: Type.Optional(Type.String({ maxLength: 2000 })),
}

/** Accepts or dismisses a verdict. */
export const FeedbackBody = closed(feedback, {
  examples: [{ actor: 'ann', comment: 'a new market' }],
})

/** Snoozes a verdict. */
export const SnoozeBody = closed(
  {
    ...feedback,
    until: Type.String({ format: 'date-time', description: 'RFC 3339, by the wall clock.' }),
  },
  { examples: [{ actor: 'ann', until: '2099-01-01T00:00:00Z' }] },
)

/** What a person said of a verdict, as it is kept. */
export const FeedbackAnswer = closed(
  {
    decision_id: Type.String(),
    verdict_id: Type.String(),
    model_id: Type.String(),
    window_start: time('Start of the window.'),
    window_end: time('End of the window.'),
    family: Type.String(),
    metric: Type.String(),
    subject: Type.String(),
    episode_id: Type.String(),
    decision: Type.Enum(['accept', 'dismiss', 'snooze']),
    actor: Type.String(),
    comment: Type.String(),
    until: time('End of a snooze; 1970 of others.'),
    decided_at: time('When it was said.'),
  },
  {
    description: 'What was said, as it is kept.',
    examples: [
      {
        decision_id: '5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9d',
        verdict_id: '9b2c6d1e0f3a4b5c8d7e6f5a4b3c2d1e',
        model_id: 'fraud',
        window_start: AT,
        window_end: NEXT,
        family: 'drift',
        metric: 'psi',
        subject: 'amount',
        episode_id: 'e-1',
        decision: 'accept',
        actor: 'claimed:ann',
        comment: 'a new market',
        until: '1970-01-01T00:00:00.000Z',
        decided_at: NEXT,
      },
    ],
  },
)
export type FeedbackAnswer = Static<typeof FeedbackAnswer>

/**
 * The model file, `models/<model_id>.yaml`: what a user writes. Every key but `model_id` and `task`
 * has a default.
 */
import Type, { type Static } from 'typebox'
import { LABEL_SOURCES } from './events/label.v1.ts'
import { ModelMetrics } from './model-metrics.ts'
import { ModelCard } from './model-card.ts'
import { ModelCohorts } from './model-cohorts.ts'
import { ModelDescriptors } from './language-models/descriptors.ts'
import { ModelJudges } from './language-models/judges.ts'
import { ModelReferenceScores } from './language-models/reference-scores.ts'
import { ModelExploration } from './model-exploration.ts'
import { ModelAlarms } from './model-alarms.ts'
import { ModelReference } from './model-references.ts'
import { ModelPrivacy } from './model-privacy.ts'
import { ModelRetention } from './model-retention.ts'
import { ModelReview } from './review/model-review.ts'
import { Launch } from './launch.ts'
import { RetrainPolicy } from './model-retrain.ts'
import { ModelExpectations } from './model-expectations.ts'
import { UnusualEvents } from './model-unusual.ts'

const DURATION = '^\\d+(ms|s|m|h|d)$'
const duration = (description: string, fallback: string) =>
  Type.String({ pattern: DURATION, description, default: fallback })
const share = (description: string, fallback: number) =>
  Type.Number({ minimum: 0, maximum: 1, description, default: fallback })
const alertText = (description: string) =>
  Type.String({ minLength: 1, maxLength: 200, description })
const closed = { additionalProperties: false }

/** How a model is cut into windows, as its model file says. */
export const ModelWindows = Type.Object(
  {
    size: Type.String({
      pattern: '^(\\d+(m|h|d)|\\d+ events|day|week|month)$',
      description:
        'A duration from `1m` on, a count such as `5000 events`, or a calendar day, week or month.',
      default: '1d',
    }),
    slide: Type.Optional(
      Type.String({
        pattern: '^\\d+(m|h|d)$',
        description: 'Distance of window starts; `size` unless given.',
      }),
    ),
    timezone: Type.String({ description: 'IANA name by which days begin.', default: 'UTC' }),
    season: Type.Optional(Type.String({ pattern: '^\\d+(h|d)$' })),
    lateness: duration('How late events may come and still be on time.', '1h'),
    idle: duration(
      'Silence after which a log partition no longer holds the watermark back.',
      '60s',
    ),
    min_count: Type.Integer({
      minimum: 1,
      default: 200,
      description: 'Events below which a window is incomplete.',
    }),
    min_completeness: share('Share of emitted events below which a window is incomplete.', 0.95),
    min_labelled: share(
      'Share of labelled predictions below which performance is incomplete.',
      0.5,
    ),
  },
  closed,
)

/** What right and wrong answers of a model are worth, in the model owner's money. */
export const BusinessValue = Type.Object(
  {
    tp: Type.Number({ default: 0 }),
    fp: Type.Number({ default: 0 }),
    fn: Type.Number({ default: 0 }),
    tn: Type.Number({ default: 0 }),
  },
  { ...closed, description: 'What a decision of each kind is worth, in any unit.' },
)
/** The business value of a model file, as read and checked. */
export type BusinessValue = Static<typeof BusinessValue>

/** The schema of a model file. */
export const ModelFile = Type.Object(
  {
    model_id: Type.String({ minLength: 1, maxLength: 200 }),
    task: Type.Enum(['binary', 'multiclass', 'regression', 'ranking', 'llm']),
    owner: Type.Optional(
      alertText('Who answers for the model: a name or an address. A label of its alerts.'),
    ),
    team: Type.Optional(alertText('Team of the model. A label of its alerts.')),
    environment: Type.Optional(
      alertText('Where the model serves, such as `production`. A label of its alerts.'),
    ),
    runbook_url: Type.Optional(
      Type.String({
        pattern: '^https?://',
        maxLength: 2000,
        description: 'What to do about an alarm of this model; an annotation of its alerts.',
      }),
    ),
    trace_url: Type.Optional(
      Type.String({
        pattern: '^https?://[^\\s{}]*\\{trace_id\\}[^\\s{}]*$',
        maxLength: 2000,
        description:
          'Where the trace of a prediction is shown, such as `https://traces.example/trace/{trace_id}`.',
      }),
    ),
    alert_labels: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' }),
        Type.String({ maxLength: 200 }),
        { maxProperties: 20, description: 'More labels of its alerts, to route them by.' },
      ),
    ),
    positive_class: Type.Optional(Type.String()),
    windows: Type.Optional(ModelWindows),
    labels: Type.Optional(
      Type.Object(
        {
          horizon: Type.Optional(
            Type.String({
              pattern: DURATION,
              description:
                'Age at which a prediction’s truth is expected. Unless given it is learned from how long labels take; 0s: windows do not wait for labels.',
            }),
          ),
          absent_means: Type.String({
            default: 'unknown',
            description:
              'What a prediction without a label means once it is older than the horizon, such as `0` for ads, fraud and churn.',
          }),
          evaluate_at: Type.Optional(
            Type.Array(Type.Number({ exclusiveMinimum: 0, maximum: 1 }), {
              maxItems: 4,
              description:
                'Shares of the horizon after which performance is evaluated, 1 among them; [1] unless given.',
            }),
          ),
          precedence: Type.Array(Type.Enum([...LABEL_SOURCES]), {
            default: [...LABEL_SOURCES],
            description: 'Sources of labels, the one that decides first; others come after these.',
          }),
          resolve: Type.Enum(['newest', 'majority'], {
            default: 'newest',
            description:
              'Which label of several labelers of the deciding source is the truth: the newest, or what most of them say, of equals the newest.',
          }),
          compare: Type.Optional(
            Type.Enum(['exact', 'normalised'], {
              description:
                'Whether labels must be spelled as the classes are, or may differ in spaces, case, `1.0` for `1` and true or false for 1 or 0; `normalised` unless given where `classes` are, and of regressions (spaces).',
            }),
          ),
        },
        closed,
      ),
    ),
    classes: Type.Optional(Type.Array(Type.String())),
    threshold: Type.Optional(
      Type.Number({ description: 'Scores from here on are positive; 0.5, of margins 0.' }),
    ),
    score_kind: Type.Optional(
      Type.Enum(['probability', 'margin'], {
        description: 'Neither losses nor estimates are made of margins.',
      }),
    ),
    output: Type.Optional(
      Type.Object(
        {
          kind: Type.Enum(['class', 'probability', 'value'], {
            description:
              'What one number alone is that a model server answers: the class, the probability of the positive class, or a predicted value. Unset: a fraction between 0 and 1 of a model whose task is binary, or not declared, is a probability, all else the prediction.',
          }),
        },
        closed,
      ),
    ),
    business_value: Type.Optional(BusinessValue),
    custom_metrics: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[a-z][a-z0-9_]*$' }),
        Type.String({ minLength: 1, maxLength: 2000, pattern: '^[^;]+$' }),
        {
          description:
            'Aggregate expressions in ClickHouse’s SQL over joined outcomes, such as `avgIf(score, positive)`; shown as `custom.<name>`.',
        },
      ),
    ),
    references: Type.Optional(Type.Record(Type.String(), ModelReference)),
    features: Type.Optional(
      Type.Record(Type.String(), Type.Enum(['numeric', 'categorical', 'boolean', 'embedding'])),
    ),
    descriptors: Type.Optional(ModelDescriptors),
    reference_scores: Type.Optional(ModelReferenceScores),
    judges: Type.Optional(ModelJudges),
    expectations: Type.Optional(ModelExpectations),
    unusual_events: Type.Optional(UnusualEvents),
    fairness: Type.Optional(
      Type.Object(
        {
          attributes: Type.Record(
            Type.String(),
            Type.Object({ privileged: Type.Optional(Type.String()) }, closed),
          ),
          favorable: Type.String({ default: '1' }),
        },
        closed,
      ),
    ),
    slices: Type.Optional(Type.Array(Type.String())),
    cohorts: Type.Optional(ModelCohorts),
    exploration: Type.Optional(ModelExploration),
    multivariate: Type.Optional(
      Type.Object(
        {
          rows: Type.Integer({
            minimum: 50,
            maximum: 5000,
            default: 500,
            description: 'Rows that are drawn of each window.',
          }),
        },
        {
          ...closed,
          description:
            'Whether a classifier is asked to tell each window from its reference: finds what no feature shows by itself.',
        },
      ),
    ),
    alarms: Type.Optional(ModelAlarms),
    review: Type.Optional(ModelReview),
    retrain: Type.Optional(Type.Array(RetrainPolicy)),
    metrics: Type.Optional(ModelMetrics),
    card: Type.Optional(ModelCard),
    privacy: Type.Optional(ModelPrivacy),
    retention: Type.Optional(ModelRetention),
  },
  { $id: 'model', additionalProperties: false, $defs: { launch: Launch } },
)
/** A model file, as read and checked. */
export type ModelFile = Static<typeof ModelFile>
/** The windows of a model file, as read and checked. */
export type ModelWindows = Static<typeof ModelWindows>

/** Bodies and answers of models, references and verdict feedback. */
import Type, { type Static } from 'typebox'
import { ModelFile, ModelWindows } from '../model.ts'
import { RetrainPolicy } from '../model-retrain.ts'
import { ModelReference } from '../model-references.ts'
import { bigCount, closed, nullable, person, time } from './parts.ts'

const AT = '2026-01-01T00:00:00.000Z'
const NEXT = '2026-01-02T00:00:00.000Z'
const Task = nullable(ModelFile.properties.task)

/** How a model is: what a headline begins from. */
export const HEALTH = ['healthy', 'degraded', 'unknown', 'silent', 'learning'] as const
/** One of {@link HEALTH}. */
export type Health = (typeof HEALTH)[number]

const described = {
  health: Type.Enum([...HEALTH], {
    description:
      'degraded: an alarm is active; silent: its newest window holds no event; learning: its baseline is not known yet; unknown: nothing could be evaluated.',
  }),
  headline: Type.String({ description: 'The same, and why, in one sentence.' }),
  drift_share: nullable(
    Type.Number({
      description: 'Share of the features with a verdict that drifted in the newest window.',
    }),
  ),
  last_event_at: nullable(time('When its newest event was predicted.')),
  causes: Type.Array(
    closed({
      family: Type.String({ description: 'drift or quality.' }),
      metric: Type.String(),
      subject: Type.String({ description: 'A feature.' }),
      slice: Type.String({ description: 'Where it moved most, `key:value`; empty for the model.' }),
      score_moved_alone: nullable(
        Type.Number({ description: 'What the feature alone does to the mean score.' }),
      ),
      score_moved: nullable(Type.Number({ description: 'What the mean score did.' })),
      says: Type.String({ description: 'The same in words.' }),
    }),
    { description: 'What may explain what is active, the likeliest first; 5 at most.' },
  ),
  worst: closed(
    {
      performance: nullable(Type.String()),
      fairness: nullable(Type.String()),
      quality: nullable(Type.String()),
    },
    { description: 'The worst active alarm or warning of each, in words; null where none is.' },
  ),
}

const DESCRIBED = {
  causes: [
    {
      family: 'drift',
      metric: 'psi',
      subject: 'income',
      slice: 'region:south',
      score_moved_alone: 0.11,
      score_moved: 0.13,
      says: 'income has drifted in region=south (PSI 1.2), which alone moves the score by +0.11 of +0.13',
    },
  ],
  worst: { performance: 'AUC is down from 0.86 to 0.67', fairness: null, quality: null },
}

/** Every model, and what is active of it. */
export type ModelsAnswer = Static<typeof ModelsAnswer>
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
        ...described,
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
            health: 'degraded',
            headline: 'AUC is down from 0.86 to 0.67, since 2 January 2026',
            drift_share: 0.1,
            last_event_at: NEXT,
            ...DESCRIBED,
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
  note: Type.Optional(Type.String({ description: 'What was read of a table.' })),
})

const Baseline = closed({
  compared_with: Type.String({ description: 'What its windows are compared with, in words.' }),
  set_to: Type.String({ description: 'How calm its alarms are set, in words.' }),
  tested_windows: Type.Integer({ description: 'Windows of the last 90 days that were tested.' }),
  last_90_days: Type.Array(
    closed({
      false_alarms_per_week: Type.Number({ description: 'A budget that is tried.' }),
      windows: Type.Integer({ description: 'Windows that would have had an alarm.' }),
      episodes: Type.Integer({ description: 'Alert episodes that these make.' }),
    }),
    {
      description:
        'What the last 90 days of its own time would have looked like on other budgets, from the adjusted p of their tests.',
    },
  ),
})

const LabelHorizon = closed({
  horizon_ms: Type.Integer({
    minimum: 0,
    description: 'How long windows wait for labels, in milliseconds; 0: they do not.',
  }),
  source: Type.Enum(['declared', 'learned', 'none'], {
    description: 'Whether the model file says so, or it was learned from how long labels took.',
  }),
  says: Type.String({ description: 'The same in words.' }),
})

/** One model: its file, watermark and references. */
export type ModelAnswer = Static<typeof ModelAnswer>
/** One model: its file, watermark and references. */
export const ModelAnswer = closed(
  {
    model_id: Type.String(),
    task: Task,
    watermark: nullable(time('Events before this instant are considered complete.')),
    ...described,
    idle: Type.Boolean({ description: 'No event has come for `windows.idle`.' }),
    windows: ModelWindows,
    references: Type.Array(DescribedReference),
    baseline: Baseline,
    label_horizon: LabelHorizon,
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
        health: 'degraded',
        headline: 'AUC is down from 0.86 to 0.67, since 2 January 2026',
        drift_share: 0.1,
        last_event_at: NEXT,
        ...DESCRIBED,
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
        baseline: {
          compared_with:
            'Windows are compared with its first 8 complete windows (2025-12-20 to 2025-12-28)',
          set_to:
            'All metrics together may cost one false alarm in 4 weeks: a window alarms by chance with a probability of at most 0.036',
          tested_windows: 12,
          last_90_days: [{ false_alarms_per_week: 0.1, windows: 1, episodes: 1 }],
        },
        label_horizon: {
          horizon_ms: 93_600_000,
          source: 'learned',
          says: 'Labels are waited for 26 h, which was learned: of 12400 labels in 20 windows 99 % came within 25.2 h (labels.horizon in the model file declares another)',
        },
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

/**
 * Parameters and answers of what the pages read at a glance: active alarms, features and
 * distributions.
 */
import Type, { type Static } from 'typebox'
import { ActiveAlarm } from '../active-alarms.ts'
import { asOf, closed, defaulted, nullable, time } from './parts.ts'

const AT = '2026-01-01T00:00:00.000Z'
const NEXT = '2026-01-02T00:00:00.000Z'
const number = (description: string) => nullable(Type.Number({ description }))

/** Whose active alarms are asked for. */
export const AlarmsQuery = closed({
  model_id: Type.Optional(
    Type.String({ description: 'One model; all unless given.', examples: ['fraud'] }),
  ),
})

/** Active alarms, alarms before warnings. */
export const AlarmsAnswer = closed(
  { alarms: Type.Array(ActiveAlarm) },
  {
    description: 'Alarms before warnings, the newest episode first; 2 000 at most.',
    examples: [
      {
        alarms: [
          {
            model_id: 'fraud',
            model_version: '',
            variant: '',
            slice_key: '',
            slice_value: '',
            family: 'drift',
            metric: 'psi',
            subject: 'amount',
            reference: 'baseline',
            severity: 'alarm',
            value: 0.31,
            baseline_value: null,
            threshold: null,
            reason: '10 bins of equal mass in the reference',
            window_start: AT,
            window_end: NEXT,
            since: NEXT,
            verdict_id: '9b2c6d1e0f3a4b5c8d7e6f5a4b3c2d1e',
            episode_id: `fraud/${NEXT}`,
            snoozed_until: null,
            is_snoozed: false,
          },
        ],
      },
    ],
  },
)

/** How far back the history of each feature goes. */
export const FeaturesQuery = closed({
  windows: defaulted(
    Type.Integer({
      minimum: 1,
      maximum: 120,
      default: 30,
      description: 'Windows of the history, the newest ones.',
      examples: [30],
    }),
  ),
  to: Type.Optional(
    Type.String({
      description: 'Windows that end by this time, RFC 3339; the newest unless given.',
      examples: [NEXT],
    }),
  ),
  as_of: asOf,
})

/** What the newest window says of one feature. */
const Feature = closed({
  subject: Type.String({ description: 'A feature, `@prediction` or `@score`.' }),
  verdict: Type.Enum(['ok', 'warning', 'alarm', 'incomplete', 'none'], {
    description: 'The gravest of its drift and quality metrics.',
  }),
  metric: Type.String({ description: 'The metric that has that verdict, or empty.' }),
  reason: Type.String({ description: 'Why it has it.' }),
  psi: number('Population stability index against the baseline.'),
  ks: number('Kolmogorov-Smirnov distance; null of categories.'),
  p_adjusted: number('The least of its tests, corrected for all that is tested of the window.'),
  missing_ratio: number('Share of events without a value.'),
  history: Type.Array(number('`psi` of a window.'), {
    description: 'One entry for each of `ends`; null where it is not known.',
  }),
})
/** A feature as {@link FeaturesAnswer} has it. */
export type Feature = Static<typeof Feature>

/** Every feature of a model in its newest window. */
export const FeaturesAnswer = closed(
  {
    model_id: Type.String(),
    window_start: nullable(time('Start of the newest window.')),
    window_end: nullable(time('End of the newest window.')),
    ends: Type.Array(time('End of a window of the history, ascending.')),
    features: Type.Array(Feature),
  },
  {
    description: 'Features by severity, then by `p_adjusted`, then by `psi`.',
    examples: [
      {
        model_id: 'fraud',
        window_start: AT,
        window_end: NEXT,
        ends: [AT, NEXT],
        features: [
          {
            subject: 'amount',
            verdict: 'alarm',
            metric: 'psi',
            reason: '10 bins of equal mass in the reference',
            psi: 0.31,
            ks: 0.2,
            p_adjusted: 0.0001,
            missing_ratio: 0,
            history: [0.01, 0.31],
          },
        ],
      },
    ],
  },
)

/** Which distribution, and beside what. */
export const DistributionQuery = closed({
  subject: Type.String({
    description: 'A feature, `@prediction` or `@score`.',
    examples: ['amount'],
  }),
  from: Type.String({ description: 'Start of the span, RFC 3339.', examples: [AT] }),
  to: Type.String({ description: 'End of the span, RFC 3339.', examples: [NEXT] }),
  reference: Type.Optional(
    Type.String({
      description: 'A reference of the model; its baseline unless given.',
      examples: ['baseline'],
    }),
  ),
  as_of: asOf,
})

const share = (description: string) => Type.Number({ description })
const nullableShare = number('Share of the reference, in [0, 1]; null where it has no events.')
/** One bar of a histogram, or one category. */
const Bar = closed({
  low: number('Least value of the bar, in units of the feature; null below all others.'),
  high: number('Greatest value of the bar; null above all others.'),
  category: nullable(Type.String({ description: 'Name of a category; null of numbers.' })),
  current: share('Share of the events of the span, in [0, 1].'),
  reference: nullableShare,
})
/** A bar as {@link DistributionAnswer} has it; shares in [0, 1]. */
export type Bar = Static<typeof Bar>

/** Shares by value of the events of a span, beside those of a reference. */
export const SHOWN_DISTRIBUTION = {
  kind: Type.Enum(['numeric', 'categorical', 'unknown'], {
    description: '`unknown`: no event of either has a value.',
  }),
  scale: Type.Enum(['linear', 'log'], {
    description: 'Whether bars of numbers have one width, or one ratio of their ends.',
  }),
  median: closed({
    current: number('Median of the numbers of the span; null of categories.'),
    reference: number('Median of those of the reference.'),
  }),
  bars: Type.Array(Bar, {
    description: 'Bars in the order of the values; categories by frequency.',
  }),
  missing: closed({
    current: share('Share of events without a value.'),
    reference: nullableShare,
  }),
  other: closed({
    current: share('Share of categories that are not listed.'),
    reference: nullableShare,
    categories: Type.Integer({ description: 'How many are not listed.' }),
  }),
}

/** One feature in a span and in a reference. */
export const DistributionAnswer = closed(
  {
    model_id: Type.String(),
    subject: Type.String(),
    ...SHOWN_DISTRIBUTION,
    reference: nullable(Type.String({ description: 'Its name; null where the model has none.' })),
    reference_spans: Type.Array(closed({ from: time('Start.'), to: time('End.') })),
    n_current: Type.Number({ description: 'Events of the span.' }),
    n_reference: Type.Number({ description: 'Events of the reference.' }),
  },
  {
    description: 'Shares of events by value; at most 62 bars of numbers, 20 categories.',
    examples: [
      {
        model_id: 'fraud',
        subject: 'amount',
        kind: 'numeric',
        scale: 'linear',
        median: { current: 5, reference: 4 },
        reference: 'baseline',
        reference_spans: [{ from: AT, to: NEXT }],
        n_current: 1200,
        n_reference: 1000,
        bars: [{ low: 0, high: 10, category: null, current: 1, reference: 1 }],
        missing: { current: 0, reference: 0 },
        other: { current: 0, reference: 0, categories: 0 },
      },
    ],
  },
)
/** One feature in a span and in a reference. */
export type DistributionAnswer = Static<typeof DistributionAnswer>

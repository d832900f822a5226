/** Parameters and answer of two sides of a model beside one another. */
import Type, { type Static } from 'typebox'
import { SHOWN_DISTRIBUTION } from './console.ts'
import { SidesQuery } from './metric-results.ts'
import { asOf, closed, nullable, time } from './parts.ts'

const AT = '2026-01-01T00:00:00.000Z'
const NEXT = '2026-01-02T00:00:00.000Z'
const number = (description: string) => nullable(Type.Number({ description }))

/** Which sides, and which features. */
export const SideBySideQuery = closed({
  ...SidesQuery.properties,
  as_of: asOf,
  subject: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 500,
      description: 'One feature alone, `@prediction` or `@score`, with its distribution.',
      examples: ['amount'],
    }),
  ),
})

/** What one side is. */
const Side = closed({
  reference: nullable(Type.String({ description: 'The reference it is; null for a span.' })),
  spans: Type.Array(closed({ from: time('Start.'), to: time('End.') }), {
    description: 'Where its events lie, 50 spans at most.',
  }),
  span_count: Type.Integer({ description: 'How many spans there are.' }),
  events: Type.Number({ description: 'Events of it; effective ones where they were sampled.' }),
  labelled: number('Labelled ones; null where labels of such a side are not read.'),
})

/** A number of one side. */
const Estimate = closed({
  value: number('Null where it cannot be known.'),
  ci_low: number('Lower end of the 95 % interval, or what it surely lies above.'),
  ci_high: number('Upper end.'),
  n: Type.Number({ description: 'Cases that it rests on.' }),
})
/** A number of one side as {@link SideBySideAnswer} has it. */
export type SideEstimate = Static<typeof Estimate>

/** One number of both sides, and how far they are apart. */
const BothSides = closed({
  family: Type.Enum(['performance', 'operations']),
  metric: Type.String(),
  worse: Type.Enum([-1, 0, 1], {
    description: '1 where more of it is worse, -1 where less is, 0 where neither is.',
  }),
  a: Estimate,
  b: Estimate,
  difference: number('b minus a.'),
  difference_low: number('Lower end of its 95 % interval; null where it has none.'),
  difference_high: number('Upper end.'),
  rests_on: Type.Enum(['interval', 'bounds', 'nothing'], {
    description:
      '`interval`: of sampling, each metric by itself; `bounds`: certain, of what counts leave open.',
  }),
  standing: Type.Enum(['better', 'worse', 'differs', 'alike', 'unknown'], {
    description: 'b beside a, where the interval of the difference holds no 0.',
  }),
  reason: Type.String({ description: 'Why something of it is not known, or empty.' }),
})
/** One number of both sides as {@link SideBySideAnswer} has it. */
export type BothSides = Static<typeof BothSides>

/** A distance with what is certain of it. */
const Distance = closed({
  value: number('Null where it cannot be known.'),
  low: number('The distance of the values themselves is surely no less; null where not bounded.'),
  high: number('Surely no more.'),
  precision: Type.Enum(['exact', 'bounded']),
})

/** One feature of both sides. */
const FeatureBeside = closed({
  subject: Type.String({ description: 'A feature, `@prediction` or `@score`.' }),
  psi: Distance,
  ks: nullable(Distance),
  js_distance: nullable(Distance),
  n_a: Type.Number({ description: 'Values of a.' }),
  n_b: Type.Number({ description: 'Values of b.' }),
  missing_a: number('Share of events without a value.'),
  missing_b: number('Share of events without a value.'),
  reason: Type.String({ description: 'What the distance is made of, or why there is none.' }),
  shown: nullable(
    closed(SHOWN_DISTRIBUTION, {
      description:
        'Shares of b (`current`) and of a (`reference`) of the 40 that moved most; else null.',
    }),
  ),
})
/** One feature as {@link SideBySideAnswer} has it. */
export type FeatureBeside = Static<typeof FeatureBeside>

const SIDE = { reference: null, spans: [{ from: AT, to: NEXT }], span_count: 1 }
const distance = { value: 0.31, low: 0.31, high: 0.31, precision: 'exact' }
const estimate = { value: 0.9, ci_low: 0.88, ci_high: 0.92, n: 900 }

/** Two sides of a model beside one another. */
export const SideBySideAnswer = closed(
  {
    model_id: Type.String(),
    a: Side,
    b: Side,
    shared: Type.Boolean({
      description: 'Whether an event may be on both sides: differences then have no interval.',
    }),
    metrics: Type.Array(BothSides),
    features: Type.Array(FeatureBeside, {
      description: 'What moved most first; those without a value on one side before all others.',
    }),
    left_out: Type.Integer({ description: 'Features beyond the 2 000 that are listed.' }),
  },
  {
    description: 'Every number of both sides, and every feature.',
    examples: [
      {
        model_id: 'fraud',
        a: { ...SIDE, events: 1000, labelled: 900 },
        b: { ...SIDE, events: 1200, labelled: 900 },
        shared: false,
        metrics: [
          {
            family: 'performance',
            metric: 'accuracy',
            worse: -1,
            a: estimate,
            b: estimate,
            difference: 0,
            difference_low: -0.03,
            difference_high: 0.03,
            rests_on: 'interval',
            standing: 'alike',
            reason: '',
          },
        ],
        features: [
          {
            subject: 'amount',
            psi: distance,
            ks: distance,
            js_distance: distance,
            n_a: 1000,
            n_b: 1200,
            missing_a: 0,
            missing_b: 0,
            reason: '10 bins of equal mass in the reference',
            shown: {
              kind: 'numeric',
              scale: 'linear',
              median: { current: 5, reference: 4 },
              bars: [{ low: 0, high: 10, category: null, current: 1, reference: 1 }],
              missing: { current: 0, reference: 0 },
              other: { current: 0, reference: 0, categories: 0 },
            },
          },
        ],
        left_out: 0,
      },
    ],
  },
)
/** Two sides of a model beside one another. */
export type SideBySideAnswer = Static<typeof SideBySideAnswer>

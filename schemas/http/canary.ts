/** The comparison of a candidate with the champion. */
import Type from 'typebox'
import { closed, defaulted, id, nullable, time } from './parts.ts'

/** Which arms are compared, and how. */
export const CanaryQuery = closed({
  champion: id('The version or variant that serves.', '7'),
  candidate: id('The version or variant that may follow it.', '8'),
  by: defaulted(
    Type.Enum(['model_version', 'variant'], {
      default: 'model_version',
      description: 'What tells the arms apart.',
    }),
  ),
  from: Type.Optional(
    Type.String({
      format: 'date-time',
      description: 'Not before; both arms count from when both are there.',
    }),
  ),
  share: Type.Optional(
    Type.Number({
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      description:
        'Share of the units that is meant for the candidate: then a wrong split is found.',
    }),
  ),
  paired: defaulted(
    Type.Boolean({
      default: false,
      description:
        'Compare the requests that both answered, by `request_id`, as a shadow and the champion do.',
    }),
  ),
  looks: defaulted(
    Type.Integer({
      minimum: 0,
      maximum: 40,
      default: 0,
      description:
        'At how many times, evenly apart, to tell what was known by then; fewer of large arms.',
    }),
  ),
  alpha: defaulted(
    Type.Number({
      exclusiveMinimum: 0,
      exclusiveMaximum: 0.5,
      default: 0.05,
      description: 'Probability of calling equal arms different, however often it is asked.',
    }),
  ),
})

const number = nullable(Type.Number())
const DECISIONS = ['better', 'worse', 'undecided'] as const

/** What can be said of the candidate so far. */
export const CanaryAnswer = closed(
  {
    model_id: Type.String(),
    by: Type.Enum(['model_version', 'variant']),
    paired: Type.Boolean(),
    champion: Type.String(),
    candidate: Type.String(),
    from: time('Both arms count from here.'),
    to: time('Both arms count up to here.'),
    units: closed({
      champion: Type.Integer(),
      candidate: Type.Integer(),
      crossed: Type.Integer({ description: 'Units that both arms answered.' }),
    }),
    note: Type.Optional(Type.String()),
    alpha: Type.Number(),
    decision: Type.Enum([...DECISIONS, 'invalid']),
    reason: Type.String(),
    sample_ratio_p: nullable(
      Type.Number({
        description: 'p-value of units having been drawn as declared; null without a share.',
      }),
    ),
    metrics: Type.Array(
      closed({
        metric: Type.String(),
        champion: number,
        candidate: number,
        difference: nullable(Type.Number({ description: 'Candidate minus champion.' })),
        ci_low: number,
        ci_high: number,
        ci_level: Type.Number(),
        n_champion: Type.Integer(),
        n_candidate: Type.Integer(),
        decision: Type.Enum([...DECISIONS]),
        units_to_decide: nullable(
          Type.Number({
            description:
              'Units of the smaller arm at which it would be decided, were the difference to stay; null where it is, or there is none.',
          }),
        ),
      }),
    ),
    looks: Type.Optional(
      Type.Array(
        closed({
          at: time('Units that came before it.'),
          n_champion: Type.Integer(),
          n_candidate: Type.Integer(),
          metrics: Type.Array(
            closed({
              metric: Type.String(),
              difference: number,
              ci_low: number,
              ci_high: number,
              decision: Type.Enum([...DECISIONS]),
            }),
          ),
        }),
        { description: 'What was known at each time, ascending; where `looks` asks for it.' },
      ),
    ),
  },
  {
    description: 'The candidate beside the champion.',
    examples: [
      {
        model_id: 'fraud',
        by: 'model_version',
        paired: false,
        champion: '7',
        candidate: '8',
        from: '2026-01-01T00:00:00.000Z',
        to: '2026-01-08T00:00:00.000Z',
        units: { champion: 9000, candidate: 1000, crossed: 0 },
        alpha: 0.05,
        decision: 'undecided',
        reason: 'no metric is better or worse yet',
        sample_ratio_p: null,
        metrics: [
          {
            metric: 'accuracy',
            champion: 0.91,
            candidate: 0.915,
            difference: 0.005,
            ci_low: -0.01,
            ci_high: 0.02,
            ci_level: 0.95,
            n_champion: 9000,
            n_candidate: 1000,
            decision: 'undecided',
            units_to_decide: 9000,
          },
        ],
      },
    ],
  },
)

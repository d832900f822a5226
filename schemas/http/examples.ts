/** Parameters and answer of the events that are kept of windows. */
import Type, { type Static } from 'typebox'
import { closed, limit, nullable, time } from './parts.ts'

const AT = '2026-01-01T00:00:00.000Z'
const NEXT = '2026-01-02T00:00:00.000Z'

const filter = (description: string, example: string) =>
  Type.Optional(Type.String({ description, examples: [example] }))

/** Which events are asked for; what is left out does not narrow. */
export const ExamplesQuery = closed({
  from: filter('Windows that end after this time.', '2026-01-01T00:00:00Z'),
  to: filter('Windows that start before this time.', '2026-02-01T00:00:00Z'),
  kind: Type.Optional(
    Type.Enum(['expectation', 'unusual', 'novel'], {
      description:
        'Those that violate an expectation, those that are unusual, or those whose embeddings lie where the baseline has none.',
      examples: ['expectation'],
    }),
  ),
  subject: filter('The name of a rule.', 'amount'),
  limit,
})

/** Events that were kept of a model's windows. */
export const ExamplesAnswer = closed(
  {
    model_id: Type.String(),
    examples: Type.Array(
      closed({
        window_start: time('Start of the window.'),
        window_end: time('Its end.'),
        kind: Type.Enum(['expectation', 'unusual', 'novel']),
        subject: Type.String({
          description: 'The rule; empty of unusual events, @embedding of novel ones.',
        }),
        prediction_id: Type.String(),
        model_version: Type.String(),
        predicted_at: time('When it was predicted.'),
        score: nullable(
          Type.Number({
            description:
              'How unusual it is, from 0 to 1, of novel ones how much of their distance lies beyond what is usual; null of a rule.',
          }),
        ),
        features: Type.Unsafe<Record<string, unknown>>({
          type: 'object',
          description: 'Features that a rule asks for; all of them of an unusual event.',
        }),
        because: Type.Array(Type.String(), {
          description: 'Features that make it unusual, the first most; empty of a rule.',
        }),
        beyond: nullable(
          Type.Number({
            description: 'Share of the baseline’s rows that are less unusual; null of a rule.',
          }),
        ),
        trace_url: nullable(
          Type.String({
            description:
              'Where its trace is shown; null without a trace, or `trace_url` in the file.',
          }),
        ),
      }),
    ),
  },
  {
    description: 'Events of the newest window first.',
    examples: [
      {
        model_id: 'fraud',
        examples: [
          {
            window_start: AT,
            window_end: NEXT,
            kind: 'unusual',
            subject: '',
            prediction_id: 'p-17',
            model_version: '3',
            predicted_at: AT,
            score: 0.74,
            features: { amount: 99999 },
            because: ['amount'],
            beyond: 0.999,
            trace_url: 'https://traces.example/trace/0af7651916cd43dd8448eb211c80319c',
          },
        ],
      },
    ],
  },
)
/** The answer with events that were kept. */
export type ExamplesAnswer = Static<typeof ExamplesAnswer>

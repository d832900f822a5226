/** Question and answer of a trial: what a policy would have done on stored history. */
import Type, { type Static } from 'typebox'
import { DURATION } from '../../launch-requests.ts'
import { bigCount, closed, id, nullable, time } from '../parts.ts'

const AT = '2026-01-01T00:00:00Z'
const END = '2026-02-01T00:00:00Z'
const asked = (description: string, example: string) =>
  Type.String({ format: 'date-time', maxLength: 40, description, examples: [example] })

/** A policy that is tried, and on which history. */
export const PolicyTrialBody = closed(
  {
    model_id: id('The model.', 'fraud'),
    when: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 4000,
        description: 'The condition, as `retrain[].when` of a model file; or else `policy`.',
        examples: ['any(drift.psi, alarm, for=2)'],
      }),
    ),
    policy: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 20_000,
        description:
          'One policy in YAML, as `retrain` of a model file has it; what launches it may be left out.',
      }),
    ),
    turn: Type.Optional(
      closed(
        {
          knob: Type.Integer({ minimum: 0, maximum: 100, description: 'Its place in `knobs`.' }),
          value: Type.Number({ description: 'What it is set to before the policy is tried.' }),
        },
        { description: 'Another value of a number of `policy`.' },
      ),
    ),
    cooldown: Type.Optional(
      Type.String({
        pattern: DURATION,
        description: 'Least stream time between two launches, beside `when`; 0s unless given.',
      }),
    ),
    max_per_month: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'Launches in 30 days, beside `when`; 100 unless given.',
      }),
    ),
    from: asked('Windows that end from here on are decided about, RFC 3339.', AT),
    to: asked('Windows that end up to here, RFC 3339.', END),
  },
  {
    examples: [
      { model_id: 'fraud', when: 'any(drift.psi, alarm)', from: AT, to: END, cooldown: '7d' },
    ],
  },
)
/** A policy that is tried, as read and checked. */
export type PolicyTrialBody = Static<typeof PolicyTrialBody>

/** The policies of a model as they are in force. */
export const PoliciesAnswer = closed(
  {
    model_id: Type.String(),
    policies: Type.Array(
      closed({
        name: Type.String(),
        text: Type.String({
          description: 'In YAML, with its defaults; `launch` and `promote` are left out.',
        }),
      }),
    ),
  },
  {
    description:
      'The policies of a model file; what they launch may hold addresses and is left out.',
    examples: [
      {
        model_id: 'fraud',
        policies: [{ name: 'drifted', text: 'name: drifted\nwhen: any(drift.psi, alarm)\n' }],
      },
    ],
  },
)
/** The policies of a model, as answered. */
export type PoliciesAnswer = Static<typeof PoliciesAnswer>

const value = (description: string) => nullable(Type.Number({ description }))

/** What would have been launched, what held a launch back, and what was done. */
export const PolicyTrialAnswer = closed(
  {
    model_id: Type.String(),
    windows: Type.Integer({
      description: 'Windows that were decided about; 2 000 at most, the newest.',
    }),
    untold: Type.Array(
      closed({
        test: Type.Enum(['schedule', 'alert', 'silence', 'canary']),
        reason: Type.String({ description: 'What is not known, and why.' }),
      }),
      { description: 'What is not known of its tests: where that is so they do not hold.' },
    ),
    policy: nullable(
      Type.String({
        description:
          'The policy as it was tried, in YAML, without what it launches; null of `when`.',
      }),
    ),
    knobs: Type.Array(
      closed({
        says: Type.Enum(['limit', 'above', 'for', 'of', 'cooldown', 'max_per_month'], {
          description: 'What the number is.',
        }),
        text: Type.String({ description: 'What it stands in, as it is written.' }),
        value: Type.Number(),
        low: Type.Number({ description: 'Least value that is worth trying.' }),
        high: Type.Number({ description: 'Greatest value that is worth trying.' }),
        step: Type.Number(),
        unit: Type.String({ description: 'Of a time, such as `d`; empty where it has none.' }),
      }),
      {
        description: 'Numbers of `policy` that may be others; those of values span what was seen.',
      },
    ),
    timeline: Type.Array(
      closed({
        window_end: time('End of the window.'),
        verdict: Type.Enum(['ok', 'warning', 'alarm', 'incomplete', 'none'], {
          description: 'The worst verdict of the model as a whole.',
        }),
        value: value('The metric in this window.'),
      }),
      { description: 'The windows that were decided about, by their ends.' },
    ),
    metric: nullable(
      Type.String({ description: 'What tells how the model did; null: nothing does.' }),
    ),
    decisions: Type.Array(
      closed({
        at: time('End of the window that was decided about, or the time of what else came.'),
        occasion: Type.Enum(['window', 'news', 'tick', 'alert'], {
          description:
            'What it was decided on; `news` are labels, predictions, silences and canaries.',
        }),
        window_end: nullable(time('The newest window then; null where there was none.')),
        launches: Type.Boolean({ description: 'False: a guard held the launch back.' }),
        reason: Type.String(),
        value: value('The metric in this window.'),
        value_after: value('Its mean over the four windows that followed, as it really went.'),
      }),
      { description: 'When the condition held, by time.' },
    ),
    runs: Type.Array(
      closed({
        run_id: Type.String(),
        policy: Type.String(),
        state: Type.String(),
        window_end: time('The window that it was decided on.'),
        value: value('The metric in this window.'),
        value_after: value('Its mean over the four windows that followed.'),
      }),
      { description: 'Runs that were decided on windows of the span; 1 000 at most.' },
    ),
    labels: bigCount('Labels that had been given by the end of the span.'),
  },
  {
    description: 'What a policy would have done, beside what was done.',
    examples: [
      {
        model_id: 'fraud',
        windows: 31,
        untold: [],
        policy: null,
        knobs: [],
        timeline: [{ window_end: '2026-01-12T00:00:00.000Z', verdict: 'alarm', value: 0.71 }],
        metric: 'accuracy',
        decisions: [
          {
            at: '2026-01-12T00:00:00.000Z',
            occasion: 'window',
            window_end: '2026-01-12T00:00:00.000Z',
            launches: true,
            reason: 'alarm of drift.psi in 2 windows',
            value: 0.71,
            value_after: 0.69,
          },
        ],
        runs: [],
        labels: '81000',
      },
    ],
  },
)
/** What a policy would have done, as answered. */
export type PolicyTrialAnswer = Static<typeof PolicyTrialAnswer>

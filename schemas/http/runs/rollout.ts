/** How a candidate gets its traffic: where its steps stand, and what is known of it there. */
import Type, { type Static } from 'typebox'
import { closed, nullable, time } from '../parts.ts'

const number = (description: string) => nullable(Type.Number({ description }))

/** What is known of a candidate at one step. */
export const StepVerdict = closed({
  decision: Type.Enum(['better', 'worse', 'undecided', 'invalid'], {
    description: '`invalid`: the traffic was not drawn in the share that was asked for.',
  }),
  reason: Type.String(),
  n_current: Type.Integer({ description: 'Units of the version that serves, at this step.' }),
  n_candidate: Type.Integer({ description: 'Units of the candidate, at this step.' }),
  labelled_current: Type.Integer({ description: 'Those whose truth is known.' }),
  labelled_candidate: Type.Integer({ description: 'Those whose truth is known.' }),
  metrics: Type.Array(
    closed({
      metric: Type.String(),
      current: number('Value of the version that serves.'),
      candidate: number('Value of the candidate.'),
      difference: number('Candidate minus the version that serves.'),
      ci_low: number('Lower end of the interval of the difference, valid at any time.'),
      ci_high: number('Its upper end.'),
      decision: Type.Enum(['better', 'worse', 'undecided']),
    }),
  ),
  evaluated_at: time('When it was looked at last.'),
})
export type StepVerdict = Static<typeof StepVerdict>

/** Where the traffic of a candidate stands. */
export const Rollout = closed({
  state: Type.Enum(['waiting', 'moving', 'watching', 'held', 'going_back', 'done', 'back'], {
    description:
      '`waiting` for the version, `moving` while a step is launched, `watching` while it is served, `held` until a person decides, `going_back`, and at the end `done` or `back`.',
  }),
  steps: Type.Array(Type.Number(), { description: 'Percent of the traffic, step by step.' }),
  place: Type.Integer({ description: 'The step it stands at, from 0; -1 before the first.' }),
  share: Type.Number({ description: 'Percent that the candidate has, or is being given.' }),
  current_version: Type.String({ description: 'What it is held against; empty before the first.' }),
  step_run: nullable(Type.String({ description: 'The run that launches the step.' })),
  begun_at: time('When this step began.'),
  served_at: nullable(time('Since when this step is served.')),
  served_stream_at: nullable(time('How far events had come then.')),
  until: nullable(time('When this step is late; null before it is launched.')),
  reason: Type.String({ description: 'Why it stands where it does.' }),
  proposes: nullable(
    Type.Enum(['roll_back'], { description: 'What a person is asked to agree to.' }),
  ),
  severity: nullable(
    Type.Enum(['warning', 'alarm'], { description: 'How loudly people are told; null for not.' }),
  ),
  verdict: nullable(StepVerdict),
  turn: Type.Integer({ description: 'How often it has changed.' }),
})
export type Rollout = Static<typeof Rollout>

/** The step of another run's rollout that a run launches. */
export const RolloutStep = closed({
  of: Type.String({ description: 'The run whose candidate gets the traffic.' }),
  action: Type.Enum(['step', 'roll_back']),
  share: Type.Number({ description: 'Percent of the traffic for the candidate.' }),
  new_version: Type.String(),
  current_version: Type.String(),
})
export type RolloutStep = Static<typeof RolloutStep>

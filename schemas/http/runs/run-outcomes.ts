/** What became of a run's candidate: whether it was accepted, and whether it has helped. */
import Type, { type Static } from 'typebox'
import { closed, nullable, time } from '../parts.ts'

const number = (description: string) => nullable(Type.Number({ description }))

/** A metric result that a decision was about. */
export const Trigger = closed({
  family: Type.String(),
  metric: Type.String(),
  subject: Type.String(),
  slice: nullable(closed({ key: Type.String(), value: Type.String() })),
  version: Type.String({ description: 'Empty for the model as a whole.' }),
  from: time('End of the first window that was so.'),
  to: time('End of the last.'),
  test: Type.Union([
    closed({ sign: Type.Enum(['<', '<=', '>', '>=']), limit: Type.Number() }),
    closed({ level: Type.Enum(['warning', 'alarm']) }),
  ]),
})
export type Trigger = Static<typeof Trigger>

/** What is known of one requirement of `accept`. */
export const RequirementResult = closed({
  requirement: Type.String(),
  met: nullable(Type.Boolean({ description: 'Null while it cannot be known.' })),
  candidate: number('Its metric by the candidate.'),
  current: number('The same by the version that serves.'),
  line: number('What the candidate must reach.'),
  source: Type.Enum(['shadow', 'reported', 'none'], {
    description: 'Shadow predictions on the same requests, or what the job reported.',
  }),
  n: Type.Integer({ description: 'Requests it was told by; 0 of what was reported.' }),
  reason: Type.String({ description: 'Why it cannot be known, or empty.' }),
})
export type RequirementResult = Static<typeof RequirementResult>

/** What is known of a candidate. */
export const Acceptance = closed({
  decision: Type.Enum(['waiting', 'promoted', 'rejected']),
  reason: Type.String(),
  requirements: Type.Array(RequirementResult),
  evaluated_at: time('When it was looked at last.'),
  until: time('When incomplete evidence rejects it.'),
})
export type Acceptance = Static<typeof Acceptance>

/** One metric before and after a promotion. */
export const MetricRepair = closed({
  metric: Type.String({ description: 'As `family.metric`, with its subject and slice.' }),
  before: number('Mean of the windows that caused the run.'),
  after: number('Mean of the windows since.'),
  difference: number('After minus before.'),
  ci_low: number('Lower end of the interval of the difference.'),
  ci_high: number('Its upper end.'),
  ci_level: Type.Number(),
  n_before: Type.Integer({ description: 'Windows.' }),
  n_after: Type.Integer({ description: 'Windows.' }),
  outcome: Type.Enum(['repaired', 'not_repaired', 'made_worse', 'unknown']),
  reason: Type.String(),
})
export type MetricRepair = Static<typeof MetricRepair>

/** Whether a promotion has helped. */
export const Repair = closed({
  outcome: Type.Enum(['watching', 'repaired', 'not_repaired', 'made_worse', 'unknown']),
  reason: Type.String(),
  metrics: Type.Array(MetricRepair),
  evaluated_at: time('When it was looked at last.'),
  until: time('When the run is closed with what there is.'),
})
export type Repair = Static<typeof Repair>

/** One state that a run has reached. */
export const RunTransition = closed({
  state: Type.String(),
  actor: Type.String(),
  for: Type.String({
    description: 'In whose stead it was approved; empty for all else.',
  }),
  reason: Type.String(),
  at: time('When it was reached.'),
})
export type RunTransition = Static<typeof RunTransition>

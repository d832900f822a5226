/** Bodies and answers of runs, decisions, alerts and the audit log. */
import Type, { type Static } from 'typebox'
import { RUN_STATES } from '../events/retrain.v1.ts'
import { Dataset, RunConfiguration } from './runs/run-evidence.ts'
import { DelegatedApproval, EscalationStep } from './runs/delegations.ts'
import { Rollout, RolloutStep } from './runs/rollout.ts'
import { Acceptance, Repair, RunTransition, Trigger } from './runs/run-outcomes.ts'
import { closed, defaulted, id, limit, nullable, person, time, words } from './parts.ts'

const RUN_ID = '5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9d'
const AT = '2026-01-01T00:00:00.000Z'
const actor = Type.Optional(person)

/** Which runs are asked for. */
export const RunsQuery = closed({
  model_id: Type.Optional(id('Runs of this model alone; of all unless given.', 'fraud')),
  limit,
})

/** Asks for a run. */
export const RunBody = closed(
  {
    model_id: id('The model to retrain.', 'fraud'),
    policy: id('A policy of its model file.', 'drifted'),
    reason: Type.String({ minLength: 1, maxLength: 10_000, description: 'Why.' }),
    actor,
  },
  {
    examples: [
      { model_id: 'fraud', policy: 'drifted', reason: 'a new market opens', actor: 'ann' },
    ],
  },
)

/** Approves, refuses, calls off or rolls back a run. */
export const RunAnswerBody = closed(
  {
    actor,
    message: Type.String({
      minLength: 1,
      maxLength: 10_000,
      pattern: '\\S',
      description: 'Why, for the audit log.',
    }),
  },
  { examples: [{ actor: 'ann', message: 'looks right' }] },
)

const reported = (description: string) =>
  Type.Optional(
    Type.Record(Type.String({ maxLength: 200 }), Type.Number(), {
      maxProperties: 100,
      description,
    }),
  )

/** What a job reports. */
export const RunReportBody = closed(
  {
    state: Type.Enum(['running', 'succeeded', 'failed']),
    message: words,
    new_version: defaulted(
      Type.String({
        maxLength: 200,
        default: '',
        description: 'The version that was made, with `succeeded`.',
      }),
    ),
    metrics: reported('What its evaluation says of the candidate, by `family.metric`.'),
    current_metrics: reported('The same of the version that serves, by the same events.'),
  },
  {
    examples: [
      {
        state: 'succeeded',
        message: 'AUC 0.91',
        new_version: '8',
        metrics: { 'performance.roc_auc': 0.91 },
      },
    ],
  },
)

/** The token of a run, which its job may also send as bearer. */
export const RunReportQuery = closed({
  token: Type.Optional(
    Type.String({ maxLength: 100, description: 'The token of the run, as in its `status_url`.' }),
  ),
})

const RUN = {
  run_id: RUN_ID,
  model_id: 'fraud',
  policy: 'drifted',
  cause: 'request:1',
  state: 'queued',
  reason: 'a new market opens',
  message: '',
  window_end: null,
  decided_at: AT,
  requested_by: 'ann',
  approvals: [],
  delegated: [],
  approvals_needed: 0,
  labels_known: 0,
  new_version: '',
  approval_expires_at: null,
  triggers: [],
  acceptance: null,
  promoted_at: null,
  repair: null,
  rollout: null,
  step: null,
  notes: [],
  configuration: null,
  dataset: null,
  job_id: null,
  job_url: '',
  attempts: 0,
  next_attempt_at: null,
  revision: 1,
  created_at: AT,
  updated_at: AT,
}

/** A run of retraining. */
export const RunAnswer = closed(
  {
    run_id: Type.String(),
    model_id: Type.String(),
    policy: Type.String(),
    cause: Type.String({ description: 'One run per cause: a window, an alert, a request.' }),
    state: Type.Enum([...RUN_STATES]),
    reason: Type.String({ description: 'Why it was asked for.' }),
    message: Type.String({ description: 'What was last said of it.' }),
    window_end: nullable(time('End of the window that gave the evidence.')),
    decided_at: time('Stream time of the decision.'),
    requested_by: Type.String({
      description: 'Who asked for it: a person, `policy`, `alerts`; empty where nobody knows.',
    }),
    approvals: Type.Array(Type.String(), { description: 'Who has approved.' }),
    delegated: Type.Array(DelegatedApproval, {
      description: 'Those of its approvals that were given in another’s stead.',
    }),
    approvals_needed: Type.Integer(),
    labels_known: Type.Number({ description: 'Labelled outcomes at that time.' }),
    new_version: Type.String({ description: 'The version that was made, or empty.' }),
    approval_expires_at: nullable(time('When it is cancelled unless it is approved.')),
    triggers: Type.Array(Trigger, { description: 'The metric results that it is about.' }),
    acceptance: nullable(Acceptance),
    promoted_at: nullable(time('When its candidate was accepted.')),
    repair: nullable(Repair),
    rollout: nullable(Rollout),
    step: nullable(RolloutStep),
    notes: Type.Array(Type.String(), {
      description: 'What came to light after its decision, such as a restated window.',
    }),
    configuration: nullable(RunConfiguration),
    dataset: nullable(Dataset),
    job_id: nullable(Type.String({ description: 'The id of its job in the system that runs it.' })),
    job_url: Type.String({ description: 'The page of its job there; empty where none is known.' }),
    attempts: Type.Integer({ description: 'How often a launch was tried.' }),
    next_attempt_at: nullable(time('When a launch is tried again.')),
    revision: Type.Integer(),
    created_at: time('When it was recorded.'),
    updated_at: time('When it last changed.'),
  },
  {
    description: 'The run as it is now.',
    examples: [RUN],
  },
)
export type RunAnswer = Static<typeof RunAnswer>

/** A run with what has become of it, as an example. */
export const ONE_RUN = {
  ...RUN,
  escalation: [],
  transitions: [{ state: 'queued', actor: 'ann', for: '', reason: 'a new market opens', at: AT }],
}

/** A run with what has become of it. */
export const OneRunAnswer = closed(
  {
    ...RunAnswer.properties,
    escalation: Type.Array(EscalationStep, {
      description: 'Whom its approval is taken to where nobody gives it, step by step.',
    }),
    transitions: Type.Array(RunTransition, {
      description: 'States it has reached and what was said of it, the oldest first.',
    }),
  },
  {
    description: 'The run as it is now, and how it came to that.',
    examples: [ONE_RUN],
  },
)

/** Several runs. */
export const RunsAnswer = closed(
  { runs: Type.Array(RunAnswer) },
  { description: 'Runs, newest first.', examples: [{ runs: [] }] },
)

/** Whose decisions are asked for. */
export const DecisionsQuery = closed({ model_id: id('The model.', 'fraud'), limit })

/** What policies answered. */
export const DecisionsAnswer = closed(
  {
    decisions: Type.Array(
      closed({
        policy: Type.String(),
        cause: Type.String(),
        action: Type.String({ description: '`launch` or `none`.' }),
        reason: Type.String(),
        window_end: nullable(time('End of the window that was decided about.')),
        evidence_revision: Type.Integer({ description: 'Revision of that window; 0 without one.' }),
        at: time('When it was decided.'),
      }),
    ),
  },
  {
    description: 'Decisions, newest first.',
    examples: [
      {
        decisions: [
          {
            policy: 'drifted',
            cause: 'window:1767225600000',
            action: 'none',
            reason: 'the condition does not hold',
            window_end: AT,
            evidence_revision: 1,
            at: AT,
          },
        ],
      },
    ],
  },
)

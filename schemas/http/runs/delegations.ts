/** Bodies and answers of delegations of approvals. */
import Type, { type Static } from 'typebox'
import { closed, id, limit, nullable, person, time } from '../parts.ts'

const AT = '2026-01-01T00:00:00.000Z'
const ID = '1c9d6c1e-90c1-4d5b-a1f4-6a1f2f3c4d5e'
const reason = Type.String({
  minLength: 1,
  maxLength: 10_000,
  pattern: '\\S',
  description: 'Why, for the audit log.',
})
const instant = (description: string) =>
  Type.String({ format: 'date-time', maxLength: 40, description, examples: [AT] })

/** How many delegations are asked for. */
export const DelegationsQuery = closed({ limit })

/** The `{id}` of a path that names a delegation. */
export const DelegationPath = Type.Object({
  id: Type.String({ description: 'The delegation.', examples: [ID] }),
})

/** Lets another person approve in the caller's stead. */
export const DelegationBody = closed(
  {
    actor: Type.Optional(person),
    to: Type.String({
      minLength: 1,
      maxLength: 180,
      description: 'Who is to approve in the stead of whoever asks.',
      examples: ['bob'],
    }),
    models: Type.Optional(
      Type.Array(id('A model.', 'fraud'), {
        minItems: 1,
        maxItems: 100,
        description: 'Runs of these models; of every model unless given.',
      }),
    ),
    from: Type.Optional(instant('Since when; at once unless given.')),
    until: instant('Until when, 90 days after its begin at most.'),
    reason,
  },
  { examples: [{ actor: 'ann', to: 'bob', until: AT, reason: 'I am away' }] },
)

/** Takes a delegation back. */
export const RevocationBody = closed(
  { actor: Type.Optional(person), message: reason },
  { examples: [{ actor: 'ann', message: 'I am back' }] },
)

/** Approves a run in another's stead. */
export const ApproveForBody = closed(
  {
    actor: Type.Optional(person),
    for: Type.String({
      minLength: 1,
      maxLength: 180,
      description: 'In whose stead.',
      examples: ['ann'],
    }),
    message: reason,
  },
  { examples: [{ actor: 'bob', for: 'ann', message: 'looks right' }] },
)

const DELEGATION = {
  delegation_id: ID,
  delegator: 'ann',
  delegate: 'bob',
  models: null,
  begins_at: AT,
  ends_at: '2026-01-15T00:00:00.000Z',
  reason: 'I am away',
  created_at: AT,
  revoked_at: null,
  revoked_by: '',
  known_by: 'key',
  end_reason: '',
}

/** Who approves in whose stead. */
export const DelegationAnswer = closed(
  {
    delegation_id: Type.String(),
    delegator: Type.String({
      description: 'Whose approvals they are; `claimed:` where nobody has checked the name.',
    }),
    delegate: Type.String({
      description: 'Who gives them; `claimed:` where nobody has checked the name.',
    }),
    models: nullable(Type.Array(Type.String(), { description: 'Runs of these models.' })),
    begins_at: time('Since when.'),
    ends_at: time('Until when.'),
    reason: Type.String(),
    created_at: time('When it was made.'),
    revoked_at: nullable(time('When it was taken back.')),
    revoked_by: Type.String({
      description: 'Who took it back, `policy` where a right has ended; empty where nobody did.',
    }),
    known_by: Type.Enum(['', 'key', 'token', 'claimed'], {
      description:
        'How the delegator was known: what a `key` delegated ends with it; of a `token` nobody can ask. Empty counts as by a key.',
    }),
    end_reason: Type.String({ description: 'Why it was taken back or has ended.' }),
  },
  { description: 'The delegation; null models: of every model.', examples: [DELEGATION] },
)
export type DelegationAnswer = Static<typeof DelegationAnswer>

/** Several delegations. */
export const DelegationsAnswer = closed(
  { delegations: Type.Array(DelegationAnswer) },
  { description: 'Delegations, the newest first.', examples: [{ delegations: [DELEGATION] }] },
)

/** An approval that was given in another's stead. */
export const DelegatedApproval = closed({
  by: Type.String({ description: 'Who gave it.' }),
  for: Type.String({ description: 'In whose stead.' }),
  delegation_id: Type.String(),
})

/** A step by which an approval that nobody gives is taken further. */
export const EscalationStep = closed({
  after: Type.String({ description: 'How long after the run began to wait, such as `2h`.' }),
  to: Type.Array(Type.String(), { description: 'Receivers of the file of alerts.' }),
  due_at: time('When it is due.'),
  told_at: nullable(
    time('When it was taken; null: not yet, or never where the run waits no more.'),
  ),
  missing: Type.Array(Type.String(), {
    description: 'Receivers that the file of alerts did not have then: they were told nothing.',
  }),
})
export type EscalationStep = Static<typeof EscalationStep>

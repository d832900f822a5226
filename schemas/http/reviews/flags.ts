/** Bodies and answers of flags: what reviewers say is wrong with a task itself. */
import Type, { type Static } from 'typebox'
import { closed, defaulted, id, limit, nullable, person, time } from '../parts.ts'

const LEASE_ID = '5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9d'
const FLAG_ID = '0d4c2a1e-2f0e-4f0e-9d3e-0f4f6a7c8b9d'
const MAX_COMMENT = 2000

/** What may be wrong with a task. */
const REASONS = ['bad_example', 'unclear_instruction', 'personal_data', 'wrong_fields'] as const

const reason = Type.Enum([...REASONS], {
  description:
    'Nobody can answer such an example; it is unclear what is asked; it shows a person; fields are missing or wrong.',
})
/** Why a task is flagged. */
export type FlagReason = (typeof REASONS)[number]

/** Flags the task under a lease. */
export const FlagBody = closed(
  {
    reviewer: Type.Optional(person),
    lease_id: id('The lease that the claim gave.', LEASE_ID),
    reason,
    comment: defaulted(Type.String({ maxLength: MAX_COMMENT, default: '' })),
  },
  {
    examples: [
      {
        reviewer: 'ann',
        lease_id: LEASE_ID,
        reason: 'personal_data',
        comment: 'a name in field 3',
      },
    ],
  },
)

/** The flag. */
export const FlagAnswer = closed(
  { task_id: Type.String(), flag_id: Type.String() },
  {
    description: 'Operators see it now; the task is still leased to the reviewer.',
    examples: [{ task_id: 'fraud/p-1', flag_id: FLAG_ID }],
  },
)

/** Which flags are listed. */
export const FlagsQuery = Type.Object({
  state: defaulted(
    Type.Enum(['open', 'closed'], {
      default: 'open',
      description: 'Open ones, the oldest first, or closed ones, the newest first.',
    }),
  ),
  limit,
})

const Flag = closed({
  flag_id: Type.String(),
  task_id: Type.String(),
  prediction_id: Type.String(),
  reviewer: Type.String(),
  reason,
  comment: Type.String(),
  flagged_at: time('When it was flagged.'),
  closed_by: nullable(Type.String()),
  closed_at: nullable(time('When it was closed.')),
  message: Type.String({ description: 'What the operator said of it.' }),
  taken_off: Type.Boolean({ description: 'The task was taken off the queue with it.' }),
})
/** A flag as it is listed. */
export type Flag = Static<typeof Flag>

/** Flags of a model. */
export const FlagsAnswer = closed(
  {
    model_id: Type.String(),
    open: Type.Integer({ minimum: 0, description: 'Flags that are open.' }),
    flags: Type.Array(Flag),
  },
  { description: 'Flags of one model.', examples: [{ model_id: 'fraud', open: 0, flags: [] }] },
)

/** Names a flag of a model. */
export const FlagPath = Type.Object({
  id: Type.String({ description: 'The model.', examples: ['fraud'] }),
  flag_id: Type.String({ maxLength: 200, description: 'The flag.', examples: [FLAG_ID] }),
})

/** Closes a flag. */
export const CloseFlagBody = closed(
  {
    actor: Type.Optional(person),
    message: defaulted(Type.String({ maxLength: MAX_COMMENT, default: '' })),
    take_off: defaulted(
      Type.Boolean({
        default: false,
        description: 'Whether the task is taken off the queue: nobody else is asked.',
      }),
    ),
  },
  { examples: [{ actor: 'olga', message: 'the field is masked now', take_off: false }] },
)

/** A flag that is closed. */
export const ClosedFlag = closed(
  {
    flag_id: Type.String(),
    task_id: Type.String(),
    closed_by: Type.String(),
    taken_off: Type.Boolean(),
  },
  {
    description: 'Who closed it, and whether the task is off the queue.',
    examples: [{ flag_id: FLAG_ID, task_id: 'fraud/p-1', closed_by: 'olga', taken_off: false }],
  },
)

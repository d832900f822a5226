/** Questions to the audit log, and its answers. */
import Type from 'typebox'
import { closed, defaulted, id, limit, time } from '../parts.ts'

const AT = '2026-01-01T00:00:00.000Z'
const HASH = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
const instant = (description: string) =>
  Type.String({ format: 'date-time', maxLength: 40, description, examples: [AT] })

/** Which entries of the audit log are asked for. */
export const AuditQuery = closed({
  after: defaulted(
    Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      default: 0,
      description: 'Entries after this sequence number.',
      examples: [0],
    }),
  ),
  before: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Entries before this sequence number.',
      examples: [1000],
    }),
  ),
  order: defaulted(
    Type.Enum(['oldest', 'newest'], { default: 'oldest', description: 'Which come first.' }),
  ),
  action: Type.Optional(
    id('What was done: the first part of an action, or all of it, such as `run.approve`.', 'run'),
  ),
  actor: Type.Optional(id('Who did it, claimed or known.', 'ann')),
  model_id: Type.Optional(id('The model that it was about.', 'fraud')),
  from: Type.Optional(instant('What was done from this time on, RFC 3339.')),
  to: Type.Optional(instant('What was done before this time, RFC 3339.')),
  limit,
})

/** A page of the audit log. */
export const AuditAnswer = closed(
  {
    entries: Type.Array(
      closed({
        sequence: Type.Integer({ minimum: 1 }),
        at: time('When it was done.'),
        actor: Type.String(),
        action: Type.String({ description: 'Such as `run.launching`.' }),
        subject: Type.String({ description: 'What it was done to.' }),
        detail: Type.Record(Type.String(), Type.Unknown()),
        previous_hash: Type.String({ description: 'Hash of the entry before; SHA-256 in hex.' }),
        hash: Type.String({ description: 'Hash of this entry, the one before included.' }),
      }),
    ),
    complete: Type.Boolean({ description: 'Whether the log is whole as far as can be told.' }),
    reason: Type.String({ description: 'Why it is not, or empty.' }),
    head: closed({ entries: Type.Integer({ minimum: 0 }), hash: Type.String() }),
  },
  {
    description: 'Entries in the order that was asked for, and whether the log is whole.',
    examples: [{ entries: [], complete: true, reason: '', head: { entries: 0, hash: HASH } }],
  },
)

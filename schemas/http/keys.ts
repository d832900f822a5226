/** Bodies and answers of the routes by which API keys are made and taken back. */
import Type from 'typebox'
import { closed, defaulted, nullable, time } from './parts.ts'

const NAME = '0f3a4b5c8d7e'
const name = Type.String({ description: 'What names the key; no secret.', examples: [NAME] })
const expires = defaulted(
  Type.String({
    maxLength: 40,
    default: '90d',
    description: 'When the new key ends: a duration such as `90d`, RFC 3339, or `never`.',
    examples: ['90d'],
  }),
)

const Key = closed({
  key: name,
  id: Type.String({ description: 'Who calls with it.' }),
  may: Type.Array(Type.String(), {
    description: 'Its roles, such as `operator@team:risk`; scopes of a key that has no roles.',
  }),
  created_at: nullable(time('When it was made; null: made by hand.')),
  expires_at: nullable(time('When it ends; null: never.')),
  has_ended: Type.Boolean({ description: 'Whether it has.' }),
  last_used_at: nullable(
    time('When it was used last at a process of this data folder; null: never.'),
  ),
})

const EXAMPLE = {
  key: NAME,
  id: 'ann',
  may: ['analyst', 'operator@team:risk'],
  created_at: '2026-01-01T00:00:00.000Z',
  expires_at: '2026-04-01T00:00:00.000Z',
  has_ended: false,
  last_used_at: '2026-01-02T08:15:00.000Z',
}

/** The `{key}` of a path. */
export const KeyPath = Type.Object({ key: name })

/** All keys. */
export const KeysAnswer = closed(
  { keys: Type.Array(Key) },
  { description: 'Every key of the file, without its secret.', examples: [{ keys: [EXAMPLE] }] },
)

/** Who gets a key, and what for. */
export const NewKeyBody = closed(
  {
    id: Type.String({ minLength: 1, maxLength: 180, description: 'Who calls with it.' }),
    grants: Type.Array(Type.String({ maxLength: 300 }), {
      minItems: 1,
      maxItems: 100,
      description: 'Roles, for all models or some: `analyst`, `operator@team:risk`.',
    }),
    expires,
  },
  { examples: [{ id: 'ann', grants: ['analyst'], expires: '90d' }] },
)

/** How a key is followed by another. */
export const RotateKeyBody = closed(
  {
    overlap: defaulted(
      Type.String({
        maxLength: 40,
        default: '24h',
        description: 'Time for which the old key stays good, such as `24h`.',
      }),
    ),
    expires,
  },
  { examples: [{ overlap: '24h', expires: '90d' }] },
)

/** A key that was made, with its secret. */
export const MadeKeyAnswer = closed(
  {
    secret: Type.String({ description: 'The key itself. Nothing keeps it: it is told here once.' }),
    made: Key,
    replaced: nullable(Key),
  },
  {
    description: 'A new key, and the one it follows.',
    examples: [{ secret: `plb_${NAME}_…`, made: EXAMPLE, replaced: null }],
  },
)

/** A key that was taken back. */
export const RevokedKeyAnswer = closed(
  { revoked: Key },
  { description: 'The key as it was.', examples: [{ revoked: EXAMPLE }] },
)

/** Parts that bodies, parameters and answers of several rooms share. */
import Type, { type TObject, type TProperties, type TSchema } from 'typebox'

/** An object of these properties and no others. */
export const closed = <P extends TProperties>(
  properties: P,
  more: { description?: string; examples?: readonly unknown[] } = {},
): TObject<P> => Type.Object(properties, { ...more, additionalProperties: false })

/**
 * A property that a caller may leave out and a handler always finds, since validation puts its
 * `default` there.
 */
export const defaulted = <T extends TSchema>(schema: T): T => Type.Optional(schema)

/** A value, or null where it cannot be known. */
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** An object of names and texts. */
export const texts = (more: { description?: string } = {}) =>
  Type.Unsafe<Record<string, string>>({
    type: 'object',
    additionalProperties: { type: 'string' },
    ...more,
  })

/** An answer without a body. */
export const empty = (description: string) => Type.Unsafe<null>({ type: 'null', description })

/** The id of a model, policy, version, task or lease; 1 to 200 characters. */
export const id = (description: string, example: string) =>
  Type.String({ minLength: 1, maxLength: 200, description, examples: [example] })

/** The name of a person. */
export const person = Type.String({
  minLength: 1,
  maxLength: 180,
  description: 'Who acts; the key names them where keys are set.',
  examples: ['ann'],
})

/** Words of a person or a job, empty unless given. */
export const words = defaulted(Type.String({ maxLength: 10_000, default: '' }))

/** How many entries an answer has at most. */
export const limit = defaulted(
  Type.Integer({
    minimum: 1,
    maximum: 1000,
    default: 100,
    description: 'Entries of the answer at most.',
    examples: [100],
  }),
)

/** The time of which a caller asks what was known then. */
export const asOf = Type.Optional(
  Type.String({
    maxLength: 40,
    description: 'What was known at this time, RFC 3339; what is known now unless given.',
    examples: ['2026-02-01T00:00:00Z'],
  }),
)

/** RFC 3339 in UTC. */
export const time = (description: string) => Type.String({ description })

/** A 64-bit count, which ClickHouse gives as text. */
export const bigCount = (description: string) => Type.String({ pattern: '^\\d+$', description })

const pathText = (description: string, example: string) =>
  Type.String({ description, examples: [example] })

/** The `{id}` of a path that names a model. */
export const ModelPath = Type.Object({ id: pathText('The model.', 'fraud') })
/** The `{id}` of a path that names a run. */
export const RunPath = Type.Object({
  id: pathText('The run.', '5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9d'),
})
/** The `{id}` of a path that names a verdict. */
export const VerdictPath = Type.Object({
  id: pathText('The verdict.', '9b2c6d1e0f3a4b5c8d7e6f5a4b3c2d1e'),
})
/** The `{task_id}` of a path that names a review task. */
export const TaskPath = Type.Object({ task_id: pathText('The task.', 'fraud/p-1') })
/** The `{id}` and `{name}` of a path that names a reference. */
export const ReferencePath = Type.Object({
  id: pathText('The model.', 'fraud'),
  name: pathText('The reference.', 'spring'),
})

/** A number with its interval, or why there is none. */
export const valueOrReason = (description: string) =>
  closed(
    {
      value: nullable(Type.Number()),
      ci_low: nullable(Type.Number()),
      ci_high: nullable(Type.Number()),
      reason: Type.String({ description: 'Why there is no value; empty where there is one.' }),
    },
    { description },
  )

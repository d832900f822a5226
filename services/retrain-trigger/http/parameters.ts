/** Parameters that several routes share, as JSON Schema. */

/** Access for keys that may read. */
export const READ = { scope: 'read' as const }
/** Access for keys that may operate. */
export const OPERATE = { scope: 'operate' as const }

/** The id of a model, policy, run or version. */
export const id = { type: 'string', minLength: 1, maxLength: 200 }
/** The name of a person. */
export const actor = {
  type: 'string',
  minLength: 1,
  maxLength: 180,
  description: 'Who says so; the key says it where keys are set.',
}
/** What a person or a job says, empty unless given. */
export const words = { type: 'string', maxLength: 10_000, default: '' }
/** How many entries an answer has at most. */
export const limit = { type: 'integer', minimum: 1, maximum: 1000, default: 100 }

/** An object of these properties and no others. */
export const object = (required: string[], properties: Record<string, unknown>) => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
})

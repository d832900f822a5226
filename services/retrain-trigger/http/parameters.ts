/** Parameters that several routes share, as JSON Schema. */

export const READ = { scope: 'read' as const }
export const OPERATE = { scope: 'operate' as const }

export const id = { type: 'string', minLength: 1, maxLength: 200 }
export const actor = {
  type: 'string',
  minLength: 1,
  maxLength: 180,
  description: 'Who says so; the key says it where keys are set.',
}
export const words = { type: 'string', maxLength: 10_000, default: '' }
export const limit = { type: 'integer', minimum: 1, maximum: 1000, default: 100 }

/** An object of these properties and no others. */
export const object = (required: string[], properties: Record<string, unknown>) => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
})

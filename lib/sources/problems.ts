/** What is wrong with a source file by its schema, each in one sentence. Pure. */
import type { ErrorObject, ValidateFunction } from 'ajv'
import type { TSchema } from 'typebox'
import { SourceFile, SourceMapPart, SourceValue } from '../../schemas/source.ts'
import type { EventField } from '../events/fields.ts'
import { didYouMean } from '../runtime/nearest-name.ts'
import { compiledSchema } from '../runtime/compiled-schema.ts'

const fileValidator = compiledSchema(SourceFile)
const valueValidator = compiledSchema(SourceValue)
const partValidator = compiledSchema(SourceMapPart)

/** Every problem of a file's shape; empty where it has the shape of a source file. */
export const fileProblems = (file: unknown): string[] => problemsOf(fileValidator(), file, '')

/** Every problem of what a field is made of, by the kind of the field. */
export function fieldProblems(spec: unknown, field: EventField, key: string): string[] {
  if (typeof spec !== 'object' || spec === null) {
    const isFine = ['string', 'number', 'boolean'].includes(typeof spec)
    return isFine ? [] : [`${key} must be a path, a constant or a mapping`]
  }
  if (!field.isMap)
    return Array.isArray(spec)
      ? [
          `${key} must be a path, a constant or a mapping: of several paths the first that is there is path: [a, b]`,
        ]
      : problemsOf(valueValidator(), spec, key)
  const parts = Array.isArray(spec) ? spec : [spec]
  return parts.flatMap((part: unknown, i) => {
    const at = Array.isArray(spec) ? `${key}[${i}]` : key
    return typeof part === 'string' ? [] : problemsOf(partValidator(), part, at)
  })
}

function problemsOf(validate: ValidateFunction, value: unknown, key: string): string[] {
  if (validate(value)) return []
  const errors = validate.errors ?? []
  return [
    ...new Set(
      errors.filter((error) => !isWithinChoice(error, errors)).map((e) => sentence(e, key)),
    ),
  ]
}

/**
 * Errors of the branches of a choice go: the choice itself is told. An object means the branch of
 * objects: then its errors stay, and the choice goes.
 */
function isWithinChoice(error: ErrorObject, all: readonly ErrorObject[]): boolean {
  const isWithin = all.some(
    (choice) =>
      choice.keyword === 'anyOf' &&
      error.schemaPath.startsWith(`${choice.schemaPath}/`) &&
      !objectBranch(choice, error),
  )
  return isWithin || (error.keyword === 'anyOf' && all.some((one) => objectBranch(error, one)))
}

/** Whether an error is of the branch of objects of a choice whose value is an object. */
function objectBranch(choice: ErrorObject, error: ErrorObject): boolean {
  if (!isObject(choice.data) || !error.schemaPath.startsWith(`${choice.schemaPath}/`)) return false
  const branches = choice.schema as readonly { type?: string }[]
  const at = branches.findIndex(({ type }) => type === 'object')
  return at !== -1 && error.schemaPath.startsWith(`${choice.schemaPath}/${at}/`)
}

const isObject = (value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function sentence(error: ErrorObject, key: string): string {
  const { instancePath, params, message = 'is invalid', keyword, parentSchema, data } = error
  const path = [key, ...instancePath.slice(1).split('/')]
    .filter((part) => part !== '')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.')
    .replaceAll(/\.(\d+)(?=\.|$)/g, '[$1]')
  const known = Object.keys((parentSchema as { properties?: object })?.properties ?? {})
  switch (keyword) {
    case 'additionalProperties': {
      const own = (params as { additionalProperty: string }).additionalProperty
      return `${path === '' ? own : `${path}.${own}`} is no key of a source file${didYouMean(own, known) || `: there are ${known.join(', ')}`}`
    }
    case 'required':
      return `${path || 'the file'} must have ${(params as { missingProperty: string }).missingProperty}`
    case 'enum': {
      const values = (params as { allowedValues: string[] }).allowedValues
      const near = typeof data === 'string' ? didYouMean(data, values) : ''
      return `${path} must be one of ${values.join(', ')}${near}`
    }
    case 'anyOf':
      return `${path} must be ${typesOf(error.schema as readonly TSchema[])}`
    case 'pattern': {
      const { description = message } = parentSchema as { description?: string }
      return `${path} must be ${description}`
    }
    default:
      return `${path || 'the file'} ${message}`
  }
}

const WORDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  null: 'null',
  array: 'a list',
  object: 'a mapping',
}

function typesOf(branches: readonly TSchema[]): string {
  const words = branches.flatMap((branch) => {
    const { type, anyOf } = branch as { type?: string; anyOf?: readonly TSchema[] }
    return anyOf ? [typesOf(anyOf)] : [WORDS[type ?? ''] ?? 'a value']
  })
  return [...new Set(words)].join(', or ')
}

/** A JSON Schema of one event's features: what pydantic, TypeBox and others write. */
import type { ModelExpectation } from '../../schemas/model-expectations.ts'
import {
  listOf,
  numberOf,
  objectOf,
  present,
  textOf,
  valuesOf,
  type Translated,
  type Unknown,
} from './translated.ts'

const TYPES: Readonly<Record<string, ModelExpectation['type']>> = {
  number: 'number',
  integer: 'integer',
  string: 'text',
  boolean: 'boolean',
}
/** Members that say nothing about values. */
const ANNOTATIONS = new Set(
  'title description default examples $comment deprecated readOnly writeOnly'.split(' '),
)
const READ = new Set(
  'type enum const minimum maximum exclusiveMinimum exclusiveMaximum minLength maxLength pattern'.split(
    ' ',
  ),
)

/** The properties of the schema's object: types, limits, sets, patterns, and which are required. */
export function fromJsonSchema(document: unknown): Translated {
  const schema = objectOf(document)
  const untranslated: string[] = []
  const required = new Set(listOf(schema['required']))
  const rules = Object.entries(objectOf(schema['properties'])).flatMap(([feature, given]) => {
    const property = resolved(objectOf(given), schema)
    if (!property) {
      untranslated.push(`${feature}: ${JSON.stringify(given).slice(0, 200)}`)
      return []
    }
    for (const [key, value] of Object.entries(property.schema))
      if (!READ.has(key) && !ANNOTATIONS.has(key))
        untranslated.push(`${feature}: ${key} ${JSON.stringify(value).slice(0, 200)}`)
    return ruleOf(feature, property, required.has(feature), untranslated)
  })
  for (const key of ['allOf', 'anyOf', 'oneOf', 'not', 'if', 'dependentRequired'])
    if (schema[key] !== undefined) untranslated.push(`${key} of the whole object`)
  return { rules, untranslated }
}

/** A property without references and without the branch that lets it be null. */
interface Property {
  schema: Unknown
  /** Whether null is one of its values: a null feature is missing. */
  isNullable: boolean
}

function resolved(given: Unknown, root: Unknown): Property | undefined {
  const target = (one: Unknown): Unknown => {
    const path = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(textOf(one['$ref']) ?? '')
    if (!path) return one
    const { $ref: _, ...own } = one
    return { ...objectOf(objectOf(root[path[1]!])[path[2]!]), ...own }
  }
  const own = target(given)
  const branches = listOf(own['anyOf'] ?? own['oneOf']).map((one) => target(objectOf(one)))
  if (branches.length === 0) return own['$ref'] === undefined ? typed(own) : undefined
  const others = branches.filter((one) => one['type'] !== 'null')
  const { anyOf: _a, oneOf: _o, ...rest } = own
  if (others.length !== 1) return undefined
  return { schema: { ...rest, ...others[0] }, isNullable: others.length < branches.length }
}

function typed(own: Unknown): Property {
  const types = listOf(own['type'])
  const others = types.filter((type) => type !== 'null')
  if (types.length === 0 || others.length !== 1) return { schema: own, isNullable: false }
  return { schema: { ...own, type: others[0] }, isNullable: others.length < types.length }
}

function ruleOf(
  feature: string,
  { schema, isNullable }: Property,
  isRequired: boolean,
  untranslated: string[],
): ModelExpectation[] {
  const given = textOf(schema['type'])
  const type = TYPES[given ?? '']
  if (schema['type'] !== undefined && !type)
    untranslated.push(`${feature}: type ${JSON.stringify(schema['type'])}`)
  const rule = present({
    feature,
    type,
    required: isRequired && !isNullable ? true : undefined,
    min: numberOf(schema['minimum']),
    max: numberOf(schema['maximum']),
    above: numberOf(schema['exclusiveMinimum']),
    below: numberOf(schema['exclusiveMaximum']),
    min_length: numberOf(schema['minLength']),
    max_length: numberOf(schema['maxLength']),
    pattern: textOf(schema['pattern']),
    one_of: valuesOf(schema['enum'] ?? (schema['const'] === undefined ? [] : [schema['const']])),
  } as ModelExpectation)
  return Object.keys(rule).length > 1 ? [rule] : []
}

/** A schema of pandera, as `DataFrameSchema.to_json` and `to_yaml` write it. */
import type { ModelExpectation } from '../../schemas/model-expectations.ts'
import {
  numberOf,
  objectOf,
  present,
  textOf,
  valuesOf,
  type Translated,
  type Unknown,
} from './translated.ts'

const TYPES: readonly [RegExp, NonNullable<ModelExpectation['type']>][] = [
  [/^u?int/i, 'integer'],
  [/^float|^decimal/i, 'number'],
  [/^str|^object/i, 'text'],
  [/^bool/i, 'boolean'],
]

/** Members of a column that say nothing about single values, or are read elsewhere. */
const KNOWN = new Set(
  'dtype nullable required title description metadata regex coerce default drop_invalid_rows'.split(
    ' ',
  ),
)

/** Members of checks themselves. */
const escaped = (text: string) => text.replaceAll(/[\\^$.|?*+()[\]{}]/g, String.raw`\$&`)

/** What a check says of a value; undefined where it has no translation. */
const CHECKS: Readonly<Record<string, (given: unknown) => Partial<ModelExpectation> | undefined>> =
  {
    greater_than: (given) => limit('above', given),
    greater_than_or_equal_to: (given) => limit('min', given),
    less_than: (given) => limit('below', given),
    less_than_or_equal_to: (given) => limit('max', given),
    in_range: (given) => {
      const {
        min_value: low,
        max_value: high,
        include_min: min,
        include_max: max,
      } = objectOf(given)
      return {
        ...limit(min === false ? 'above' : 'min', low),
        ...limit(max === false ? 'below' : 'max', high),
      }
    },
    equal_to: (given) => oneOf([given]),
    isin: oneOf,
    str_matches: (given) => pattern((text) => `^(?:${text})`, given),
    str_contains: (given) => pattern((text) => text, given),
    str_startswith: (given) => pattern((text) => `^${escaped(text)}`, given),
    str_endswith: (given) => pattern((text) => `${escaped(text)}$`, given),
    str_length: (given) => {
      const { min_value: low, max_value: high, exact_value: exact } = objectOf(given)
      return {
        ...limit('min_length', numberOf(exact) ?? low),
        ...limit('max_length', numberOf(exact) ?? high),
      }
    },
  }

function limit(key: keyof ModelExpectation, given: unknown): Partial<ModelExpectation> | undefined {
  const value = numberOf(objectOf(given)['value'] ?? given)
  return value === undefined ? undefined : { [key]: value }
}

function oneOf(given: unknown): Partial<ModelExpectation> | undefined {
  const values = valuesOf(objectOf(given)['value'] ?? given)
  return values && { one_of: values }
}

function pattern(make: (text: string) => string, given: unknown) {
  const text = textOf(objectOf(given)['value'] ?? given)
  return text === undefined ? undefined : { pattern: make(text) }
}

/** Columns with their types, whether they may be missing, and built-in checks. */
export function fromPandera(document: unknown): Translated {
  const rules: ModelExpectation[] = []
  const untranslated: string[] = []
  const schema = objectOf(document)
  for (const key of ['checks', 'unique', 'index'])
    if (Object.keys(objectOf(schema[key])).length > 0 || Array.isArray(schema[key]))
      untranslated.push(`${key} of the whole table`)
  for (const [feature, column] of Object.entries(objectOf(schema['columns'])))
    for (const rule of columnRules(feature, objectOf(column), untranslated)) rules.push(rule)
  return { rules, untranslated }
}

function columnRules(feature: string, column: Unknown, untranslated: string[]) {
  const rules: ModelExpectation[] = []
  const type = TYPES.find(([names]) => names.test(textOf(column['dtype']) ?? ''))?.[1]
  if (!type && textOf(column['dtype']) !== undefined)
    untranslated.push(`${feature}: dtype ${textOf(column['dtype'])}`)
  if (column['regex'] === true) {
    untranslated.push(`${feature}: a regular expression over the names of columns`)
    return []
  }
  const rule: Record<string, unknown> = {
    feature,
    type,
    required: column['nullable'] !== true && column['required'] !== false ? true : undefined,
  }
  const checks = { ...column, ...objectOf(column['checks']) }
  delete (checks as Record<string, unknown>)['checks']
  if ('checks' in column && column['checks'] === null)
    untranslated.push(`${feature}: checks of its own, which pandera does not write out`)
  for (const [name, given] of Object.entries(checks)) {
    if (KNOWN.has(name) || given === null || given === false) continue
    const found = CHECKS[name]?.(given)
    if (!found || Object.keys(found).length === 0)
      untranslated.push(`${feature}: ${name} ${JSON.stringify(given)}`)
    else if (Object.keys(found).some((key) => rule[key] !== undefined))
      rules.push({ feature, ...found })
    else Object.assign(rule, found)
  }
  const whole = present(rule as ModelExpectation)
  return [...(Object.keys(whole).length > 1 ? [whole] : []), ...rules]
}

/** A suite of Great Expectations, as `ExpectationSuite.to_json_dict` writes it. */
import type { ModelExpectation } from '../../schemas/model-expectations.ts'
import {
  listOf,
  numberOf,
  objectOf,
  present,
  textOf,
  toleranceOf,
  valuesOf,
  type Translated,
  type Unknown,
} from './translated.ts'

type Translate = (kwargs: Unknown) => ModelExpectation | undefined

const feature = (kwargs: Unknown) => ({ feature: textOf(kwargs['column']) ?? '' })
/** A name as an expression has it. */
const quoted = (name: unknown) => JSON.stringify(textOf(name) ?? '')

const TYPES: readonly [RegExp, NonNullable<ModelExpectation['type']>][] = [
  [/^u?int|^integer|^bigint|^smallint|^long/i, 'integer'],
  [/^float|^double|^decimal|^numeric|^number|^real/i, 'number'],
  [/^str|^object|^varchar|^text|^char/i, 'text'],
  [/^bool/i, 'boolean'],
]

const TRANSLATIONS: Readonly<Record<string, Translate>> = {
  expect_column_values_to_not_be_null: (kwargs) => ({ ...feature(kwargs), required: true }),
  expect_column_values_to_be_between: (kwargs) => {
    const [low, high] = [numberOf(kwargs['min_value']), numberOf(kwargs['max_value'])]
    if (low === undefined && high === undefined) return undefined
    return {
      ...feature(kwargs),
      ...(kwargs['strict_min'] === true ? { above: low } : { min: low }),
      ...(kwargs['strict_max'] === true ? { below: high } : { max: high }),
    } as ModelExpectation
  },
  expect_column_values_to_be_in_set: (kwargs) => {
    const values = valuesOf(kwargs['value_set'])
    return values && { ...feature(kwargs), one_of: values }
  },
  expect_column_values_to_be_of_type: (kwargs) => {
    const type = TYPES.find(([names]) => names.test(textOf(kwargs['type_']) ?? ''))?.[1]
    return type && { ...feature(kwargs), type }
  },
  expect_column_values_to_match_regex: (kwargs) => {
    const pattern = textOf(kwargs['regex'])
    return pattern === undefined ? undefined : { ...feature(kwargs), pattern }
  },
  expect_column_value_lengths_to_be_between: (kwargs) =>
    ({
      ...feature(kwargs),
      min_length: numberOf(kwargs['min_value']),
      max_length: numberOf(kwargs['max_value']),
    }) as ModelExpectation,
  expect_column_value_lengths_to_equal: (kwargs) => {
    const length = numberOf(kwargs['value'])
    return length === undefined
      ? undefined
      : { ...feature(kwargs), min_length: length, max_length: length }
  },
  expect_column_values_to_be_increasing: (kwargs) => ({
    ...feature(kwargs),
    monotone: kwargs['strictly'] === true ? 'strictly_increasing' : 'increasing',
  }),
  expect_column_values_to_be_decreasing: (kwargs) => ({
    ...feature(kwargs),
    monotone: kwargs['strictly'] === true ? 'strictly_decreasing' : 'decreasing',
  }),
  expect_column_pair_values_a_to_be_greater_than_b: (kwargs) => ({
    expression: `${quoted(kwargs['column_A'])} ${kwargs['or_equal'] === true ? '>=' : '>'} ${quoted(kwargs['column_B'])}`,
  }),
  expect_column_pair_values_to_be_equal: (kwargs) => ({
    expression: `${quoted(kwargs['column_A'])} = ${quoted(kwargs['column_B'])}`,
  }),
}

/** Members of `kwargs` that change what an expectation is about. */
const CONDITIONS = ['row_condition', 'condition_parser']

/** Expectations on the values of columns; `mostly` becomes the tolerance. */
export function fromGreatExpectations(document: unknown): Translated {
  const rules: ModelExpectation[] = []
  const untranslated: string[] = []
  for (const one of listOf(objectOf(document)['expectations']).map(objectOf)) {
    // Suites of before 1.0 say `expectation_type`.
    const type = textOf(one['type']) ?? textOf(one['expectation_type']) ?? 'an expectation'
    const kwargs = objectOf(one['kwargs'])
    const told = `${type}(${Object.entries(kwargs)
      .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
      .join(', ')})`
    const isConditional = CONDITIONS.some((key) => (kwargs[key] ?? null) !== null)
    const rule = isConditional ? undefined : TRANSLATIONS[type]?.(kwargs)
    if (!rule) {
      untranslated.push(told)
      continue
    }
    const severity = ['warning', 'info'].includes(textOf(one['severity']) ?? '')
    rules.push(
      present({
        ...rule,
        ...toleranceOf(kwargs['mostly']),
        ...(severity && { severity: 'warning' as const }),
      }),
    )
  }
  return { rules, untranslated }
}

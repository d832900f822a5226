/**
 * A predicate over predictions in SQL. Names and literals travel as parameters: no word of a model
 * file, of a caller or of an event is part of a statement. Pure.
 */
import { testsOf } from '../models/language/logic.ts'
import type { Literal, Predicate, PredicateTest } from '../models/predicates.ts'
import type { Params } from './port.ts'

/** Where a value is read from: outcomes keep no features. */
export type ValueSource = 'predictions' | 'outcomes'

/** The parameter that holds the name of the nth value that is asked for. */
export const nameParameter = (i: number): string => `{slice_name_${i}:String}`

/** Parameters of {@link predicateSql}. */
export const predicateParams = (predicate: Predicate): Params =>
  Object.fromEntries(
    testsOf(predicate).flatMap((test, i) => [
      [`slice_name_${i}`, test.name],
      ...(test.kind === 'missing' ? [] : [[`slice_literal_${i}`, literalsOf(test)]]),
    ]),
  ) as Params

const literalsOf = (test: Exclude<PredicateTest, { kind: 'missing' }>) =>
  test.kind === 'in' ? test.literals.map(asParameter) : asParameter(test.literal)

const asParameter = (one: Literal) => (typeof one === 'boolean' ? String(one) : one)

/** What the model itself answered: its text, and its number where it has one. */
const OWN: Readonly<Record<string, { text: string; number?: string }>> = {
  '@score': { text: 'toString(score)', number: 'score' },
  '@prediction': { text: 'prediction', number: 'prediction_number' },
  '@latency_ms': { text: 'toString(latency_ms)', number: 'latency_ms' },
  '@time_to_first_token_ms': {
    text: 'toString(time_to_first_token_ms)',
    number: 'time_to_first_token_ms',
  },
  '@producer': { text: "nullIf(producer, '')" },
  '@model_version': { text: 'toString(model_version)' },
  '@variant': { text: "nullIf(toString(variant), '')" },
}

/** SQL of a predicate over a row, 0 or 1: a comparison with a missing value does not hold. */
export function predicateSql(predicate: Predicate, source: ValueSource): string {
  let next = 0
  const of = (one: Predicate): string => {
    if (one.kind === 'not') return `NOT (${of(one.inner)})`
    if (one.kind === 'and') return `(${of(one.left)} AND ${of(one.right)})`
    if (one.kind === 'or') return `(${of(one.left)} OR ${of(one.right)})`
    return testSql(one, next++, source)
  }
  return of(predicate)
}

function testSql(test: PredicateTest, i: number, source: ValueSource): string {
  const value = valuesAt(test.name, i, source)
  if (test.kind === 'missing') return `isNull(${value.text})`
  const isList = test.kind === 'in'
  const isNumber = typeof (isList ? test.literals[0] : test.literal) === 'number'
  const type = isNumber ? 'Float64' : 'String'
  const given = `{slice_literal_${i}:${isList ? `Array(${type})` : type}}`
  const of = isNumber ? value.number : value.text
  // The comparison is one of the six that the parser knows.
  return isList
    ? `ifNull(has(${given}, assumeNotNull(${of})) AND isNotNull(${of}), 0)`
    : `ifNull(${of} ${test.comparison} ${given}, 0)`
}

/** A value as text and as number, NULL where it is missing; a text is a number of an attribute alone. */
function valuesAt(own: string, i: number, source: ValueSource): { text: string; number: string } {
  const known = OWN[own]
  if (known) return { text: known.text, number: known.number ?? "CAST(NULL, 'Nullable(Float64)')" }
  const at = nameParameter(i)
  const attribute = `if(mapContains(attributes, ${at}), CAST(attributes[${at}], 'Nullable(String)'), NULL)`
  if (source === 'outcomes') return { text: attribute, number: `toFloat64OrNull(${attribute})` }
  const feature = `features[${at}]`
  return {
    text: `multiIf(mapContains(attributes, ${at}), CAST(attributes[${at}], 'Nullable(String)'), mapContains(features, ${at}), CAST(toString(${feature}), 'Nullable(String)'), NULL)`,
    number: `if(mapContains(attributes, ${at}), toFloat64OrNull(attributes[${at}]), variantElement(${feature}, 'Float64'))`,
  }
}

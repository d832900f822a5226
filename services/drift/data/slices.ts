/**
 * The value of a prediction in a slice, in SQL. Names and literals travel as parameters: no word of
 * a model file or of an event is part of a statement. Pure.
 */
import type { Params } from '../../../lib/clickhouse/port.ts'
import { testsOf } from '../../../lib/models/language/logic.ts'
import type { Literal, Predicate, PredicateTest } from '../../../lib/models/predicates.ts'
import { OTHER, type SliceBy, type SliceDefinition } from '../../../lib/models/slices.ts'

/** One value of a slice, or with `rest` all values but some. */
export interface Slice extends SliceDefinition {
  value: string
  /** What the cohort `(other)` leaves out, and what it stands for. */
  rest?: SliceRest
}

/** What of a slice is not evaluated value by value. */
export interface SliceRest {
  /** Values that are cohorts of their own. */
  except: readonly string[]
  /** How many values the window holds, and how many events have one. */
  values: number
  events: number
  /** Events whose values are cohorts of their own. */
  ofOwn: number
}

/** Where a value is read from: outcomes keep no features. */
export type SliceSource = 'predictions' | 'outcomes'

const nameParameter = (i: number) => `{slice_name_${i}:String}`

/** Text of an attribute, without one of a feature; '' where there is neither. */
const textOr = (name: string, source: SliceSource) =>
  source === 'outcomes'
    ? `attributes[${name}]`
    : `if(mapContains(attributes, ${name}), attributes[${name}], if(mapContains(features, ${name}), toString(features[${name}]), ''))`

/** SQL of the value of a prediction in a slice; '' where it has none. */
export function sliceValue({ by }: SliceDefinition, source: SliceSource = 'predictions'): string {
  if (!by) return textOr('{slice_key:String}', source)
  if (by.kind === 'where') return `if(${conditionOf(by.predicate, source)}, 'true', '')`
  const [a, b] = [0, 1].map((i) => `ifNull(${textOr(nameParameter(i), source)}, '')`)
  return `if(${a} = '' OR ${b} = '', '', concat(${nameParameter(0)}, '=', ${a}, '&', ${nameParameter(1)}, '=', ${b}))`
}

/** SQL condition on such a value, `value`, that it belongs to the cohort. */
export const isInSlice = (slice: Slice, value: string) =>
  slice.rest
    ? `${value} != '' AND ${value} NOT IN {slice_except:Array(String)}`
    : `${value} = {slice_value:String}`

/** SQL of the cohort of such a value among cohorts of one slice: its own, or {@link OTHER}. */
export const cohortOfValue = (value: string) =>
  `if(${value} IN {slice_values:Array(String)}, ${value}, '${OTHER}')`

/** The key that counts of a slice are kept under: another predicate has other counts. */
const storedKey = ({ key, by }: SliceDefinition): string =>
  by ? JSON.stringify(by.kind === 'pair' ? by.names : [key, by.text]) : key

/** Attributes and features that a slice is made of. */
const namesOf = ({ key, by }: SliceDefinition): string[] =>
  !by ? [key] : by.kind === 'pair' ? [...by.names] : [...new Set(testsOf(by.predicate).map(name))]

/** Whether a slice asks for more of a prediction than attributes and features. */
export const readsOwn = (slice: SliceDefinition): boolean =>
  slice.by?.kind === 'where' && namesOf(slice).some((one) => one.startsWith('@'))

const name = ({ name: own }: PredicateTest) => own

/** Parameters of the SQL of this file. */
export function sliceParams(slice: Slice | undefined): Params {
  return {
    slice_key: slice?.key ?? '',
    slice_stored: slice ? storedKey(slice) : '',
    slice_value: slice?.value ?? '',
    slice_values: slice?.rest?.except ?? (slice ? [slice.value] : []),
    slice_except: slice?.rest?.except ?? [],
    slice_names: slice ? namesOf(slice) : [],
    ...(slice?.by && byParams(slice.by)),
  }
}

function byParams(by: SliceBy): Params {
  if (by.kind === 'pair')
    return Object.fromEntries(by.names.map((own, i) => [`slice_name_${i}`, own]))
  return Object.fromEntries(
    testsOf(by.predicate).flatMap((test, i) => [
      [`slice_name_${i}`, test.name],
      ...(test.kind === 'missing' ? [] : [[`slice_literal_${i}`, literalsOf(test)]]),
    ]),
  ) as Params
}

const literalsOf = (test: Exclude<PredicateTest, { kind: 'missing' }>) =>
  test.kind === 'in' ? test.literals.map(asParameter) : asParameter(test.literal)

const asParameter = (one: Literal) => (typeof one === 'boolean' ? String(one) : one)

/** What the model itself answered: its text, and its number where it has one. */
const OWN: Readonly<Record<string, { text: string; number?: string }>> = {
  '@score': { text: 'toString(score)', number: 'score' },
  '@prediction': { text: 'prediction', number: 'prediction_number' },
  '@latency_ms': { text: 'toString(latency_ms)', number: 'latency_ms' },
  '@producer': { text: "nullIf(producer, '')" },
  '@model_version': { text: 'toString(model_version)' },
  '@variant': { text: "nullIf(toString(variant), '')" },
}

/** SQL of a predicate over a row, 0 or 1: a comparison with a missing value does not hold. */
function conditionOf(predicate: Predicate, source: SliceSource): string {
  let next = 0
  const of = (one: Predicate): string => {
    if (one.kind === 'not') return `NOT (${of(one.inner)})`
    if (one.kind === 'and') return `(${of(one.left)} AND ${of(one.right)})`
    if (one.kind === 'or') return `(${of(one.left)} OR ${of(one.right)})`
    return testSql(one, next++, source)
  }
  return of(predicate)
}

function testSql(test: PredicateTest, i: number, source: SliceSource): string {
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
function valuesAt(own: string, i: number, source: SliceSource): { text: string; number: string } {
  const known = OWN[own]
  if (known) return { text: known.text, number: known.number ?? 'CAST(NULL, \'Nullable(Float64)\')' }
  const at = nameParameter(i)
  const attribute = `if(mapContains(attributes, ${at}), CAST(attributes[${at}], 'Nullable(String)'), NULL)`
  if (source === 'outcomes') return { text: attribute, number: `toFloat64OrNull(${attribute})` }
  const feature = `features[${at}]`
  return {
    text: `multiIf(mapContains(attributes, ${at}), CAST(attributes[${at}], 'Nullable(String)'), mapContains(features, ${at}), CAST(toString(${feature}), 'Nullable(String)'), NULL)`,
    number: `if(mapContains(attributes, ${at}), toFloat64OrNull(attributes[${at}]), variantElement(${feature}, 'Float64'))`,
  }
}

/**
 * The value of a prediction in a slice, in SQL. Names and literals travel as parameters: no word of
 * a model file or of an event is part of a statement. Pure.
 */
import type { Params } from '../../../lib/clickhouse/port.ts'
import {
  nameParameter,
  predicateParams,
  predicateSql,
  type ValueSource,
} from '../../../lib/clickhouse/predicate-sql.ts'
import { testsOf } from '../../../lib/models/language/logic.ts'
import type { PredicateTest } from '../../../lib/models/predicates.ts'
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

/** Text of an attribute, without one of a feature; '' where there is neither. */
const textOr = (name: string, source: ValueSource) =>
  source === 'outcomes'
    ? `attributes[${name}]`
    : `if(mapContains(attributes, ${name}), attributes[${name}], if(mapContains(features, ${name}), toString(features[${name}]), ''))`

/** SQL of the value of a prediction in a slice; '' where it has none. */
export function sliceValue({ by }: SliceDefinition, source: ValueSource = 'predictions'): string {
  if (!by) return textOr('{slice_key:String}', source)
  if (by.kind === 'where') return `if(${predicateSql(by.predicate, source)}, 'true', '')`
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
  return by.kind === 'pair'
    ? Object.fromEntries(by.names.map((own, i) => [`slice_name_${i}`, own]))
    : predicateParams(by.predicate)
}

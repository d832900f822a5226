/** SQL that counts raw predictions, in the form of the counts that are kept. Pure. */
import { featureSubjects, OWN_NUMBERS } from '../../../lib/events/subjects.ts'
import { spanOf } from '../data/cohort.ts'
import { gridOf, keyInSql } from '../../../lib/sink/counts/stored-bins.ts'
import { STANDS_FOR } from '../data/sampling.ts'

/** The bin resolution of raw rows: finer than most counts need. */
const RAW_GRID = String(gridOf(2))

/** Raw rows to count, in SQL. */
export interface RawSource {
  /** `predictions`, or what has its columns, and conditions on it. */
  table: string
  where: string
  /** The grid of each `subject`, in SQL; {@link RAW_GRID} unless given. */
  grid?: string
  /** Whether every value is a bin of its own. */
  exact?: boolean
  /** Whether a sampled event counts once, and not for all it was drawn from. */
  unweighted?: boolean
}

/** What counts are grouped by: a name for each SQL expression. */
type Keys = Readonly<Record<string, string>>

const selected = (keys: Keys) =>
  Object.entries(keys)
    .map(([name, expression]) => `${expression} AS ${name}`)
    .join(', ')
const names = (keys: Keys) => Object.keys(keys).join(', ')
const weightOf = ({ unweighted }: RawSource) => (unweighted ? 'toFloat64(1)' : STANDS_FOR)

/** SQL of how many raw predictions there are, and how many of them are errors. */
export const rawTotals = (keys: Keys, source: RawSource) =>
  `SELECT ${selected(keys)}, count() AS events, countIf(status = 'error') AS errors, sum(${weightOf(source)}) AS weight, sum(pow(${weightOf(source)}, 2)) AS squares,
     sumIf(${weightOf(source)}, status = 'error') AS error_weight
   FROM ${source.table} ${source.where} GROUP BY ${names(keys)}`

const OWN_SUBJECTS = ['@prediction', ...OWN_NUMBERS.map(({ subject }) => subject)]
const OWN_COLUMNS = ['prediction_number', ...OWN_NUMBERS.map(({ field }) => `toFloat64(${field})`)]

/** SQL of every number of raw predictions, `x`, with the weight of its event, `w`. */
export const rawValues = (keys: Keys, source: RawSource) =>
  `SELECT ${selected(keys)}, subject, assumeNotNull(value) AS x, ${weightOf(source)} AS w FROM ${source.table}
   ARRAY JOIN arrayConcat(${featureSubjects('mapKeys(features)')}, [${OWN_SUBJECTS.map((subject) => `'${subject}'`).join(', ')}]) AS subject,
     arrayConcat(arrayMap(v -> variantElement(v, 'Float64'), mapValues(features)), [${OWN_COLUMNS.join(', ')}]) AS value
   ${source.where} AND isNotNull(value)`

/**
 * SQL of the numbers of raw predictions: for each bin how many, their sum, the least, the greatest.
 */
export const rawNumbers = (keys: Keys, source: RawSource) => {
  const { grid = RAW_GRID } = source
  const key = source.exact ? 'x' : keyInSql('x', `(${grid})`)
  return `SELECT ${names(keys)}, subject, ${grid} AS grid, ${key} AS key, sum(w) AS n, sum(w * x) AS t, min(x) AS l, max(x) AS h
    FROM (${rawValues(keys, source)}) GROUP BY ${names(keys)}, subject, grid, key`
}

/** SQL of the strings and booleans of raw predictions; categories are cut at 200 characters. */
export const rawCategories = (keys: Keys, source: RawSource) =>
  `SELECT ${selected(keys)}, subject, substringUTF8(assumeNotNull(value), 1, 200) AS category, sum(${weightOf(source)}) AS n FROM ${source.table}
   ARRAY JOIN arrayConcat(${featureSubjects('mapKeys(features)')}, ['@prediction']) AS subject,
     arrayConcat(
       arrayMap(v -> multiIf(variantType(v) = 'String', variantElement(v, 'String'), variantType(v) = 'Bool', toString(variantElement(v, 'Bool')), NULL), mapValues(features)),
       [if(isNull(prediction_number), prediction, NULL)]) AS value
   ${source.where} AND isNotNull(value)
   GROUP BY ${names(keys)}, subject, category`

/** Three SQL queries with `span` among their keys, and `model` where there are subjects. */
export interface Counted {
  totals: string
  numbers: string
  categories: string
}

/**
 * The queries that count raw predictions, for what no counts are kept of. Their cost grows with the
 * number of events.
 *
 * @param bySpan whether spans are counted apart, or all as one
 */
export function rawCounts(source: RawSource, bySpan: boolean): Counted {
  const keys = { model: `''`, span: bySpan ? spanOf('predicted_at') : '1' }
  return {
    totals: rawTotals(keys, source),
    numbers: rawNumbers(keys, source),
    categories: rawCategories(keys, source),
  }
}

/**
 * Labels with a name of their own, of all names and all cohorts of a window in one statement. Only
 * labels with such a name are read: a window without any costs a short look at the names of its
 * outcomes.
 */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { Window } from '../../../../lib/models/windows.ts'
import { ALL, cohortCondition, paramsOf, UNSLICED_KEYS, within } from '../../data/cohort.ts'
import { cohortOfValue, type Slice } from '../../data/slices.ts'
import type { NamedLabels, NamedLabelsOfCohort } from '../../data/named-labels.ts'
import { LABEL_STANDS_FOR } from '../../data/sampling.ts'
import { tablesOfSlice } from '../late-attributes.ts'
import { outcomesWithValue, outcomeValue } from './labelled-outcomes.ts'

/** Names of a window that are evaluated at most, those with the most labels. */
const MAX_NAMES = 50
/** Classes of a name that are shown at most, the most frequent ones. */
const MAX_SHOWN_CLASSES = 20
/** Whole numbers up to this are classes by themselves where a name's labels are classes. */
const MAX_WHOLE = 100
const MAX_CLASS_LENGTH = 100

interface NamedRow extends Omit<NamedLabels, 'classes' | 'numbers'> {
  part: string
  names: number
  numbers: [number, number, number, number, number, number, number]
  classes: [string, number, number, number][]
}

/** @param rows SQL of named labels, each once, with `part` */
const summed = (rows: string) => `
SELECT *, toFloat64(count() OVER (PARTITION BY part)) AS names FROM (
  SELECT part, name, sum(own_n) AS labels, sum(own_drawn) AS drawn, sum(own_w) AS weight, sum(own_w2) AS squares,
    (sum(number_n), sum(other_n), sum(number_w), sum(number_w2), sum(total), sum(squared_total), sum(squared_squares)) AS numbers,
    arraySlice(arraySort(c -> (-c.2, c.1), groupArray((class, own_n, own_w, own_w2))), 1, ${MAX_SHOWN_CLASSES}) AS classes, toFloat64(count()) AS classCount
  FROM (
    SELECT part, name, class, toFloat64(count()) AS own_n, toFloat64(count(inclusion_probability)) AS own_drawn, sum(w) AS own_w, sum(w * w) AS own_w2,
      toFloat64(countIf(is_number)) AS number_n, toFloat64(countIf(is_number AND x NOT IN (0, 1))) AS other_n, sumIf(w, is_number) AS number_w, sumIf(w * w, is_number) AS number_w2,
      sumIf(w * x, is_number) AS total, sumIf(w * w * x, is_number) AS squared_total, sumIf(w * w * x * x, is_number) AS squared_squares
    FROM (
      SELECT part, toString(name) AS name, inclusion_probability, ${LABEL_STANDS_FOR} AS w, ifNull(isFinite(label_number), false) AS is_number, if(is_number, assumeNotNull(label_number), 0) AS x,
        multiIf(NOT is_number, substringUTF8(assumeNotNull(label), 1, ${MAX_CLASS_LENGTH}), x = round(x) AND abs(x) <= ${MAX_WHOLE}, toString(toInt16(x)), '(number)') AS class
      FROM (${rows}) WHERE isNotNull(label))
    GROUP BY part, name, class)
  GROUP BY part, name)
ORDER BY labels DESC, name LIMIT ${MAX_NAMES} BY part`

const COLUMNS = 'name, label, label_number, inclusion_probability, sampling_fraction'

/**
 * Revisions of the same outcome are told apart here: FINAL would read every outcome of the window
 * before it looks at a name.
 */
const UNSLICED = summed(`
  SELECT ${COLUMNS}, arrayJoin(${UNSLICED_KEYS}) AS part FROM (
    SELECT ${COLUMNS}, model_version, variant, shadow FROM outcome_revisions
    PREWHERE name != 'label'
    WHERE model_id = {model:String} AND ${within('predicted_at')}
    ORDER BY labels_known DESC LIMIT 1 BY predicted_at, prediction_id, name)`)

/**
 * Planning the long statement costs far more than this one, and most models have no named label.
 */
const ANY = `SELECT 1 FROM outcome_revisions PREWHERE name != 'label' WHERE model_id = {model:String} AND ${within('predicted_at')} LIMIT 1`

/**
 * Reads the named labels of a window, by the key of each cohort without a slice; cohorts without
 * any are left out.
 */
export async function namedLabels(
  db: ClickHouse,
  { modelId, window }: { modelId: string; window: Window },
): Promise<Map<string, NamedLabelsOfCohort>> {
  const params = paramsOf(modelId, [window], ALL)
  const found = await db.query(ANY, params)
  return found.length === 0 ? new Map() : byPart(await db.query<NamedRow>(UNSLICED, params))
}

/** Reads the same of cohorts of one slice, by their values. */
export async function namedLabelsOfSlice(
  db: ClickHouse,
  { modelId, window }: { modelId: string; window: Window },
  slices: readonly Slice[],
): Promise<Map<string, NamedLabelsOfCohort>> {
  const [slice] = slices
  if (!slice) return new Map()
  const c = { ...ALL, slice }
  const tables = await tablesOfSlice(db, modelId, [window], slice)
  const value = outcomeValue(tables, slice)
  const rows = `SELECT ${COLUMNS}, ${cohortOfValue(value)} AS part FROM ${outcomesWithValue(tables, slice)}
    WHERE model_id = {model:String} AND ${within('predicted_at')}${cohortCondition(c)} AND ${value} != '' AND name != 'label'`
  const values = slices.flatMap((one) => (one.rest ? [] : [one.value]))
  const params = { ...paramsOf(modelId, [window], c), slice_values: values }
  const found = byPart(await db.query<NamedRow>(summed(rows), params))
  const asked = new Set(slices.map((one) => one.value))
  return new Map([...found].filter(([part]) => asked.has(part)))
}

function byPart(rows: readonly NamedRow[]): Map<string, NamedLabelsOfCohort> {
  return new Map(
    [...Map.groupBy(rows, ({ part }) => part)].map(([part, own]) => [
      part,
      { names: own[0]!.names, read: own.map(labelsOf) },
    ]),
  )
}

function labelsOf(row: NamedRow): NamedLabels {
  const { name, labels, drawn, weight, squares, classCount } = row
  const [n, otherThanBits, numbersWeight, numbersSquares, total, squaredTotal, squaredSquares] =
    row.numbers
  return {
    name,
    labels,
    drawn,
    weight,
    squares,
    numbers: {
      n,
      otherThanBits,
      weight: numbersWeight,
      squares: numbersSquares,
      total,
      squaredTotal,
      squaredSquares,
    },
    classes: row.classes.map(([own, count, w, w2]) => ({
      name: own,
      n: count,
      weight: w,
      squares: w2,
    })),
    classCount,
  }
}

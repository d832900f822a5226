/**
 * Losses of labelled predictions by the values of attributes and features: of predictions that are
 * drawn by their ids, so that the cost does not grow with the window.
 */
import type { ClickHouse, Params } from '../../../../lib/clickhouse/port.ts'
import type { Model } from '../../../../lib/models/model-files.ts'
import type { Window } from '../../../../lib/models/windows.ts'
import { ALL, spanOf, within } from '../../data/cohort.ts'
import type { CohortLoss, CohortLosses, LossKind, LossSums } from '../../data/cohort-losses.ts'
import { tablesOf } from '../late-attributes.ts'
import { truthParams, truthSource, type Tables } from '../outcomes/labelled-outcomes.ts'

/** Names that are searched where the model file gives none, the most frequent ones. */
const MAX_NAMES = 50
/** Cohorts that are read of a window, the largest ones. */
const MAX_COHORTS = 500
const PARTS = 4

/** Labelled predictions of a model in some spans. */
export interface LossQuestion {
  model: Model
  /** Disjoint, at least one. */
  spans: readonly Window[]
  kind: LossKind
  completeUntil: number
  /** Every so manyth prediction is read. */
  every: number
}

/**
 * Reads the cohorts of one window with at least `min` labelled predictions, and the edges that part
 * numbers into quarters.
 */
export async function cohortLosses(
  db: ClickHouse,
  question: LossQuestion,
  { by, min }: { by: readonly string[]; min: number },
): Promise<CohortLosses> {
  const { rows, params } = await labelled(db, question)
  const names = await db.query<{ name: string; edges: number[] | null }>(
    `SELECT name, quantilesIf(${QUARTILES})(assumeNotNull(number), isNotNull(number)) AS quartiles, if(count(number) * 2 > count(), quartiles, NULL) AS edges FROM (${eachValue(rows)})
     ${by.length > 0 ? 'WHERE name IN {by:Array(String)}' : ''} GROUP BY name ORDER BY count() DESC, name LIMIT ${MAX_NAMES}`,
    { ...params, by },
  )
  const edges = new Map(
    names.flatMap(({ name, edges: own }) =>
      own === null ? [] : [[name, [...new Set(own)]] as const],
    ),
  )
  const known = {
    ...params,
    ...edgeParams(edges),
    names: names.map(({ name }) => name),
    min,
  }
  const cohorts = await db.query<LossRow>(
    `${partSums(rows, 'name IN {names:Array(String)}')} HAVING n >= {min:UInt32} ORDER BY n DESC, name, part LIMIT ${MAX_COHORTS}`,
    known,
  )
  return { totals: await totalsOf(db, rows, question, params), cohorts: cohorts.map(lossOf), edges }
}

/** Reads cohorts that a window has, in other spans. */
export async function sameCohortLosses(
  db: ClickHouse,
  question: LossQuestion,
  { cohorts, edges }: CohortLosses,
): Promise<CohortLosses> {
  const { rows, params } = await labelled(db, question)
  const wanted = {
    ...params,
    ...edgeParams(edges),
    names: [...new Set(cohorts.map(({ name }) => name))],
    keys: cohorts.map(({ name, part }) => `${name}\u0001${part}`),
  }
  const found = await db.query<LossRow>(
    partSums(
      rows,
      "name IN {names:Array(String)} AND concat(name, '\\x01', part) IN {keys:Array(String)}",
    ),
    wanted,
  )
  return { totals: await totalsOf(db, rows, question, params), cohorts: found.map(lossOf), edges }
}

const QUARTILES = Array.from({ length: PARTS - 1 }, (_, i) => (i + 1) / PARTS).join(', ')
const SUMS =
  'toFloat64(sum(weight)) AS total_weight, sum(weight * weight) AS squares, sum(weight * loss) AS losses, sum(weight * loss * loss) AS loss_squares'

async function labelled(db: ClickHouse, question: LossQuestion) {
  const { model, spans, completeUntil, every } = question
  const params = { ...truthParams(model, spans, ALL, completeUntil), every }
  return { rows: rowsOf(await tablesOf(db, true), question), params }
}

/** Labelled predictions with `span`, `weight`, `loss`, `attributes` and `features`. */
function rowsOf(tables: Tables, { model, kind }: LossQuestion): string {
  const loss = kind === 'class' ? 'toFloat64(predicted != label)' : 'abs(error)'
  return `(SELECT ${spanOf('truth.predicted_at')} AS span, truth.weight AS weight, assumeNotNull(${loss}) AS loss, truth.attributes AS attributes, told.features AS features
    FROM ${truthSource(tables, model, ALL)} AS truth
    INNER JOIN (SELECT prediction_id, features FROM predictions WHERE model_id = {model:String} AND ${within('predicted_at')} AND sipHash64(prediction_id) % {every:UInt64} = 0) AS told USING (prediction_id)
    WHERE isNotNull(${loss}))`
}

/** One row for each attribute and feature of each prediction; an attribute goes before a feature. */
const eachValue = (rows: string) =>
  `SELECT span, weight, loss, name, value.1 AS text, value.2 AS number FROM ${rows}
   ARRAY JOIN arrayConcat(mapKeys(attributes), arrayFilter(k -> NOT mapContains(attributes, k), mapKeys(features))) AS name,
     arrayConcat(arrayMap(v -> (CAST(v, 'Nullable(String)'), CAST(NULL, 'Nullable(Float64)')), mapValues(attributes)),
       arrayMap(k -> (CAST(toString(features[k]), 'Nullable(String)'), variantElement(features[k], 'Float64')), arrayFilter(k -> NOT mapContains(attributes, k), mapKeys(features)))) AS value`

/** SQL of the losses by span, name and part; values of numeric names that are no numbers are left out. */
const partSums = (rows: string, where: string) =>
  `SELECT span, name, part, count() AS n, ${SUMS} FROM (
     SELECT span, weight, loss, name, has({edge_names:Array(String)}, name) AS is_number,
       if(is_number, toString(arrayCount(edge -> assumeNotNull(number) >= edge, {edges:Array(Array(Float64))}[indexOf({edge_names:Array(String)}, name)]) + 1), substringUTF8(assumeNotNull(text), 1, 200)) AS part
     FROM (${eachValue(rows)}) WHERE if(is_number, isNotNull(number), isNotNull(text)))
   WHERE ${where} GROUP BY span, name, part`

const edgeParams = (edges: CohortLosses['edges']): Params => ({
  edge_names: [...edges.keys()],
  edges: [...edges.values()],
})

interface SumRow {
  span: string
  total_weight: number
  squares: number
  losses: number
  loss_squares: number
}
interface LossRow extends SumRow {
  name: string
  part: string
}

const sumsOf = ({ total_weight, squares, losses, loss_squares }: SumRow): LossSums => ({
  weight: total_weight,
  squares,
  loss: losses,
  lossSquares: loss_squares,
})
const lossOf = ({ span, name, part, ...sums }: LossRow): CohortLoss => ({
  span: Number(span) - 1,
  name,
  part,
  ...sumsOf({ span, ...sums }),
})

async function totalsOf(
  db: ClickHouse,
  rows: string,
  { spans }: LossQuestion,
  params: Params,
): Promise<LossSums[]> {
  const found = await db.query<SumRow>(`SELECT span, ${SUMS} FROM ${rows} GROUP BY span`, params)
  const bySpan = new Map(found.map((row) => [Number(row.span) - 1, sumsOf(row)]))
  const none = { weight: 0, squares: 0, loss: 0, lossSquares: 0 }
  return spans.map((_, i) => bySpan.get(i) ?? none)
}

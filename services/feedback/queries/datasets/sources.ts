/**
 * Which stored rows a data set is made of: those that were stored when it was made. What comes
 * later, however old its times, lies behind the ends of the log that are part of the condition.
 */
import type { ClickHouse, Params } from '../../../../lib/clickhouse/port.ts'
import { predicateParams, predicateSql } from '../../../../lib/clickhouse/predicate-sql.ts'
import {
  LABEL_COLUMNS,
  PREDICTION_COLUMNS,
  WEIGHTS,
  type RowSource,
} from '../../../../lib/clickhouse/row-manifest.ts'
import type { Predicate } from '../../../../lib/models/predicates.ts'
import { Problem } from '../../../../lib/runtime/errors.ts'
import type { DatasetColumn } from '../../../../schemas/http/labels/datasets.ts'
import type { FoundNames } from '../../data/datasets/columns.ts'
import type { DatasetQuestion } from '../../data/datasets/question.ts'

/** The two tables, and the conditions of their rows. */
export interface DatasetSources {
  predictions: RowSource
  labels: RowSource
}

const MODEL = 'model_id = {model:String}'
const KNOWN = "received_at <= fromUnixTimestamp64Milli({as_of:Int64}, 'UTC')"
const RANGE =
  "NOT shadow AND predicted_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND predicted_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')"
const NAMED = 'name = {label:String}'
const ANY_UNNAMED = "SELECT 1 AS one FROM labels WHERE prediction_id = '' AND"
const PLACE = "concat(topic, '\\n', partition, '\\n', log_epoch)"
/** Places of the log that rows of one data set may come from. */
const MAX_PLACES = 5000
const MAX_NAMES = 1000

/** Rows that the log had stored, by the place of the log that they came by. */
const isStored = (of: 'prediction' | 'label') =>
  `offset < transform(${PLACE}, {${of}_places:Array(String)}, {${of}_ends:Array(UInt64)}, toUInt64(0))`

/** Condition of any prediction of the model that was stored and known then. */
export const KNOWN_PREDICTION = `${MODEL} AND NOT shadow AND ${KNOWN} AND ${isStored('prediction')}`

/** Reads how far the log is stored now, and binds a question to that. */
export async function datasetSources(
  db: ClickHouse,
  question: DatasetQuestion,
  predicate: Predicate | undefined,
): Promise<DatasetSources> {
  const times = {
    model: question.model_id,
    from: Date.parse(question.from),
    to: Date.parse(question.to),
    as_of: Date.parse(question.as_of),
    label: question.label,
  }
  const of = async (table: 'predictions' | 'labels', where: string) => {
    const rows = await db.query<{ place: string; end: string }>(
      `SELECT ${PLACE} AS place, toUInt64(max(last) + 1) AS end FROM sink_ranges WHERE (topic, partition, log_epoch) IN (
         SELECT DISTINCT topic, partition, log_epoch FROM ${table} WHERE ${where})
       GROUP BY topic, partition, log_epoch ORDER BY place LIMIT ${MAX_PLACES + 1}`,
      times,
    )
    if (rows.length > MAX_PLACES)
      throw new Problem(
        400,
        'too_many_places',
        `the rows come from more than ${MAX_PLACES} partitions and beginnings of the log: ask for a shorter time`,
      )
    return { places: rows.map(({ place }) => place), ends: rows.map(({ end }) => Number(end)) }
  }
  const ofLabels = `${MODEL} AND ${NAMED} AND ${KNOWN}`
  const labels = await of('labels', ofLabels)
  const [unnamed] = await db.query(`${ANY_UNNAMED} ${ofLabels} LIMIT 1`, times)
  // A label that names a trace or a subject may mean a prediction of another time.
  const predictions = await of(
    'predictions',
    `${MODEL} AND ${unnamed ? 'NOT shadow' : RANGE} AND ${KNOWN}`,
  )
  return sourcesBy(predicate, {
    predictions: {
      model: times.model,
      from: times.from,
      to: times.to,
      as_of: times.as_of,
      prediction_places: predictions.places,
      prediction_ends: predictions.ends,
      ...(predicate && predicateParams(predicate)),
    },
    labels: {
      model: times.model,
      as_of: times.as_of,
      label: times.label,
      label_places: labels.places,
      label_ends: labels.ends,
    },
  })
}

/** Selects rows again, by the parameters that they were read by. */
export function sourcesBy(
  predicate: Predicate | undefined,
  parameters: { predictions: Params; labels: Params },
): DatasetSources {
  const condition = predicate ? `\n  AND (${predicateSql(predicate, 'predictions')})` : ''
  return {
    predictions: {
      table: 'predictions',
      columns: PREDICTION_COLUMNS,
      where: `${MODEL} AND ${RANGE}\n  AND ${KNOWN} AND ${isStored('prediction')}${condition}`,
      parameters: parameters.predictions,
      weight: WEIGHTS.predictions,
      names: 'mapKeys(features)',
    },
    labels: {
      table: 'labels',
      columns: LABEL_COLUMNS,
      where: `${MODEL} AND ${NAMED}\n  AND ${KNOWN} AND ${isStored('label')}`,
      parameters: parameters.labels,
      weight: WEIGHTS.labels,
      names: '[toString(name)]',
    },
  }
}

/**
 * The features of the rows with their types, and the attributes, in the order of names.
 *
 * @throws {Problem} 400 for more than 1000 of either
 */
export async function namesOf(
  db: ClickHouse,
  { predictions }: DatasetSources,
): Promise<FoundNames> {
  const { where, parameters } = predictions
  const features = await db.query<{ name: string; types: string[] }>(
    `SELECT name, arraySort(groupUniqArray(type)) AS types FROM (
       SELECT toString(entry.1) AS name, entry.2 AS type FROM (
         SELECT arrayJoin(arrayZip(mapKeys(features), arrayMap(value -> toString(variantType(value)), mapValues(features)))) AS entry
         FROM predictions WHERE ${where}))
     WHERE type != 'None' GROUP BY name ORDER BY name LIMIT ${MAX_NAMES + 1} SETTINGS max_execution_time = 120`,
    parameters,
  )
  const attributes = await db.query<{ name: string }>(
    `SELECT DISTINCT toString(arrayJoin(mapKeys(attributes))) AS name FROM predictions WHERE ${where}
     ORDER BY name LIMIT ${MAX_NAMES + 1} SETTINGS max_execution_time = 120`,
    parameters,
  )
  if (features.length > MAX_NAMES || attributes.length > MAX_NAMES)
    throw new Problem(
      400,
      'too_many_columns',
      `these rows have more than ${MAX_NAMES} features or attributes`,
    )
  return {
    features: features.map(({ name, types }) => ({
      name: `features.${name}`,
      type: typeOf(types),
    })),
    attributes: attributes.map(({ name }) => name),
  }
}

/** Values of several types are texts. */
const typeOf = (types: readonly string[]): DatasetColumn['type'] =>
  types.length > 1
    ? 'text'
    : types[0] === 'Float64'
      ? 'number'
      : types[0] === 'Bool'
        ? 'boolean'
        : 'text'

/** Whether labels of the data set name a trace or a subject in place of a prediction. */
export async function hasUnnamed(db: ClickHouse, { labels }: DatasetSources): Promise<boolean> {
  const rows = await db.query(`${ANY_UNNAMED} ${labels.where} LIMIT 1`, labels.parameters)
  return rows.length > 0
}

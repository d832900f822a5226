/** The statement that reads the rows of a data set. */
import type { Params } from '../../../../lib/clickhouse/port.ts'
import type { DatasetManifest } from '../../../../schemas/http/labels/datasets.ts'
import { LABEL, resolution } from '../join-statements.ts'
import { KNOWN_PREDICTION, type DatasetSources } from './sources.ts'

/** What of a data set decides which statement reads it. */
export interface RowsQuestion {
  question: DatasetManifest['question']
  resolution: Pick<DatasetManifest['resolution'], 'precedence' | 'resolve'>
  sources: DatasetSources
  hasUnnamed: boolean
  /** Rows at most. */
  most: number
}

/** One question may use so much: what does not fit into memory is sorted on disk. */
const BOUNDS =
  'max_execution_time = 300, max_memory_usage = 3000000000, max_bytes_before_external_sort = 400000000, max_bytes_before_external_group_by = 400000000'

/** Columns of a prediction; `features` and `attributes` are maps. */
const OF_PREDICTION =
  'prediction_id, predicted_at, model_version, variant, subject_id, group_id, trace_id, status, decision, prediction, prediction_number, score, input_text, output_text, sampling_fraction, features, attributes'

/** Labels that say which prediction they mean. */
const named = ({ labels }: DatasetSources, ids: string) =>
  `SELECT ${LABEL}, true AS stays FROM labels WHERE ${labels.where} AND prediction_id != '' AND prediction_id IN (${ids})`

/**
 * Labels that name a trace (its first prediction is meant) or a subject (its newest that is not
 * later than the label), of the predictions that were known then.
 */
function unnamed({ predictions, labels }: DatasetSources): string {
  const own = `FROM labels WHERE ${labels.where} AND prediction_id = ''`
  const columns = LABEL.replace('prediction_id', 'meant AS prediction_id')
  const ids = `SELECT prediction_id FROM predictions WHERE ${predictions.where}`
  return `SELECT ${columns}, true AS stays FROM (
    SELECT l.*, p.best.2 AS meant FROM (SELECT * ${own} AND trace_id != '') AS l
    INNER JOIN (SELECT trace_id, min((predicted_at, prediction_id)) AS best FROM predictions
      WHERE ${KNOWN_PREDICTION} AND trace_id IN (SELECT trace_id ${own} AND trace_id != '') GROUP BY trace_id) AS p ON l.trace_id = p.trace_id
    UNION ALL
    SELECT l.*, p.newest_id AS meant FROM (SELECT * ${own} AND trace_id = '') AS l
    ASOF INNER JOIN (SELECT subject_id, predicted_at, max(prediction_id) AS newest_id FROM predictions
      WHERE ${KNOWN_PREDICTION} AND subject_id IN (SELECT subject_id ${own} AND trace_id = '') GROUP BY subject_id, predicted_at) AS p
    ON l.subject_id = p.subject_id AND l.labelled_at >= p.predicted_at
  ) WHERE meant IN (${ids})`
}

/** The statement and its parameters; the rows come in the order in which they are written. */
export function rowsStatement(asked: RowsQuestion): { sql: string; params: Params } {
  const { question, sources, most } = asked
  const { predictions, labels } = sources
  const ids = `SELECT prediction_id FROM predictions WHERE ${predictions.where}`
  const all = asked.hasUnnamed
    ? `${named(sources, ids)} UNION ALL ${unnamed(sources)}`
    : named(sources, ids)
  const isLabelled = question.rows === 'labelled'
  const rule = question.pairs?.rule
  const others =
    rule === 'preferred_to'
      ? `LEFT JOIN (SELECT prediction_id AS other_id, any(CAST(input_text, 'Nullable(String)')) AS other_input, any(CAST(output_text, 'Nullable(String)')) AS other_output FROM predictions
         WHERE ${predictions.where} AND prediction_id IN (SELECT label FROM labels WHERE ${labels.where}) GROUP BY other_id) AS o ON o.other_id = assumeNotNull(r.label)`
      : ''
  const order = rule === 'higher_label' ? 'input_text, ' : ''
  const sql = `SELECT * FROM (
    SELECT p.*, l.label AS label, l.label_source AS label_source, l.labeler AS labeler, l.labelled_at AS labelled_at, l.votes AS votes, l.voters AS voters,
      l.confidence AS confidence, l.inclusion_probability AS inclusion_probability,
      1 / (ifNull(l.inclusion_probability, 1) * ifNull(p.sampling_fraction, 1)) AS weight
    FROM (
      SELECT ${OF_PREDICTION} FROM (SELECT *, log_epoch AS place_epoch FROM predictions WHERE ${predictions.where})
      ORDER BY prediction_id, predicted_at, topic, partition, place_epoch, offset LIMIT 1 BY prediction_id
    ) AS p
    ${isLabelled ? 'INNER' : 'LEFT'} JOIN (
      SELECT prediction_id, CAST(winner.1, 'Nullable(String)') AS label, CAST(winner.2, 'Nullable(String)') AS label_source, CAST(winner.3, 'Nullable(String)') AS labeler,
        CAST(winner.4, 'Nullable(DateTime64(3, \\'UTC\\'))') AS labelled_at, CAST(winner.8, 'Nullable(Float64)') AS votes, CAST(standing[winner.9], 'Nullable(Float64)') AS voters,
        winner.7 AS confidence, winner.6 AS inclusion_probability
      FROM (${resolution(all)}) WHERE held
    ) AS l ON l.prediction_id = p.prediction_id
  ) AS r ${others}
  ORDER BY ${order}predicted_at, prediction_id LIMIT ${most + 1} SETTINGS ${BOUNDS}`
  return {
    sql,
    params: {
      ...predictions.parameters,
      ...labels.parameters,
      ranked: [],
      orders: [[...asked.resolution.precedence]],
      majority: asked.resolution.resolve === 'majority' ? [question.model_id] : [],
    },
  }
}

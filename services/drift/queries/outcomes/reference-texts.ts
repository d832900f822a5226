/** Answers of a window, and labels that are texts they are scored beside. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { Window } from '../../../../lib/models/windows.ts'
import { ALL, cohortCondition, paramsOf, UNSLICED_KEYS, within } from '../../data/cohort.ts'
import type { ReferenceText, ReferenceTexts } from '../../data/named-labels.ts'
import { LABEL_STANDS_FOR } from '../../data/sampling.ts'
import { cohortOfValue, type Slice } from '../../data/slices.ts'
import { tablesOfSlice } from '../late-attributes.ts'
import { outcomesWithValue, outcomeValue } from './labelled-outcomes.ts'

/** Answers that are read of a window for each name, drawn by the hash of their ids. */
const MAX_ANSWERS = 1000
/** Most code points of a text that is scored: the time of some scores grows with their product. */
export const MAX_SCORED = 10_000
/** Bytes of texts that are read of a window. */
const MAX_BYTES = 1_000_000

/** A window, and the names of the labels that are texts. */
export interface TextsQuestion {
  modelId: string
  window: Window
  names: readonly string[]
}

/** The newest revision of each label; its text is read of those that are drawn alone. */
const LABELS = `SELECT prediction_id, toString(name) AS name, ifNull(label, '') AS reference, isNotNull(inclusion_probability) AS is_drawn, ${LABEL_STANDS_FOR} AS weight, ${UNSLICED_KEYS} AS parts
  FROM (SELECT prediction_id, predicted_at, name, label, inclusion_probability, sampling_fraction, model_version, variant, shadow FROM outcome_revisions
    PREWHERE name IN {names:Array(String)}
    WHERE model_id = {model:String} AND ${within('predicted_at')}
    ORDER BY labels_known DESC LIMIT 1 BY predicted_at, prediction_id, name)
  WHERE isNotNull(label)`

const TOO_LONG = `lengthUTF8(answer) > ${MAX_SCORED} OR lengthUTF8(reference) > ${MAX_SCORED}`

const TEXTS = `SELECT prediction_id, name, weight, parts, is_drawn AS isDrawn, too_long AS isTooLong, if(too_long, NULL, answer) AS answer, if(too_long, NULL, reference) AS reference
  FROM (SELECT *, sum(if(too_long, 0, length(reference) + length(ifNull(answer, '')))) OVER (ORDER BY sipHash64(prediction_id), prediction_id, name ROWS UNBOUNDED PRECEDING) AS bytes
    FROM (SELECT told.*, own.output_text AS answer, ifNull(${TOO_LONG}, false) AS too_long
      FROM (${LABELS} ORDER BY sipHash64(prediction_id), prediction_id LIMIT ${MAX_ANSWERS} BY name) AS told
      LEFT JOIN (SELECT prediction_id, any(output_text) AS output_text FROM predictions
        WHERE model_id = {model:String} AND ${within('predicted_at')} AND isNotNull(output_text) GROUP BY prediction_id) AS own USING (prediction_id)))
  WHERE bytes <= ${MAX_BYTES} ORDER BY sipHash64(prediction_id), prediction_id, name`

const COUNTED = `SELECT name, count() AS n FROM (${LABELS}) GROUP BY name`

/** Reads a window's answers that have such a label, up to as many as are scored. */
async function referenceTexts(
  db: ClickHouse,
  { modelId, window, names }: TextsQuestion,
): Promise<ReferenceTexts> {
  const params = { ...paramsOf(modelId, [window], ALL), names }
  const counted = await db.query<{ name: string; n: string }>(COUNTED, params)
  const labelled = new Map(counted.map(({ name, n }) => [name, Number(n)]))
  const read = labelled.size === 0 ? [] : await db.query<ReferenceText>(TEXTS, params)
  return { labelled, read }
}

/** The values of a slice that predictions are part of, by their ids; others are left out. */
async function valuesOfSlice(
  db: ClickHouse,
  { modelId, window, names }: TextsQuestion,
  slice: Slice & { values: readonly string[] },
  ids: readonly string[],
): Promise<Map<string, string>> {
  const c = { ...ALL, slice }
  const tables = await tablesOfSlice(db, modelId, [window], slice)
  const value = outcomeValue(tables, slice)
  const rows = await db.query<{ prediction_id: string; part: string }>(
    `SELECT prediction_id, any(${cohortOfValue(value)}) AS part FROM ${outcomesWithValue(tables, slice)}
     WHERE model_id = {model:String} AND ${within('predicted_at')}${cohortCondition(c)} AND ${value} != '' AND name IN {names:Array(String)} AND prediction_id IN {ids:Array(String)}
     GROUP BY prediction_id`,
    { ...paramsOf(modelId, [window], c), slice_values: slice.values, names, ids },
  )
  return new Map(rows.map(({ prediction_id, part }) => [prediction_id, part]))
}

/** Both questions, bound to a connection. */
export const referenceTextsOn = (db: ClickHouse) => ({
  referenceTexts: (question: TextsQuestion) => referenceTexts(db, question),
  valuesOfSlice: (
    question: TextsQuestion,
    slice: Slice & { values: readonly string[] },
    ids: readonly string[],
  ) => valuesOfSlice(db, question, slice, ids),
})

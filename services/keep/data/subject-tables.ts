/** Which rows of which tables are about a subject: SQL over the tables of the erasure alone. */

const SUBJECTS = 'SELECT subject_id FROM erasing_subjects'
const PREDICTIONS = 'SELECT model_id, prediction_id FROM erasing_predictions'
const LABELS = 'SELECT model_id, label_id FROM erasing_labels'
const OF_PREDICTIONS = `(model_id, prediction_id) IN (${PREDICTIONS})`
const OF_SUBJECTS = `subject_id IN (${SUBJECTS})`

/**
 * Texts in which the id stands: anywhere for ids of {@link MIN_FOUND_ANYWHERE} characters or more,
 * between quotes for shorter ones, which are part of other words and numbers.
 */
const holds = (column: string) =>
  `arrayExists(id -> position(${column}, if(length(id) >= ${MIN_FOUND_ANYWHERE}, id, concat('"', id, '"'))) > 0, (SELECT groupArray(subject_id) FROM erasing_subjects))`

/** Characters of an id that is looked for anywhere in a text. */
export const MIN_FOUND_ANYWHERE = 6

/** A table and the condition of the rows that are about the subject. */
export interface SubjectTable {
  table: string
  where: string
}

const FEATURES = `arrayExists(v -> has((SELECT groupArray(subject_id) FROM erasing_subjects), toString(v)), mapValues(features))`

/**
 * Every table with rows about subjects, in the order in which they are erased: what later
 * conditions look up goes last.
 */
export const SUBJECT_TABLES: readonly SubjectTable[] = [
  {
    table: 'reviews',
    where: `task_id IN (SELECT task_id FROM review_tasks_log WHERE ${OF_PREDICTIONS})`,
  },
  { table: 'review_tasks_log', where: OF_PREDICTIONS },
  {
    table: 'labels_waiting_log',
    where: `${OF_PREDICTIONS} OR (model_id, label_id) IN (${LABELS})`,
  },
  { table: 'labels_arrived', where: `${OF_SUBJECTS} OR ${OF_PREDICTIONS}` },
  { table: 'labels_addressed', where: `${OF_PREDICTIONS} OR (model_id, label_id) IN (${LABELS})` },
  { table: 'labels_joining', where: OF_PREDICTIONS },
  { table: 'window_examples', where: OF_PREDICTIONS },
  { table: 'labels', where: `${OF_SUBJECTS} OR ${OF_PREDICTIONS}` },
  { table: 'outcome_revisions', where: `${OF_SUBJECTS} OR ${OF_PREDICTIONS}` },
  {
    table: 'attributes',
    where: `${OF_SUBJECTS} OR prediction_id IN (SELECT prediction_id FROM erasing_predictions)`,
  },
  {
    table: 'attributes_waiting_log',
    where: `${OF_SUBJECTS} OR prediction_id IN (SELECT prediction_id FROM erasing_predictions)`,
  },
  {
    table: 'inference_halves',
    where: `(model_id, exchange_id) IN (${PREDICTIONS}) OR ${holds('body')}`,
  },
  {
    table: 'dead_letters',
    where: `key IN (SELECT concat(model_id, '/', prediction_id) FROM erasing_predictions) OR key IN (${SUBJECTS}) OR ${holds('key')} OR ${holds('value')} OR ${holds('message')} OR ${holds('toString(headers)')}`,
  },
  {
    table: 'reference_rows',
    where: `${FEATURES} OR hasAny(mapValues(attributes), (SELECT groupArray(subject_id) FROM erasing_subjects))`,
  },
  { table: 'category_counts', where: `category IN (${SUBJECTS})` },
  { table: 'slice_category_counts', where: `category IN (${SUBJECTS})` },
  {
    table: 'prediction_times',
    where: `(model_id, id_hash) IN (SELECT model_id, sipHash64(prediction_id) FROM erasing_predictions)`,
  },
  { table: 'predictions', where: `${OF_SUBJECTS} OR ${OF_PREDICTIONS}` },
]

/** Predictions about the subjects: those that name them, or hold the id as a feature. */
export const FIND_PREDICTIONS = `INSERT INTO erasing_predictions SELECT DISTINCT model_id, prediction_id FROM (
  SELECT model_id, prediction_id FROM predictions WHERE ${OF_SUBJECTS} OR ${FEATURES}
  UNION ALL SELECT model_id, prediction_id FROM outcome_revisions WHERE ${OF_SUBJECTS}
  UNION ALL SELECT model_id, prediction_id FROM labels WHERE ${OF_SUBJECTS} AND prediction_id != ''
  UNION ALL SELECT model_id, prediction_id FROM labels_addressed WHERE (model_id, label_id) IN (SELECT model_id, label_id FROM labels WHERE ${OF_SUBJECTS}))`

/** Labels about them. */
export const FIND_LABELS = `INSERT INTO erasing_labels SELECT DISTINCT model_id, label_id FROM labels WHERE ${OF_SUBJECTS} OR ${OF_PREDICTIONS}`

/** The tables that say whom an erasure is about. */
export const ERASING = ['erasing_labels', 'erasing_predictions', 'erasing_subjects'] as const

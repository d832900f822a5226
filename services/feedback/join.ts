/**
 * Label meets prediction, in either order, after any delay.
 *
 * The insert that stores a label also puts it into a queue, `labels_waiting_log`. The join takes labels from the queue, writes
 * outcomes for those whose prediction is stored, and then takes these labels out; the others stay and are tried again, less
 * and less often. An outcome is computed from all labels of its prediction, never from the one that just came, so
 * neither the order of arrival nor doing it twice can matter.
 */
import type { ClickHouse } from '../../lib/clickhouse.ts'
import type { Models } from '../../lib/models.ts'

export interface Join {
  /**
   * Resolves what waits and is no older than `maxAgeMs`.
   * @returns the models that got outcomes, and whether there may be more to do at once
   */
  resolve: (maxAgeMs: number) => Promise<{ models: string[]; more: boolean }>
}

interface Waiting {
  model_id: string
  prediction_id: string
  label_id: string
  since: string
}

interface Addressed {
  waiting: Waiting
  /** The prediction that the label is about. */
  meant: string
}

const BATCH = 20_000
const DEFAULT_PRECEDENCE = ['ground_truth', 'human_review', 'user_feedback', 'judge']

export function createJoin(db: ClickHouse, models: Models, now: () => number): Join {
  /** Models whose file ranks the sources of truth in an order of its own. */
  const ranked = Object.fromEntries(
    models.declared
      .filter((model) => model.labels.precedence.join() !== DEFAULT_PRECEDENCE.join())
      .map((model) => [model.modelId, model.labels.precedence]),
  )

  return {
    resolve: async (maxAgeMs) => {
      const waiting = await db.query<Waiting>(
        `SELECT model_id, prediction_id, label_id, min(since) AS since FROM labels_waiting_log
         WHERE since >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
         GROUP BY model_id, prediction_id, label_id HAVING sum(sign) > 0 ORDER BY model_id, prediction_id, label_id LIMIT ${BATCH}`,
        { from: Number.isFinite(maxAgeMs) ? Math.max(0, now() - maxAgeMs) : 0 },
      )
      const resolved: Addressed[] = []
      for (const [model_id, all] of Map.groupBy(waiting, (row) => row.model_id)) {
        const labels = await addressed(db, model_id, all)
        const ids = [...new Set(labels.map((label) => label.meant))]
        for (let i = 0; i < ids.length; i += LOOK_UP) {
          const params = { model: model_id, ids: ids.slice(i, i + LOOK_UP) }
          const stored = await db.query<{ prediction_id: string }>(
            `SELECT prediction_id FROM (${STORED})`,
            params,
          )
          if (stored.length === 0) continue
          const found = new Set(stored.map((row) => row.prediction_id))
          await db.command(`INSERT INTO outcome_revisions ${OUTCOMES}`, {
            model: model_id,
            ids: [...found],
            precedence: ranked[model_id] ?? DEFAULT_PRECEDENCE,
          })
          for (const label of labels) if (found.has(label.meant)) resolved.push(label)
        }
      }
      await db.insertRows(
        'labels_waiting_log',
        resolved.map(({ waiting: row }) => ({ ...row, sign: -1 })),
      )
      return {
        models: [...new Set(resolved.map(({ waiting: row }) => row.model_id))],
        more: waiting.length === BATCH && resolved.length > 0,
      }
    },
  }
}

/** Predictions of one statement: their ids travel as a parameter, inside ClickHouse's limit on the size of a query. */
const LOOK_UP = 1000

/**
 * The labels whose prediction is known. One that names a trace means its first prediction, one that names a subject the
 * newest that was about it by the time of the label; of those that are stored when it is looked up.
 */
async function addressed(
  db: ClickHouse,
  model: string,
  waiting: readonly Waiting[],
): Promise<Addressed[]> {
  const unnamed = waiting.filter((label) => label.prediction_id === '').map((l) => l.label_id)
  const meant = new Map<string, string>()
  for (let i = 0; i < unnamed.length; i += LOOK_UP) {
    const params = { model, labels: unnamed.slice(i, i + LOOK_UP) }
    await db.command(`INSERT INTO labels_addressed ${ADDRESSES}`, params)
    const known = await db.query<{ label_id: string; prediction_id: string }>(
      `SELECT label_id, prediction_id FROM labels_addressed WHERE ${OF_LABELS}`,
      params,
    )
    for (const { label_id, prediction_id } of known) meant.set(label_id, prediction_id)
  }
  return waiting.flatMap((label) => {
    const id = label.prediction_id || meant.get(label.label_id)
    return id === undefined ? [] : [{ waiting: label, meant: id }]
  })
}

const OF_LABELS = 'model_id = {model:String} AND label_id IN {labels:Array(String)}'

const ADDRESSES = `
WITH named AS (
  SELECT label_id, labelled_at, if(trace_id != '', ('trace', trace_id), ('subject', subject_id)) AS whom FROM labels
  WHERE ${OF_LABELS} AND prediction_id = '' AND label_id NOT IN (SELECT label_id FROM labels_addressed WHERE ${OF_LABELS}))
SELECT {model:String}, if(any(whom.1) = 'trace', argMin(prediction_id, (predicted_at, prediction_id)), argMax(prediction_id, (predicted_at, prediction_id))), label_id FROM named
INNER JOIN (
  SELECT prediction_id, predicted_at, whom FROM predictions ARRAY JOIN [('trace', trace_id), ('subject', subject_id)] AS whom
  WHERE model_id = {model:String} AND (trace_id IN (SELECT whom.2 FROM named) OR subject_id IN (SELECT whom.2 FROM named))
) AS predicted USING (whom)
WHERE whom.1 = 'trace' OR predicted_at <= labelled_at
GROUP BY label_id`

const LABEL =
  'model_id, prediction_id, name, source, labeler, label, labelled_at, label_id, retracted, received_at, offset, inclusion_probability'

/** The predictions among `ids`, found through `prediction_times`: labels know no time, and `predictions` is sorted by it. */
const STORED = `
  SELECT * FROM predictions
  WHERE model_id = {model:String} AND prediction_id IN {ids:Array(String)} AND predicted_at IN (
    SELECT predicted_at FROM prediction_times WHERE model_id = {model:String} AND id_hash IN arrayMap(id -> sipHash64(id), {ids:Array(String)}))
  ORDER BY predicted_at, offset LIMIT 1 BY prediction_id`

/**
 * 1. A repeated `label_id` is ignored. 2. Within one identity (prediction, source, labeler, name) the newest `labelled_at`
 * wins, then the greatest `label_id`. 3. Across identities the source of the higher rank wins, then the newest. 4. What is
 * retracted does not count; with nothing left the label is NULL.
 */
const OUTCOMES = `
SELECT p.model_id, p.predicted_at, p.prediction_id, l.name, l.labels_known, p.model_version, p.variant, p.shadow, p.prediction, p.prediction_number,
  p.score, p.scores, p.attributes, p.decision, p.subject_id,
  if(l.held, l.winner.1, NULL) AS label, if(l.held, toFloat64OrNull(l.winner.1), NULL) AS label_number,
  l.winner.2 AS source, l.winner.3 AS labeler, l.winner.4 AS labelled_at, l.winner.5 AS label_received_at, l.winner.6 AS inclusion_probability, p.sampling_fraction
FROM (
  SELECT model_id, prediction_id, name, sum(known) AS labels_known, countIf(NOT retracted) > 0 AS held,
    argMax((label, source, labeler, labelled_at, received_at, inclusion_probability), (NOT retracted, -rank, labelled_at, label_id)) AS winner
  FROM (
    SELECT model_id, prediction_id, name, source, labeler, count() AS known,
      toInt8(indexOf({precedence:Array(String)}, source)) AS rank,
      argMax((label, labelled_at, label_id, retracted, received_at, inclusion_probability), (labelled_at, label_id)) AS newest,
      newest.1 AS label, newest.2 AS labelled_at, newest.3 AS label_id, newest.4 AS retracted, newest.5 AS received_at, newest.6 AS inclusion_probability
    FROM (
      SELECT * FROM (
        SELECT ${LABEL} FROM labels WHERE model_id = {model:String} AND prediction_id IN {ids:Array(String)}
        UNION ALL
        SELECT ${LABEL} FROM (SELECT * EXCEPT prediction_id FROM labels WHERE model_id = {model:String} AND prediction_id = '') AS unaddressed
        INNER JOIN (SELECT DISTINCT label_id, prediction_id FROM labels_addressed WHERE model_id = {model:String} AND prediction_id IN {ids:Array(String)}) AS meant
        USING (label_id)
      ) ORDER BY received_at, offset LIMIT 1 BY prediction_id, label_id
    )
    GROUP BY model_id, prediction_id, name, source, labeler
  )
  GROUP BY model_id, prediction_id, name
) AS l
INNER JOIN (${STORED}) AS p ON p.model_id = l.model_id AND p.prediction_id = l.prediction_id`

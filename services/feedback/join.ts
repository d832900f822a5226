/**
 * Label meets prediction, in either order, after any delay.
 *
 * An outcome is computed from all labels of its prediction, never from the one that just came, so the order of
 * arrival cannot matter and computing it twice writes the same row. Labels whose prediction is not there yet wait and are
 * tried again with back-off.
 */
import type { ClickHouse } from '../../lib/clickhouse.ts'
import { backoffMs } from '../../lib/clock.ts'
import type { LoggedRange } from '../../lib/event-log.ts'
import type { Models } from '../../lib/models.ts'

export interface Join {
  /** Resolves every prediction that a stored range of labels names. Idempotent. */
  resolveRange: (range: LoggedRange) => Promise<void>
  /** Tries the waiting labels whose time has come; returns the models that got outcomes. */
  resolveWaiting: () => Promise<string[]>
}

const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 10 * 60_000
const BATCH = 20_000
const DEFAULT_PRECEDENCE = ['ground_truth', 'human_review', 'user_feedback', 'judge']

export function createJoin(db: ClickHouse, models: Models, now: () => number): Join {
  /** Models whose file ranks the sources of truth in an order of its own. */
  const ranked = Object.fromEntries(
    models.declared
      .filter((model) => model.labels.precedence.join() !== DEFAULT_PRECEDENCE.join())
      .map((model) => [model.modelId, model.labels.precedence]),
  )

  /** Writes the outcomes of all predictions that `ids` (a SELECT of model_id, prediction_id) names and that are stored. */
  const writeOutcomes = (ids: string, params: Record<string, unknown>) =>
    db.command(`INSERT INTO outcome_revisions ${outcomesOf(ids)}`, { ...params, ranked, precedence: DEFAULT_PRECEDENCE })

  return {
    resolveRange: async (range) => {
      const ids = `SELECT DISTINCT model_id, prediction_id FROM labels
        WHERE topic = {topic:String} AND log_epoch = {epoch:String} AND partition = {partition:String} AND offset BETWEEN {first:UInt64} AND {last:UInt64}`
      const params = { topic: range.topic, epoch: range.logEpoch, partition: range.partition, first: range.first, last: range.last }
      // Waiting first: a prediction that comes in between is then both joined and tried again, which is the same row
      // twice. In the other order it would be neither.
      const since = new Date(now()).toISOString()
      await db.command(
        `INSERT INTO labels_waiting_log
         SELECT model_id, prediction_id, 1 AS attempts, true AS waiting, parseDateTime64BestEffort({since:String}, 3, 'UTC') AS since, since + INTERVAL ${FIRST_RETRY_MS} MILLISECOND AS retry_at
         FROM (${ids}) WHERE (model_id, prediction_id) NOT IN (SELECT model_id, prediction_id FROM (${storedAmong(ids)}))`,
        { ...params, since },
      )
      await writeOutcomes(ids, params)
    },

    resolveWaiting: async () => {
      const at = new Date(now()).toISOString()
      const ids = `SELECT model_id, prediction_id FROM labels_waiting_log FINAL
        WHERE waiting AND retry_at <= parseDateTime64BestEffort({at:String}, 3, 'UTC') ORDER BY retry_at, model_id, prediction_id LIMIT ${BATCH}`
      const due = await db.query<{ model_id: string; prediction_id: string; attempts: number; since: string; found: number }>(
        `SELECT model_id, prediction_id, attempts, since, (model_id, prediction_id) IN (SELECT model_id, prediction_id FROM (${storedAmong(ids)})) AS found
         FROM labels_waiting_log FINAL WHERE (model_id, prediction_id) IN (${ids}) AND waiting`,
        { at },
      )
      if (due.length === 0) return []
      await writeOutcomes(ids, { at })
      await db.insertRows(
        'labels_waiting_log',
        due.map(({ found, attempts, ...row }) => ({
          ...row,
          attempts: attempts + 1,
          waiting: !found,
          retry_at: new Date(now() + backoffMs(attempts, FIRST_RETRY_MS, LAST_RETRY_MS)).toISOString(),
        })),
      )
      return [...new Set(due.filter((row) => row.found).map((row) => row.model_id))]
    },
  }
}

/**
 * The predictions among `ids`, found the way the join finds them: through `prediction_times`, whose rows and those of
 * `predictions` appear one after the other. Both are checked, so what is found once is found from then on.
 */
const storedAmong = (ids: string) => `
  SELECT * FROM predictions
  WHERE (model_id, predicted_at) IN (
      SELECT model_id, predicted_at FROM prediction_times
      WHERE (model_id, id_hash) IN (SELECT model_id, sipHash64(prediction_id) FROM (${ids})))
    AND (model_id, prediction_id) IN (${ids})
  ORDER BY predicted_at, offset LIMIT 1 BY model_id, prediction_id`

/**
 * 1. A repeated `label_id` is ignored. 2. Within one identity (prediction, source, labeler, name) the newest `labelled_at`
 * wins, then the greatest `label_id`. 3. Across identities the source of the higher rank wins, then the newest. 4. What is
 * retracted does not count; with nothing left the label is NULL.
 */
const outcomesOf = (ids: string) => `
SELECT p.model_id, p.predicted_at, p.prediction_id, l.name, l.labels_known, p.model_version, p.variant, p.shadow, p.prediction, p.prediction_number,
  p.score, p.scores, p.attributes, p.decision, p.subject_id,
  if(l.held, l.winner.1, NULL) AS label, if(l.held, toFloat64OrNull(l.winner.1), NULL) AS label_number,
  l.winner.2 AS source, l.winner.3 AS labeler, l.winner.4 AS labelled_at, l.winner.5 AS label_received_at, l.winner.6 AS inclusion_probability
FROM (
  SELECT model_id, prediction_id, name, sum(known) AS labels_known, countIf(NOT retracted) > 0 AS held,
    argMax((label, source, labeler, labelled_at, received_at, inclusion_probability), (NOT retracted, -rank, labelled_at, label_id)) AS winner
  FROM (
    SELECT model_id, prediction_id, name, source, labeler, count() AS known,
      toInt8(indexOf(if(mapContains({ranked:Map(String, Array(String))}, model_id), {ranked:Map(String, Array(String))}[model_id], {precedence:Array(String)}), source)) AS rank,
      argMax((label, labelled_at, label_id, retracted, received_at, inclusion_probability), (labelled_at, label_id)) AS newest,
      newest.1 AS label, newest.2 AS labelled_at, newest.3 AS label_id, newest.4 AS retracted, newest.5 AS received_at, newest.6 AS inclusion_probability
    FROM (
      SELECT * FROM labels WHERE (model_id, prediction_id) IN (${ids})
      ORDER BY received_at, offset LIMIT 1 BY model_id, prediction_id, label_id
    )
    GROUP BY model_id, prediction_id, name, source, labeler
  )
  GROUP BY model_id, prediction_id, name
) AS l
INNER JOIN (${storedAmong(ids)}) AS p ON p.model_id = l.model_id AND p.prediction_id = l.prediction_id`

/**
 * The statements of the join. Each reads what a batch names, of any number of models, and may be
 * repeated.
 */

/** The predictions of the batch: all that are asked for, and those that are stored. */
const ASKED = `SELECT model_id, prediction_id FROM labels_joining WHERE batch = {batch:UInt64} AND NOT is_stored`
const STORED = `SELECT model_id, prediction_id FROM labels_joining WHERE batch = {batch:UInt64} AND is_stored`

/** One of the predictions that the batch asks for, if it asks for any. */
export const ANY_ASKED = `${ASKED} LIMIT 1`

/** Labels of the batch. */
export const labelsOf = (condition: string) => ({
  /** How many of them name a trace or a subject. */
  count: `SELECT countIf(prediction_id = '') AS unnamed FROM labels_arrived WHERE ${condition}`,
  address: ADDRESS(
    `SELECT DISTINCT model_id, label_id, labelled_at, trace_id, subject_id FROM labels_arrived WHERE ${condition} AND prediction_id = ''`,
    `SELECT model_id, prediction_id, predicted_at, trace_id, subject_id FROM predictions
     WHERE (model_id, trace_id) IN (SELECT model_id, trace_id FROM labels_arrived WHERE ${condition} AND prediction_id = '' AND trace_id != '')
        OR (model_id, subject_id) IN (SELECT model_id, subject_id FROM labels_arrived WHERE ${condition} AND prediction_id = '' AND subject_id != '')`,
  ),
  ask: ASK(
    `SELECT model_id, prediction_id FROM labels_arrived WHERE ${condition} AND prediction_id != ''`,
  ),
  askAddressed: ASK(
    ALL_ADDRESSES(
      `SELECT model_id, label_id FROM labels_arrived WHERE ${condition} AND prediction_id = ''`,
    ),
  ),
})

/** Predictions of the batch: those of models of which labels wait, or name a trace or a subject. */
export const predictionsOf = (condition: string) => {
  const arrived = (models: string) =>
    `SELECT model_id, prediction_id, predicted_at, trace_id, subject_id FROM predictions WHERE model_id IN (${models}) AND ${condition}`
  const ids = (models: string) =>
    `SELECT model_id, prediction_id FROM predictions WHERE model_id IN (${models}) AND ${condition}`
  return {
    address: ADDRESS(
      `SELECT model_id, label_id, labelled_at, trace_id, subject_id FROM labels WHERE prediction_id = ''`,
      arrived(UNNAMED_MODELS),
    ),
    ask: ASK(
      `SELECT model_id, prediction_id FROM labels_waiting_log WHERE prediction_id != '' AND (model_id, prediction_id) IN (${ids(WAITING_MODELS)})
       GROUP BY model_id, prediction_id, label_id HAVING sum(sign) > 0`,
    ),
    askAddressed: ASK(
      ALL_ADDRESSES(
        `SELECT model_id, label_id FROM labels_addressed WHERE (model_id, prediction_id) IN (${ids(UNNAMED_MODELS)})`,
      ),
    ),
  }
}

const WAITING_MODELS = `SELECT model_id FROM labels_waiting_log`
const UNNAMED_MODELS = `SELECT model_id FROM labels WHERE prediction_id = ''`

/** Whether an arriving prediction can matter to any label. */
export const ANYBODY = `
SELECT (SELECT count() FROM (${WAITING_MODELS} LIMIT 1)) AS waiting, (SELECT count() FROM (${UNNAMED_MODELS} LIMIT 1)) AS unnamed`

/**
 * All predictions these labels were ever taken for: what was taken for another one before has lost
 * a label.
 */
function ALL_ADDRESSES(labels: string) {
  return `SELECT model_id, prediction_id FROM labels_addressed WHERE (model_id, label_id) IN (${labels})`
}

function ASK(keys: string) {
  return `INSERT INTO labels_joining (batch, is_stored, model_id, prediction_id) SELECT DISTINCT {batch:UInt64}, false, model_id, prediction_id FROM (${keys})`
}

/**
 * Takes labels for the predictions they mean: of a trace the first, of a subject the newest that is
 * not later than the label. A later look may find a better one, never a worse: the best of all that
 * were found is the same whatever came first.
 */
function ADDRESS(labels: string, predictions: string) {
  return `
INSERT INTO labels_addressed (model_id, prediction_id, label_id, predicted_at)
SELECT c.model_id, c.prediction_id, c.label_id, c.predicted_at FROM (
  SELECT n.model_id AS model_id, n.label_id AS label_id, true AS of_trace, p.best.2 AS prediction_id, p.best.1 AS predicted_at
  FROM (SELECT * FROM (${labels}) WHERE trace_id != '') AS n
  INNER JOIN (SELECT model_id, trace_id, min((predicted_at, prediction_id)) AS best FROM (${predictions}) WHERE trace_id != '' GROUP BY model_id, trace_id) AS p
  ON n.model_id = p.model_id AND n.trace_id = p.trace_id
  UNION ALL
  SELECT n.model_id, n.label_id, false, p.newest_id, p.predicted_at
  FROM (SELECT * FROM (${labels}) WHERE trace_id = '') AS n
  ASOF INNER JOIN (SELECT model_id, subject_id, predicted_at, max(prediction_id) AS newest_id FROM (${predictions}) WHERE subject_id != '' GROUP BY model_id, subject_id, predicted_at) AS p
  ON n.model_id = p.model_id AND n.subject_id = p.subject_id AND n.labelled_at >= p.predicted_at
) AS c
LEFT JOIN (
  SELECT model_id, label_id, min((predicted_at, prediction_id)) AS first, max((predicted_at, prediction_id)) AS newest, count() AS found
  FROM labels_addressed WHERE (model_id, label_id) IN (SELECT model_id, label_id FROM (${labels})) GROUP BY model_id, label_id
) AS a ON a.model_id = c.model_id AND a.label_id = c.label_id
WHERE a.found = 0 OR (toUnixTimestamp64Milli(a.first.1) != 0
  AND if(c.of_trace, (c.predicted_at, c.prediction_id) < a.first, (c.predicted_at, c.prediction_id) > a.newest))`
}

/**
 * Finds the predictions asked for, through `prediction_times`: labels know no time, and
 * `predictions` is sorted by it.
 */
export const FIND = `
INSERT INTO labels_joining (batch, is_stored, model_id, prediction_id, predicted_at)
SELECT {batch:UInt64}, true, k.model_id, k.prediction_id, t.predicted_at
FROM (SELECT model_id, id_hash, predicted_at FROM prediction_times WHERE (model_id, id_hash) IN (SELECT model_id, sipHash64(prediction_id) FROM (${ASKED}))) AS t
INNER JOIN (SELECT DISTINCT model_id, prediction_id, sipHash64(prediction_id) AS id_hash FROM (${ASKED})) AS k
ON t.model_id = k.model_id AND t.id_hash = k.id_hash`

/** The models of which the batch has predictions that are stored. */
export const MODELS = `SELECT DISTINCT model_id FROM (${STORED})`

/**
 * Takes the labels of stored predictions off the queue; what came since is looked at when its own
 * turn comes.
 */
export const TAKE_OFF = `
INSERT INTO labels_waiting_log (model_id, prediction_id, label_id, since, sign)
SELECT model_id, prediction_id, label_id, min(w.since), -1 FROM labels_waiting_log AS w
WHERE (model_id, prediction_id) IN (${STORED})
GROUP BY model_id, prediction_id, label_id HAVING sum(sign) > 0`

/** Takes off labels that name a trace or a subject. */
export const TAKE_OFF_ADDRESSED = `
INSERT INTO labels_waiting_log (model_id, prediction_id, label_id, since, sign)
SELECT model_id, prediction_id, label_id, min(w.since), -1 FROM labels_waiting_log AS w
WHERE prediction_id = '' AND (model_id, label_id) IN (SELECT model_id, label_id FROM labels_addressed WHERE (model_id, prediction_id) IN (${STORED}))
GROUP BY model_id, prediction_id, label_id HAVING sum(sign) > 0`

/** Sources of labels that a model does not rank come behind all that it may. */
const LAST_RANK = 5
const RANKS = [1, 2, 3, 4, LAST_RANK]
const SPELLED = "if(label_spelled = '', label, label_spelled)"
/** Columns of a label, as it is spelled by its model. */
export const LABEL = `model_id, prediction_id, name, source, labeler, ${SPELLED} AS label, labelled_at, label_id, retracted, received_at, offset, inclusion_probability, confidence`

const NAMED = `SELECT ${LABEL}, true AS stays FROM labels WHERE (model_id, prediction_id) IN (${STORED})`

/**
 * Labels that name a trace or a subject, with every prediction of the batch they were taken for;
 * they stay with the best.
 */
const UNNAMED = `
SELECT l.model_id AS model_id, a.prediction_id AS prediction_id, l.name AS name, l.source AS source, l.labeler AS labeler, if(l.label_spelled = '', l.label, l.label_spelled) AS label, l.labelled_at AS labelled_at,
  l.label_id AS label_id, l.retracted AS retracted, l.received_at AS received_at, l.offset AS offset, l.inclusion_probability AS inclusion_probability, l.confidence AS confidence,
  a.prediction_id = if(l.trace_id != '', b.first.2, b.newest.2) AS stays
FROM (SELECT * FROM labels WHERE prediction_id = '' AND (model_id, label_id) IN (SELECT model_id, label_id FROM labels_addressed WHERE (model_id, prediction_id) IN (${STORED}))) AS l
INNER JOIN (SELECT DISTINCT model_id, label_id, prediction_id FROM labels_addressed WHERE (model_id, prediction_id) IN (${STORED})) AS a
ON a.model_id = l.model_id AND a.label_id = l.label_id
INNER JOIN (
  SELECT model_id, label_id, min((predicted_at, prediction_id)) AS first, max((predicted_at, prediction_id)) AS newest FROM labels_addressed
  WHERE (model_id, label_id) IN (SELECT model_id, label_id FROM labels_addressed WHERE (model_id, prediction_id) IN (${STORED})) GROUP BY model_id, label_id
) AS b ON b.model_id = l.model_id AND b.label_id = l.label_id`

/**
 * What the labels of predictions come to, by name: a row for each `model_id`, `prediction_id` and
 * `name` with `labels_known`, whether a label stands (`held`), the `winner` as (label, source,
 * labeler, labelled_at, received_at, inclusion_probability, confidence, votes, rank) and how many
 * labelers each rank has (`standing`). The rules are those of {@link outcomes}.
 *
 * @param labels SQL of the labels, with the columns of {@link LABEL} and `stays`
 */
export const resolution = (labels: string): string => `
SELECT model_id, prediction_id, name, sum(known) AS labels_known, sum(votes) > 0 AS held,
  [${RANKS.map((rank) => `sumIf(votes, rank = ${rank})`).join(', ')}] AS standing,
  argMax((newest.1, source, newest.2, newest.3, newest.4, newest.5, newest.6, votes, rank),
    (votes > 0, -rank, if(toString(model_id) IN {majority:Array(String)}, votes, 0), newest.3, newest.7)) AS winner
FROM (
  SELECT model_id, prediction_id, name, source, rank, sum(of_labeler) AS known, countIf(NOT is_retracted) AS votes,
    argMax((said, labeler, at, received, probability, sureness, id), (at, id)) AS newest
  FROM (
    SELECT model_id, prediction_id, name, source, labeler, sum(if(stays, 1, 2)) AS of_labeler,
      if(place = 0, ${LAST_RANK}, place) AS rank, toUInt8(indexOf({orders:Array(Array(String))}[indexOf({ranked:Array(String)}, toString(model_id)) + 1], source)) AS place,
      argMax((label, labelled_at, label_id, retracted OR NOT stays, received_at, inclusion_probability, confidence), (stays, labelled_at, label_id)) AS last,
      last.1 AS said, last.2 AS at, last.3 AS id, last.4 AS is_retracted, last.5 AS received, last.6 AS probability, last.7 AS sureness
    FROM (
      SELECT * FROM (${labels})
      ORDER BY model_id, prediction_id, label_id, received_at, offset LIMIT 1 BY model_id, prediction_id, label_id
    )
    GROUP BY model_id, prediction_id, name, source, labeler
  )
  GROUP BY model_id, prediction_id, name, source, rank, is_retracted, said
)
GROUP BY model_id, prediction_id, name`

/**
 * 1. A repeated `label_id` of a prediction is ignored. 2. Within one identity (prediction, source,
 *    labeler, name) the newest `labelled_at` wins, then the greatest `label_id`. 3. Across
 *    identities the source of the higher rank wins; one that the model does not rank comes last.
 *    The newest of its labelers wins, or by `resolve: majority` what most of them say, the newest
 *    of equals. 4. What is retracted does not count, nor does what was found to mean another
 *    prediction; with nothing left the label is NULL. `labels_known` counts labels, and one that
 *    left twice, so that every change has the higher count. `votes` of `voters` are the labelers of
 *    the winner's source who say so. A batch has a prediction once: that ClickHouse looks for
 *    revisions within the insert would cost a third of it. Unless its views are filled side by
 *    side, ClickHouse runs all of it in one thread.
 */
export const outcomes = (withUnnamed: boolean) => `
INSERT INTO outcome_revisions (model_id, predicted_at, prediction_id, name, labels_known, model_version, variant, shadow, prediction, prediction_number,
  score, scores, attributes, decision, subject_id, label, label_number, source, labeler, labelled_at, label_received_at, inclusion_probability, sampling_fraction,
  votes, voters, confidence) SETTINGS optimize_on_insert = 0, parallel_view_processing = 1
SELECT p.model_id, p.predicted_at, p.prediction_id, l.name, l.labels_known, p.model_version, p.variant, p.shadow, p.prediction, p.prediction_number,
  p.score, p.scores, p.attributes, p.decision, p.subject_id,
  if(l.held, l.winner.1, NULL) AS label, if(l.held, toFloat64OrNull(l.winner.1), NULL) AS label_number,
  l.winner.2 AS source, l.winner.3 AS labeler, l.winner.4 AS labelled_at, l.winner.5 AS label_received_at, l.winner.6 AS inclusion_probability, p.sampling_fraction,
  if(l.held, l.winner.8, 0) AS votes, if(l.held, l.standing[l.winner.9], 0) AS voters, if(l.held, l.winner.7, NULL) AS confidence
FROM (
${resolution(withUnnamed ? `${NAMED} UNION ALL ${UNNAMED}` : NAMED)}
) AS l
INNER JOIN (
  SELECT * FROM (
    SELECT model_id, predicted_at, prediction_id, offset, model_version, variant, shadow, prediction, prediction_number,
      score, scores, attributes, decision, subject_id, sampling_fraction FROM predictions
    WHERE (model_id, toStartOfMinute(predicted_at)) IN (SELECT model_id, toStartOfMinute(predicted_at) FROM labels_joining WHERE batch = {batch:UInt64} AND is_stored)
      AND (model_id, prediction_id) IN (${STORED})
  ) ORDER BY predicted_at, offset LIMIT 1 BY model_id, prediction_id
) AS p ON p.model_id = l.model_id AND p.prediction_id = l.prediction_id`

/** What an alert episode rests on, what it is about, and what was done about it. */
import type { ClickHouse, Params } from '../../../../lib/clickhouse/port.ts'
import type { EpisodeAlarm, EpisodeAnswer } from '../../../../schemas/http/episodes.ts'
import { sqlTime } from '../../data/cohort.ts'
import { MIN_CELL } from '../../evaluate/thresholds.ts'
import { EVER, KNOWN, knownBy } from '../known-by.ts'

type Answer = EpisodeAnswer

/** Windows of one answer, the newest. */
const MAX_WINDOWS = 60
const MAX_RESULTS = 300
const MAX_PERFORMANCE = 12
const MAX_SAID = 100
const MAX_RUNS = 50

/** Which part of an episode is read. */
export interface EvidenceQuestion {
  modelId: string
  episodeId: string
  /** Start of its oldest window that is read, epoch milliseconds. */
  from: number
  /** End of its newest window. */
  to: number
  /** What was known by this time, epoch milliseconds. */
  asOf: number
}

const paramsOf = ({ modelId, episodeId, from, to, asOf }: EvidenceQuestion): Params => ({
  model: modelId,
  episode: episodeId,
  from: sqlTime(from),
  to: sqlTime(to),
  ...knownBy(asOf),
})

const IN_TIME = `model_id = {model:String} AND window_start >= {from:DateTime64(3, 'UTC')} AND window_end <= {to:DateTime64(3, 'UTC')} AND ${KNOWN}`
const WHOLE = `model_version = '' AND variant = '' AND slice_key = ''`
/** Results in their newest revision. */
const LATEST = `(SELECT * FROM window_metrics WHERE ${IN_TIME} AND convention = 'plumbline' ORDER BY revision DESC
  LIMIT 1 BY model_version, variant, window_start, window_end, slice_key, slice_value, family, subject, metric, method, reference)`

/** The windows of an episode, ascending: the newest 60. */
export async function episodeWindows(
  db: ClickHouse,
  question: EvidenceQuestion,
): Promise<Answer['evidence']> {
  const rows = await db.query<Answer['evidence'][number]>(
    `SELECT w.start AS window_start, w.end AS window_end, w.worst AS worst, w.events AS events,
       toString(m.labelled) AS labelled, if(m.has_labels, w.maturity, NULL) AS label_maturity, m.completeness AS completeness
     FROM (SELECT window_start AS start, window_end AS end,
         argMax(tuple(r.worst, r.events, r.maturity, r.episode_id), revision) AS newest,
         newest.1 AS worst, newest.2 AS events, newest.3 AS maturity, newest.4 AS episode
       FROM window_revisions AS r WHERE ${IN_TIME} AND ${WHOLE} GROUP BY start, end) AS w
     LEFT JOIN (SELECT window_start, window_end, maxIf(n_labelled, family = 'performance') AS labelled,
         countIf(family = 'performance') > 0 AS has_labels, min(m.completeness) AS completeness
       FROM ${LATEST} AS m WHERE ${WHOLE} GROUP BY window_start, window_end) AS m
       ON m.window_start = w.start AND m.window_end = w.end
     WHERE w.episode = {episode:String} ORDER BY window_end DESC, window_start DESC LIMIT ${MAX_WINDOWS}`,
    paramsOf(question),
  )
  return rows.toReversed()
}

/** What alarmed or warned, as the newest of its windows says it: the whole and alarms first. */
export const episodeResults = (
  db: ClickHouse,
  question: EvidenceQuestion,
): Promise<Omit<EpisodeAlarm, 'score_moved' | 'score_moved_alone'>[]> =>
  db.query(
    `SELECT * EXCEPT (newest), newest.1 AS severity, newest.2 AS value, newest.3 AS baseline_value, newest.4 AS threshold,
       newest.5 AS p_adjusted, newest.6 AS reason, toString(newest.7) AS n_current, toString(newest.8) AS n_labelled
     FROM (SELECT model_version, variant, slice_key, slice_value, family, metric, subject, reference,
         argMax(tuple(m.verdict, m.value, m.baseline_value, m.threshold, m.p_adjusted, m.reason, m.n_current, m.n_labelled), m.window_end) AS newest,
         min(m.window_end) AS since, max(m.window_end) AS window_end, toString(count()) AS windows
       FROM ${LATEST} AS m WHERE episode_id = {episode:String} AND verdict IN ('alarm', 'warning')
         AND NOT (n_current < ${MIN_CELL} AND family = 'fairness')
       GROUP BY model_version, variant, slice_key, slice_value, family, metric, subject, reference)
     ORDER BY model_version = '' AND variant = '' AND slice_key = '' DESC, severity = 'alarm' DESC,
       indexOf(['operations', 'performance', 'fairness', 'drift', 'quality', 'feedback'], family), p_adjusted, value DESC, metric, subject, slice_value
     LIMIT ${MAX_RESULTS}`,
    paramsOf(question),
  )

/** Performance in the newest window that tells it, evaluated rather than incomplete. */
export const episodePerformance = (
  db: ClickHouse,
  question: EvidenceQuestion,
): Promise<Answer['performance']> =>
  db.query(
    `SELECT metric, value, baseline_value, ci_low, ci_high, verdict, window_end, toString(n_labelled) AS n_labelled, label_maturity
     FROM (SELECT * FROM ${LATEST} WHERE ${WHOLE} AND family = 'performance' AND subject = '' AND value IS NOT NULL
       ORDER BY verdict IN ('alarm', 'warning', 'ok') DESC, window_end DESC, baseline_value IS NOT NULL DESC, reference LIMIT 1 BY metric)
     ORDER BY indexOf(['alarm', 'warning', 'ok', 'incomplete', 'none'], verdict), metric LIMIT ${MAX_PERFORMANCE}`,
    paramsOf(question),
  )

/** What people said of an episode, the newest first; one act is one row however many verdicts. */
export const episodeFeedback = (
  db: ClickHouse,
  { modelId, episodeId, asOf }: Pick<EvidenceQuestion, 'modelId' | 'episodeId' | 'asOf'>,
): Promise<Answer['feedback']> =>
  db.query(
    `SELECT decision, actor, comment, nullIf(until, toDateTime64(0, 3, 'UTC')) AS until, decided_at, toString(count()) AS verdicts
     FROM verdict_decisions WHERE model_id = {model:String} AND episode_id = {episode:String} AND decided_at <= {as_of:DateTime64(3, 'UTC')}
     GROUP BY decision, actor, comment, until, decided_at ORDER BY decided_at DESC LIMIT ${MAX_SAID}`,
    { model: modelId, episode: episodeId, ...knownBy(asOf) },
  )

/** Whether all is asked for that is known now, rather than what was known at some time. */
const IS_NOW = `{as_of:DateTime64(3, 'UTC')} >= {ever:DateTime64(3, 'UTC')}`

/**
 * Runs that were decided on windows of an episode, and those that people asked for between its
 * first evaluation and the first window after it. A run of an earlier time is in the state that the
 * audit log had by then, and what it said last is not told.
 */
export const episodeRuns = (
  db: ClickHouse,
  question: EvidenceQuestion & { computedAt: string },
): Promise<Answer['runs']> =>
  db.query(
    `WITH (SELECT min(computed_at) FROM window_revisions WHERE model_id = {model:String} AND ${WHOLE} AND window_end > {to:DateTime64(3, 'UTC')} AND ${KNOWN}) AS ended
     SELECT r.run_id AS run_id, policy, if(${IS_NOW}, r.state, a.step) AS state, reason, if(${IS_NOW}, r.message, '') AS message,
       if(${IS_NOW}, r.new_version, '') AS new_version, a.actor AS actor,
       nullIf(a.asked, toDateTime64(0, 3, 'UTC')) AS asked_at
     FROM retrain_runs AS r
     LEFT JOIN (SELECT subject, argMin(actor, sequence) AS actor, min(audit_log.at) AS asked,
         replaceOne(argMaxIf(action, sequence, action != 'run.approve'), 'run.', '') AS step FROM audit_log
       WHERE subject IN (SELECT run_id FROM retrain_runs WHERE model_id = {model:String}) AND audit_log.at <= {as_of:DateTime64(3, 'UTC')} GROUP BY subject) AS a ON a.subject = r.run_id
     WHERE model_id = {model:String} AND (${IS_NOW} OR a.step != '') AND if(isNull(r.window_end),
       ifNull(a.asked >= {computed:DateTime64(3, 'UTC')} AND (toUnixTimestamp64Milli(ended) = 0 OR a.asked <= ended), false),
       r.window_end > {from:DateTime64(3, 'UTC')} AND r.window_end <= {to:DateTime64(3, 'UTC')})
     ORDER BY asked_at DESC, run_id LIMIT ${MAX_RUNS}`,
    {
      ...paramsOf(question),
      computed: sqlTime(Date.parse(question.computedAt)),
      ever: sqlTime(EVER),
    },
  )

/** What a report reads of a model's past, as it was known at a time. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { EpisodeAnswer } from '../../../../schemas/http/episodes.ts'
import { sqlTime } from '../../data/cohort.ts'
import type { ReportStep, ReportWindow } from '../../report/report-data.ts'
import { KNOWN, knownBy, ONE_RESULT } from '../known-by.ts'

/** Which part of a model's past is asked for; times are epoch milliseconds. */
export interface ReportQuestion {
  modelId: string
  from: number
  to: number
  asOf: number
}

const WHOLE = `model_id = {model:String} AND model_version = '' AND variant = '' AND slice_key = ''`
const IN_SPAN = `window_end > {from:DateTime64(3, 'UTC')} AND window_start < {to:DateTime64(3, 'UTC')}`
/** Windows of one report, the newest. */
const MAX_WINDOWS = 1000
/** Answers of people of one report, and steps of runs. */
const MAX_SAID = 500

const paramsOf = ({ modelId, from, to, asOf }: ReportQuestion) => ({
  model: modelId,
  from: sqlTime(from),
  to: sqlTime(to),
  ...knownBy(asOf),
})

/**
 * The span of a model's newest windows.
 *
 * @param most how many
 * @param to windows that start before it, epoch milliseconds
 * @returns epoch milliseconds; undefined where no window was evaluated
 */
export async function newestSpan(
  db: ClickHouse,
  { modelId, to, asOf }: Omit<ReportQuestion, 'from'>,
  most: number,
): Promise<{ from: number; to: number } | undefined> {
  const rows = await db.query<{ start: string; end: string }>(
    `SELECT DISTINCT window_start AS start, window_end AS end FROM window_revisions
     WHERE ${WHOLE} AND ${KNOWN} AND window_start < {to:DateTime64(3, 'UTC')} ORDER BY end DESC, start DESC LIMIT {most:UInt32}`,
    { model: modelId, to: sqlTime(to), most, ...knownBy(asOf) },
  )
  const [newest] = rows
  return newest && { from: Date.parse(rows.at(-1)!.start), to: Date.parse(newest.end) }
}

/** The columns that are told as they are. */
const told = (row: Omit<ReportWindow, 'events' | 'labelled'>) => ({
  window_start: row.window_start,
  window_end: row.window_end,
  worst: row.worst,
  maturity: row.maturity,
  completeness: row.completeness,
  policy_revision: row.policy_revision,
  revision: row.revision,
  computed_at: row.computed_at,
})

/** The windows of the span, the newest first, and how many older ones are left out. */
export async function reportWindows(
  db: ClickHouse,
  question: ReportQuestion,
): Promise<{ windows: ReportWindow[]; left_out: number }> {
  const rows = await db.query<
    Omit<ReportWindow, 'events' | 'labelled'> & Record<'events' | 'labelled' | 'all', string>
  >(
    `SELECT w.start AS window_start, w.end AS window_end, n.1 AS worst, n.2 AS events, n.3 AS maturity, n.4 AS policy_revision,
       n.5 AS revision, n.6 AS computed_at, toString(m.labelled) AS labelled, m.completeness AS completeness, w.all AS all
     FROM (SELECT window_start AS start, window_end AS end, count() OVER () AS all,
         argMax(tuple(r.worst, r.events, r.maturity, r.policy_revision, r.revision, r.computed_at), r.revision) AS n
       FROM window_revisions AS r WHERE ${WHOLE} AND ${KNOWN} AND ${IN_SPAN} GROUP BY start, end
       ORDER BY end DESC, start DESC LIMIT ${MAX_WINDOWS}) AS w
     LEFT JOIN (SELECT window_start, window_end, maxIf(n_labelled, family = 'performance') AS labelled, min(completeness) AS completeness
       FROM (SELECT * FROM window_metrics WHERE ${WHOLE} AND ${KNOWN} AND ${IN_SPAN} AND subject = '' AND family IN ('performance', 'operations')
           AND convention = 'plumbline' ORDER BY revision DESC LIMIT 1 BY ${ONE_RESULT})
       GROUP BY window_start, window_end) AS m ON m.window_start = w.start AND m.window_end = w.end
     ORDER BY window_end DESC, window_start DESC`,
    paramsOf(question),
  )
  const windows = rows.map((row) => ({
    ...told(row),
    events: Number(row.events),
    labelled: Number(row.labelled),
  }))
  return { windows, left_out: Number(rows[0]?.all ?? 0) - rows.length }
}

type Said = EpisodeAnswer['feedback'][number] & { episode_id: string }

/** What people said of these episodes by then, the newest first; one act is one row. */
export const saidOfEpisodes = (
  db: ClickHouse,
  { modelId, asOf }: Pick<ReportQuestion, 'modelId' | 'asOf'>,
  episodes: readonly string[],
): Promise<Said[]> =>
  db.query<Said>(
    `SELECT episode_id, decision, actor, comment, nullIf(until, toDateTime64(0, 3, 'UTC')) AS until, decided_at, toString(count()) AS verdicts
     FROM verdict_decisions WHERE model_id = {model:String} AND episode_id IN {episodes:Array(String)} AND decided_at <= {as_of:DateTime64(3, 'UTC')}
     GROUP BY episode_id, decision, actor, comment, until, decided_at ORDER BY decided_at DESC LIMIT ${MAX_SAID}`,
    { model: modelId, episodes, ...knownBy(asOf) },
  )

/**
 * Steps of runs as the audit log had them by then, the newest first: of runs that windows of the
 * span decided, and of those that people asked for while these were evaluated.
 */
export async function runSteps(db: ClickHouse, question: ReportQuestion): Promise<ReportStep[]> {
  const rows = await db.query<Omit<ReportStep, 'sequence'> & { sequence: string }>(
    `WITH (SELECT tuple(min(computed_at), max(computed_at)) FROM window_revisions WHERE ${WHOLE} AND ${KNOWN} AND ${IN_SPAN}) AS evaluated
     SELECT r.run_id AS run_id, r.policy AS policy, r.reason AS reason, toString(a.sequence) AS sequence, a.at AS at, a.actor AS actor, a.action AS action, a.hash AS hash
     FROM (SELECT run_id, policy, reason, window_end FROM retrain_runs WHERE model_id = {model:String}) AS r
     INNER JOIN (SELECT sequence, at, actor, action, subject, hash, min(at) OVER (PARTITION BY subject) AS asked FROM audit_log FINAL
       WHERE subject IN (SELECT run_id FROM retrain_runs WHERE model_id = {model:String}) AND at <= {as_of:DateTime64(3, 'UTC')}) AS a ON a.subject = r.run_id
     WHERE if(isNull(r.window_end), a.asked >= evaluated.1 AND a.asked <= evaluated.2 + INTERVAL 1 DAY,
       r.window_end > {from:DateTime64(3, 'UTC')} AND r.window_end <= {to:DateTime64(3, 'UTC')})
     ORDER BY a.sequence DESC LIMIT ${MAX_SAID}`,
    paramsOf(question),
  )
  return rows.map((row) => ({ ...row, sequence: Number(row.sequence) }))
}

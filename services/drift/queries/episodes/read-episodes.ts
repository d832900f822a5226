/** Alert episodes of a model as its windows tell them: which, since when, what alarmed. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import { sqlTime } from '../../data/cohort.ts'
import { EVER, KNOWN, knownBy } from '../known-by.ts'
import type { EpisodeSpan, KnownEpisode, What } from '../../plan/episode-history.ts'

const WHOLE = `model_id = {model:String} AND model_version = '' AND variant = '' AND slice_key = ''`
/** Alarms that one episode names. */
const MAX_NAMED = 100

/** Which episodes are asked for. */
export interface EpisodesQuestion {
  modelId: string
  /** One episode alone, or '' for all. */
  episodeId: string
  /** Episodes whose first window ends before this time, epoch milliseconds. */
  before: number
  /** Episodes that lasted beyond this time, epoch milliseconds; all unless given. */
  after?: number
  most: number
  /** What was known by this time, epoch milliseconds. */
  asOf: number
}

/** Verdicts of the model as a whole in their newest revision of then. */
const VERDICTS = `(SELECT window_start, window_end, family, metric, subject,
    argMax(tuple(v.verdict, v.episode_id), tuple(v.revision, v.computed_at, v.verdict_id)) AS newest, newest.1 AS verdict, newest.2 AS episode_id
  FROM verdicts AS v WHERE ${WHOLE} AND ${KNOWN} AND convention = 'plumbline'
    AND window_end >= {from:DateTime64(3, 'UTC')} AND window_end <= {to:DateTime64(3, 'UTC')}
  GROUP BY window_start, window_end, family, metric, subject, reference)`

/**
 * Alarms and warnings that were evaluated last, as `active_alarms` has them now; those that people
 * answered are left out by whoever asks.
 */
const ACTIVE_THEN = `SELECT DISTINCT newest.2 AS episode_id FROM (SELECT
    argMax(tuple(v.verdict, v.episode_id), tuple(v.window_end, v.window_start, v.revision, v.computed_at, v.verdict_id)) AS newest
  FROM verdicts AS v WHERE model_id = {model:String} AND ${KNOWN} AND convention = 'plumbline' AND v.verdict != 'incomplete'
  GROUP BY model_version, variant, slice_key, slice_value, family, metric, subject)
  WHERE newest.1 IN ('alarm', 'warning') AND newest.2 IN {ids:Array(String)}`
const ACTIVE_NOW = `SELECT DISTINCT episode_id FROM active_alarms WHERE model_id = {model:String} AND episode_id IN {ids:Array(String)}`

/** The newest episodes first. @throws what ClickHouse throws */
export async function readEpisodes(
  db: ClickHouse,
  { modelId, episodeId, before, after = 0, most, asOf }: EpisodesQuestion,
): Promise<KnownEpisode[]> {
  const spans = await db.query<Omit<EpisodeSpan, 'windows'> & { windows: string }>(
    `SELECT episode AS episode_id, min(start) AS window_start, min(end) AS first_end, max(end) AS until, count() AS windows,
       if(countIf(worst = 'alarm') > 0, 'alarm', 'warning') AS severity, min(computed) AS computed_at
     FROM (SELECT window_start AS start, window_end AS end, min(computed_at) AS computed,
         argMax(tuple(worst, episode_id), revision) AS newest, newest.1 AS worst, newest.2 AS episode
       FROM window_revisions WHERE ${WHOLE} AND ${KNOWN} GROUP BY start, end)
     WHERE episode != '' AND ({episode:String} = '' OR episode = {episode:String})
     GROUP BY episode HAVING first_end < {before:DateTime64(3, 'UTC')} AND until > {after:DateTime64(3, 'UTC')}
     ORDER BY first_end DESC LIMIT {most:UInt32}`,
    {
      model: modelId,
      episode: episodeId,
      before: sqlTime(before),
      after: sqlTime(after),
      most,
      ...knownBy(asOf),
    },
  )
  if (spans.length === 0) return []
  const ids = spans.map(({ episode_id: id }) => id)
  const params = { model: modelId, ids, ...knownBy(asOf) }
  const named = await db.query<{ episode_id: string; alarms: [string, string, string][] }>(
    `SELECT episode_id, arraySort(groupUniqArray(${MAX_NAMED})(tuple(family, metric, subject))) AS alarms
     FROM ${VERDICTS} WHERE verdict = 'alarm' AND episode_id IN {ids:Array(String)}
     GROUP BY episode_id`,
    {
      ...params,
      from: sqlTime(Date.parse(spans.at(-1)!.first_end)),
      to: sqlTime(spans.reduce((last, { until }) => Math.max(last, Date.parse(until)), 0)),
    },
  )
  const said = await db.query<{ episode_id: string; decision: 'accept' | 'dismiss' }>(
    `SELECT episode_id, argMax(decision, decided_at) AS decision FROM verdict_decisions
     WHERE model_id = {model:String} AND decision != 'snooze' AND decided_at <= {as_of:DateTime64(3, 'UTC')} AND episode_id IN {ids:Array(String)} GROUP BY episode_id`,
    params,
  )
  const active = await db.query<{ episode_id: string }>(
    asOf >= EVER ? ACTIVE_NOW : ACTIVE_THEN,
    params,
  )
  const whatOf = new Map(named.map((row) => [row.episode_id, row.alarms.map(whatOfRow)]))
  const decisionOf = new Map(said.map((row) => [row.episode_id, row.decision]))
  const isActive = new Set(active.map((row) => row.episode_id))
  return spans.map((span) => ({
    ...span,
    windows: Number(span.windows),
    alarms: whatOf.get(span.episode_id) ?? [],
    decision: decisionOf.get(span.episode_id),
    isActive: isActive.has(span.episode_id) && (asOf >= EVER || !decisionOf.has(span.episode_id)),
  }))
}

const whatOfRow = ([family, metric, subject]: [string, string, string]): What => ({
  family,
  metric,
  subject,
})

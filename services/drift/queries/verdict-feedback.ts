/** What people answered to verdicts: accepted windows, snoozes, refuted alarms. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Window } from '../../../lib/models/windows.ts'

/** How a model's alarms compare with what it is allowed. */
export interface AlarmRate {
  /** Episodes of alarms so far, and those that a person called normal or no problem. */
  episodes: number
  refuted: number
  weeks: number
  /** Refuted episodes a week; null in the first week. */
  refuted_per_week: number | null
  budget_per_week: number
}

const WEEK_MS = 7 * 86_400_000

/** Queries of verdict feedback, bound to one connection; each throws what ClickHouse throws. */
export function verdictFeedbackQueries(db: ClickHouse) {
  return {
    /** Windows that people called normal, per model. */
    accepted: async (): Promise<Map<string, Window[]>> => {
      const rows = await db.query<{ model: string; start: string; end: string }>(
        `SELECT DISTINCT model_id AS model, toUnixTimestamp64Milli(window_start) AS start, toUnixTimestamp64Milli(window_end) AS end
         FROM verdict_decisions WHERE decision = 'accept'`,
      )
      const windows = (own: typeof rows) =>
        own.map((row) => ({ start: Number(row.start), end: Number(row.end) }))
      return new Map(
        [...Map.groupBy(rows, (row) => row.model)].map(([model, own]) => [model, windows(own)]),
      )
    },

    /** Snoozes that have not ended at `now`, epoch milliseconds, each by its {@link snoozeKey}. */
    snoozed: async (now: number): Promise<Set<string>> => {
      const rows = await db.query<{ key: string }>(
        `SELECT DISTINCT concat(model_id, '\\n', family, '\\n', metric, '\\n', subject) AS key FROM verdict_decisions
         WHERE decision = 'snooze' AND toUnixTimestamp64Milli(until) > {now:Int64}`,
        { now },
      )
      return new Set(rows.map((row) => row.key))
    },

    /** Alarm episodes of a model so far; `budget` is how many may be refuted a week. */
    rate: async (modelId: string, budget: number): Promise<AlarmRate> => {
      const [row] = await db.query<{ episodes: string; refuted: string; span: string }>(
        `SELECT uniqExactIf(episode, worst = 'alarm') AS episodes,
           uniqExactIf(episode, worst = 'alarm' AND episode IN (SELECT episode_id FROM verdict_decisions WHERE model_id = {model:String} AND decision != 'snooze')) AS refuted,
           toUnixTimestamp64Milli(max(end)) - toUnixTimestamp64Milli(min(start)) AS span
         FROM (SELECT window_start AS start, window_end AS end, argMax(worst, revision) AS worst, argMax(episode_id, revision) AS episode
               FROM window_revisions WHERE model_id = {model:String} AND model_version = '' AND variant = '' AND slice_key = ''
               GROUP BY start, end)`,
        { model: modelId },
      )
      const weeks = Number(row?.span ?? 0) / WEEK_MS
      const refuted = Number(row?.refuted ?? 0)
      return {
        episodes: Number(row?.episodes ?? 0),
        refuted,
        weeks,
        refuted_per_week: weeks >= 1 ? refuted / weeks : null,
        budget_per_week: budget,
      }
    },
  }
}

/** Names what a snooze covers, in every cohort: model, family, metric and subject, one a line. */
export const snoozeKey = (
  modelId: string,
  { family, metric, subject }: { family: string; metric: string; subject: string },
) => [modelId, family, metric, subject].join('\n')

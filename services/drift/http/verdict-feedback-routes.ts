/** What people say of verdicts: this is normal, this is no problem, not now. */
import { randomUUID } from 'node:crypto'
import { actorOf } from '../../../lib/http/callers.ts'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { Http } from '../../../lib/http/server.ts'
import { requirePrintable } from '../../../lib/events/text-rules.ts'
import type { Window } from '../../../lib/models/windows.ts'

/** `accept`: the window joins the judging reference. `dismiss`: a false alarm. `snooze`: do not page before `until`. */
export type Decision = 'accept' | 'dismiss' | 'snooze'

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

export function decisionQueries(db: ClickHouse) {
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

    /** What is not to page before a time: model, family, metric and subject, each with a line between. */
    snoozed: async (now: number): Promise<Set<string>> => {
      const rows = await db.query<{ key: string }>(
        `SELECT DISTINCT concat(model_id, '\\n', family, '\\n', metric, '\\n', subject) AS key FROM verdict_decisions
         WHERE decision = 'snooze' AND toUnixTimestamp64Milli(until) > {now:Int64}`,
        { now },
      )
      return new Set(rows.map((row) => row.key))
    },

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

export const snoozeKey = (
  modelId: string,
  { family, metric, subject }: { family: string; metric: string; subject: string },
) => [modelId, family, metric, subject].join('\n')

interface DecisionBody {
  actor?: string
  comment?: string
  until?: string
}

const ACTOR = {
  type: 'string',
  minLength: 1,
  maxLength: 180,
  description: 'Who says so; the key says it where keys are set.',
}
const COMMENT = { type: 'string', maxLength: 2000 }
const SUMMARIES: Record<Decision, string> = {
  accept: 'This is normal: the window joins the judging reference',
  dismiss: 'Not a problem: counts as a false alarm',
  snooze: 'Not now: no page for this metric and subject until a time',
}

export function decisionRoutes(http: Http, db: ClickHouse, now: () => number): void {
  for (const decision of ['accept', 'dismiss', 'snooze'] as const) {
    const isSnooze = decision === 'snooze'
    http.post<{ Params: { id: string }; Body: DecisionBody }>(
      `/v1/verdicts/:id/${decision}`,
      {
        config: { scope: 'operate' },
        schema: {
          summary: SUMMARIES[decision],
          body: {
            type: 'object',
            required: isSnooze ? ['until'] : [],
            additionalProperties: false,
            properties: {
              actor: ACTOR,
              comment: COMMENT,
              ...(isSnooze && {
                until: {
                  type: 'string',
                  format: 'date-time',
                  description: 'RFC 3339, by the wall clock.',
                },
              }),
            },
          },
        },
      },
      async ({ params, body, caller }, reply) => {
        requirePrintable('id', params.id)
        requirePrintable('body', body)
        const actor = actorOf(caller, body.actor)
        const row = await decide(db, params.id, decision, { ...body, actor }, now())
        return reply.code(201).send(row)
      },
    )
  }
}

async function decide(
  db: ClickHouse,
  verdictId: string,
  decision: Decision,
  { actor, comment = '', until }: DecisionBody & { actor: string },
  now: number,
) {
  if (until !== undefined && !(Date.parse(until) > now))
    throw new Problem(
      400,
      'invalid_request',
      'until must be an RFC 3339 time that is still to come',
    )
  const [verdict] = await db.query<Record<string, string>>(
    `SELECT model_id, window_start, window_end, family, metric, subject, episode_id FROM verdicts WHERE verdict_id = {id:String} LIMIT 1`,
    { id: verdictId },
  )
  if (!verdict) throw new Problem(404, 'unknown_verdict', `there is no verdict ${verdictId}`)
  const row = {
    decision_id: randomUUID(),
    verdict_id: verdictId,
    ...verdict,
    decision,
    actor,
    comment,
    until: new Date(until ?? 0).toISOString(),
    decided_at: new Date(now).toISOString(),
  }
  await db.insertRows('verdict_decisions', [row], `decision\u0001${row.decision_id}`)
  return row
}

/** What people say of verdicts: this is normal, this is no problem, not now. */
import { randomUUID } from 'node:crypto'
import { actorOf } from '../../../lib/http/callers.ts'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { Http } from '../../../lib/http/server.ts'
import { requirePrintable } from '../../../lib/events/text-rules.ts'

/** `accept`: the window joins the baseline. `dismiss`: a false alarm. `snooze`: do not page before `until`. */
export type Decision = 'accept' | 'dismiss' | 'snooze'

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
  accept: 'This is normal: the window joins the baseline',
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

/** What people say of verdicts: this is normal, this is no problem, not now. */
import { randomUUID } from 'node:crypto'
import type { Static } from 'typebox'
import { actorOf } from '../../../lib/http/callers.ts'
import type { Reach } from '../../../lib/http/model-access.ts'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { Http } from '../../../lib/http/server.ts'
import { FeedbackAnswer, FeedbackBody, SnoozeBody } from '../../../schemas/http/drift.ts'
import { answersToBody } from '../../../schemas/http/errors.ts'
import { VerdictPath } from '../../../schemas/http/parts.ts'
import { requirePrintable } from '../../../lib/events/text-rules.ts'
import { endOfSnooze } from './asked-times.ts'

/**
 * `accept`: the window joins the baseline. `dismiss`: a false alarm. `snooze`: do not page before
 * `until`.
 */
export type Decision = 'accept' | 'dismiss' | 'snooze'

const SUMMARIES: Record<Decision, string> = {
  accept: 'This is normal: the window joins the baseline',
  dismiss: 'Not a problem: counts as a false alarm',
  snooze: 'Not now: no page for this metric and subject until a time',
}

/** Registers `POST /v1/verdicts/{id}/accept`, `/dismiss` and `/snooze`. */
export function decisionRoutes(http: Http, db: ClickHouse, now: () => number): void {
  for (const decision of ['accept', 'dismiss', 'snooze'] as const) {
    http.post(
      `/v1/verdicts/:id/${decision}`,
      {
        config: { scope: 'operate', isByModel: true },
        schema: {
          summary: SUMMARIES[decision],
          tags: ['verdicts'],
          params: VerdictPath,
          body: decision === 'snooze' ? SnoozeBody : FeedbackBody,
          response: answersToBody({ 201: FeedbackAnswer }, 404),
        },
      },
      async ({ params, body, caller, reach }, reply) => {
        requirePrintable('body', body)
        const actor = actorOf(caller, body.actor)
        const said = { ...body, actor, reach: reach('operate') }
        const row = await decide(db, params.id, decision, said, now())
        void reply.code(201)
        return row
      },
    )
  }
}

type Feedback = Static<typeof FeedbackBody> & { until?: string }
type JudgedVerdict = Omit<
  FeedbackAnswer,
  'decision_id' | 'verdict_id' | 'decision' | 'actor' | 'comment' | 'until' | 'decided_at'
>

async function decide(
  db: ClickHouse,
  verdictId: string,
  decision: Decision,
  { actor, comment = '', until, reach }: Feedback & { actor: string; reach: Reach },
  now: number,
): Promise<FeedbackAnswer> {
  const end = endOfSnooze(until, now)
  const [verdict] = await db.query<JudgedVerdict>(
    `SELECT model_id, window_start, window_end, family, metric, subject, episode_id FROM verdicts WHERE verdict_id = {id:String} LIMIT 1`,
    { id: verdictId },
  )
  if (!verdict) throw new Problem(404, 'unknown_verdict', `there is no verdict ${verdictId}`)
  reach.require(verdict.model_id)
  const row = {
    decision_id: randomUUID(),
    verdict_id: verdictId,
    ...verdict,
    decision,
    actor,
    comment,
    until: end,
    decided_at: new Date(now).toISOString(),
  }
  await db.insertRows('verdict_decisions', [row], `decision\u0001${row.decision_id}`)
  return row
}

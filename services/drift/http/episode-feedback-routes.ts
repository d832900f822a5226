/** What people say of a whole alert episode: this is normal, this is no problem, not now. */
import { randomUUID } from 'node:crypto'
import { actorOf } from '../../../lib/http/callers.ts'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { requirePrintable } from '../../../lib/events/text-rules.ts'
import type { Http } from '../../../lib/http/server.ts'
import {
  EpisodeFeedbackAnswer,
  EpisodeFeedbackBody,
  EpisodePath,
  EpisodeSnoozeBody,
} from '../../../schemas/http/episodes.ts'
import { answersToBody } from '../../../schemas/http/errors.ts'
import { answeredVerdicts } from '../queries/episodes/answered-verdicts.ts'
import { endOfSnooze } from './asked-times.ts'
import { foundEpisode } from './episode-routes.ts'
import type { Decision } from './verdict-feedback-routes.ts'

const SUMMARIES: Record<Decision, string> = {
  accept: 'This is normal: every window of the episode joins the baseline',
  dismiss: 'Not a problem: the episode counts as a false alarm',
  snooze: 'Not now: no page for anything that alarms in the episode until a time',
}

/** Registers `POST /v1/models/{id}/episodes/{episode}/accept`, `/dismiss` and `/snooze`. */
export function episodeFeedbackRoutes(http: Http, db: ClickHouse, now: () => number): void {
  for (const decision of ['accept', 'dismiss', 'snooze'] as const)
    http.post(
      `/v1/models/:id/episodes/:episode/${decision}`,
      {
        config: { scope: 'operate' },
        schema: {
          summary: SUMMARIES[decision],
          tags: ['verdicts'],
          params: EpisodePath,
          body: decision === 'snooze' ? EpisodeSnoozeBody : EpisodeFeedbackBody,
          response: answersToBody({ 201: EpisodeFeedbackAnswer }, 404),
        },
      },
      async ({ params, body, caller }, reply) => {
        requirePrintable('body', body)
        const actor = actorOf(caller, body.actor)
        const said = { ...body, actor, decision, at: now() }
        const answer = await answerEpisode(db, params, said)
        void reply.code(201)
        return answer
      },
    )
}

/** What is said, by whom and when; `until` of a snooze. */
interface Said {
  decision: Decision
  actor: string
  comment: string
  until?: string
  /** Epoch milliseconds. */
  at: number
}

/** One insert for all verdicts of the episode, so that it is answered as a whole or not at all. */
async function answerEpisode(
  db: ClickHouse,
  path: { id: string; episode: string },
  { decision, actor, comment, until, at }: Said,
): Promise<EpisodeFeedbackAnswer> {
  const end = endOfSnooze(until, at)
  const { known, question } = await foundEpisode(db, path)
  const verdicts = await answeredVerdicts(db, question, decision === 'snooze')
  const same = {
    model_id: path.id,
    episode_id: known.episode_id,
    decision,
    actor,
    comment,
    decided_at: new Date(at).toISOString(),
  }
  const token = randomUUID()
  const rows = verdicts.map((verdict) => ({
    ...same,
    ...verdict,
    decision_id: randomUUID(),
    until: end,
  }))
  if (rows.length > 0) await db.insertRows('verdict_decisions', rows, `decision\u0001${token}`)
  return { ...same, verdicts: rows.length }
}

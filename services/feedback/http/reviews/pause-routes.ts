/** The routes by which operators pause the queue of a model and let it go on. */
import { requirePrintable } from '../../../../lib/events/text-rules.ts'
import { actorOf } from '../../../../lib/http/callers.ts'
import type { Http } from '../../../../lib/http/server.ts'
import { answersToBody } from '../../../../schemas/http/errors.ts'
import { ModelPath } from '../../../../schemas/http/parts.ts'
import { PauseAnswer, PauseBody } from '../../../../schemas/http/reviews/pauses.ts'
import { pauseQueue, resumeQueue } from '../../queries/review-pauses.ts'
import type { ReviewStore } from '../../queries/review-tasks.ts'

const config = { scope: 'operate' as const, isPersonal: true }
const schemaOf = (summary: string) => ({
  summary,
  tags: ['reviews'],
  params: ModelPath,
  body: PauseBody,
  response: answersToBody({ 200: PauseAnswer }, 409),
})

/** Registers the routes of pauses. */
export function pauseRoutes(http: Http, { reviews }: { reviews: ReviewStore }): void {
  http.post(
    '/v1/models/:id/review/pause',
    { config, schema: schemaOf('Pauses the review queue of a model: nothing new is claimed') },
    async ({ params, body, caller }) => {
      requirePrintable('reason', body.reason)
      const act = { modelId: params.id, actor: actorOf(caller, body.actor), reason: body.reason }
      return { model_id: params.id, paused: await pauseQueue(reviews, act) }
    },
  )
  http.post(
    '/v1/models/:id/review/resume',
    { config, schema: schemaOf('Lets the review queue of a model go on') },
    async ({ params, body, caller }) => {
      requirePrintable('reason', body.reason)
      const act = { modelId: params.id, actor: actorOf(caller, body.actor), reason: body.reason }
      await resumeQueue(reviews, act)
      return { model_id: params.id, paused: null }
    },
  )
}

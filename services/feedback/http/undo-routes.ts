/** The route by which reviewers take back what they said last. */
import type { Http } from '../../../lib/http/server.ts'
import { answersToBody } from '../../../schemas/http/errors.ts'
import { UndoAnswer, UndoBody } from '../../../schemas/http/feedback.ts'
import { TaskPath } from '../../../schemas/http/parts.ts'
import { undoAnswer } from '../queries/review-undo.ts'
import { checkTexts, requireTask, reviewerOf, type ReviewRoutesOptions } from './review-routes.ts'

/** Registers the route by which people undo their last answer. */
export function undoRoutes(http: Http, { reviews }: Pick<ReviewRoutesOptions, 'reviews'>): void {
  http.post(
    '/v1/reviews/:task_id/undo',
    {
      config: { scope: 'review', isByModel: true, isPersonal: true },
      schema: {
        summary: 'Takes the last answer back, and claims its task again',
        tags: ['reviews'],
        params: TaskPath,
        body: UndoBody,
        response: answersToBody({ 200: UndoAnswer }, 409),
      },
    },
    async ({ params, body, caller, reach }) => {
      checkTexts({ ...params, ...body })
      await requireTask(reviews, params.task_id, reach)
      return undoAnswer(reviews, { taskId: params.task_id, reviewer: reviewerOf(caller, body) })
    },
  )
}

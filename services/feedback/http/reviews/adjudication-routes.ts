/** The routes by which a person decides where reviewers disagree. */
import type { Caller } from '../../../../lib/http/api-keys.ts'
import type { Http } from '../../../../lib/http/server.ts'
import type { Model } from '../../../../lib/models/model-files.ts'
import { Problem } from '../../../../lib/runtime/errors.ts'
import { answersToBody } from '../../../../schemas/http/errors.ts'
import { NoTask } from '../../../../schemas/http/feedback.ts'
import { TaskPath } from '../../../../schemas/http/parts.ts'
import {
  AdjudicateAnswer,
  AdjudicateBody,
  DecideAnswer,
  DecideBody,
} from '../../../../schemas/http/reviews/adjudication.ts'
import { answerOf } from '../../data/answer-values.ts'
import { mayAdjudicate } from '../../data/assignment.ts'
import { claimDispute, decideDispute } from '../../queries/adjudications.ts'
import { closeGone } from '../../queries/review-leases.ts'
import { reviewedPrediction } from '../../queries/reviewed-prediction.ts'
import {
  checkTexts,
  heldLease,
  keptComment,
  MAX_GONE,
  modelAnswer,
  requireTask,
  reviewerOf,
  withHidden,
  type ReviewRoutesOptions,
} from '../review-routes.ts'

const config = { scope: 'review' as const, isByModel: true, isPersonal: true }
const tags = ['reviews']

/** Registers the routes of adjudicators. */
export function adjudicationRoutes(http: Http, options: ReviewRoutesOptions): void {
  claimRoute(http, options)
  decideRoute(http, options)
}

/** @throws {Problem} 409 where the model file does not name the caller as an adjudicator */
function requireAdjudicator(model: Model, reviewer: string, caller: Caller | undefined): void {
  if (mayAdjudicate(model.review.adjudicate, reviewer, caller)) return
  throw new Problem(
    409,
    'no_adjudicator',
    `review.adjudicate of ${model.modelId} does not name you`,
  )
}

function claimRoute(http: Http, options: ReviewRoutesOptions): void {
  const { reviews, db, modelOf, declared } = options
  http.post(
    '/v1/reviews/adjudicate',
    {
      config,
      schema: {
        summary: 'A task whose reviewers disagree, with their votes; 204 when there is none',
        tags,
        body: AdjudicateBody,
        response: answersToBody({ 200: AdjudicateAnswer, 204: NoTask }),
      },
    },
    async ({ body, caller, reach }, reply) => {
      checkTexts(body)
      const { has, require } = reach('review')
      const adjudicator = reviewerOf(caller, body)
      if (body.model_id !== undefined) require(body.model_id)
      const models = declared()
        .filter(({ modelId, review }) => {
          const isAsked = body.model_id === undefined || body.model_id === modelId
          return isAsked && has(modelId) && mayAdjudicate(review.adjudicate, adjudicator, caller)
        })
        .map(({ modelId }) => modelId)
      for (let tries = 0; tries < MAX_GONE; tries++) {
        const task = await claimDispute(reviews, { adjudicator, models })
        if (!task) break
        const { model_id: modelId, prediction_id: predictionId } = task
        const event = await reviewedPrediction(db, { modelId, predictionId })
        if (event) return { ...withHidden({ ...task, event }, modelOf(modelId)), votes: task.votes }
        await closeGone(reviews, task.task_id)
      }
      void reply.code(204)
      return null
    },
  )
}

function decideRoute(http: Http, { reviews, db, privacy, modelOf }: ReviewRoutesOptions): void {
  http.post(
    '/v1/reviews/:task_id/decide',
    {
      config,
      schema: {
        summary: 'Decides a task whose reviewers disagree',
        tags,
        params: TaskPath,
        body: DecideBody,
        response: answersToBody({ 200: DecideAnswer }, 409),
      },
    },
    async ({ params, body, caller, reach }) => {
      checkTexts({ ...params, ...body })
      const modelId = await requireTask(reviews, params.task_id, reach)
      const held = heldLease(params.task_id, caller, body)
      if (modelId !== undefined) requireAdjudicator(modelOf(modelId), held.reviewer, caller)
      const label = modelId === undefined ? body.label : answerOf(body.label, modelOf(modelId))
      const comment = keptComment(privacy, modelId, body.comment)
      const task = await decideDispute(reviews, { ...held, label, comment })
      return { task_id: task.task_id, state: task.state, ...(await modelAnswer(db, task)) }
    },
  )
}

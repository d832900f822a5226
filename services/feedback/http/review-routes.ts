/** The routes of human review. */
import type { Caller } from '../../../lib/http/api-keys.ts'
import { actorOf } from '../../../lib/http/callers.ts'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Privacy } from '../../../lib/events/privacy/redactor.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import type { FastifyRequest, Http } from '../../../lib/http/server.ts'
import { requirePrintable } from '../../../lib/events/text-rules.ts'
import { answersToBody } from '../../../schemas/http/errors.ts'
import {
  ClaimAnswer,
  ClaimBody,
  LeaseBody,
  NoTask,
  RenewAnswer,
  RenewBody,
  SkipBody,
  SubmitAnswer,
  SubmitBody,
  TaskAnswer,
  type ReviewedPrediction,
} from '../../../schemas/http/feedback.ts'
import { TaskPath } from '../../../schemas/http/parts.ts'
import { answerOf } from '../data/answer-values.ts'
import { isAssigned } from '../data/assignment.ts'
import { answerTask, skipTask, type AnsweredTask } from '../queries/review-answers.ts'
import {
  claimTask,
  closeGone,
  releaseTask,
  renewLease,
  type ClaimedTask,
  type HeldLease,
} from '../queries/review-leases.ts'
import { modelOfTask, type ReviewStore } from '../queries/review-tasks.ts'
import { reviewedPrediction } from '../queries/reviewed-prediction.ts'
import { statsRoute } from './reviews/stats-route.ts'

const config = { scope: 'review' as const, isByModel: true }
const tags = ['reviews']

/**
 * Who reviews: the caller where keys are set, else whom the body names.
 *
 * @throws {Problem} 400 where neither says it
 */
export const reviewerOf = (caller: Caller | undefined, body: Pick<LeaseBody, 'reviewer'>) =>
  actorOf(caller, body.reviewer, 'reviewer')

/** What the routes of review ask. */
export interface ReviewRoutesOptions {
  privacy: Privacy
  reviews: ReviewStore
  db: ClickHouse
  modelOf: (modelId: string) => Model
  /** Models that have a file. */
  declared: () => readonly Model[]
}

/** Registers the routes by which people claim tasks and answer them. */
export function reviewRoutes(http: Http, options: ReviewRoutesOptions): void {
  claimRoute(http, options)
  submitRoute(http, options)
  skipRoute(http, options)
  renewRoute(http, options)
  releaseRoute(http, options)
  statsRoute(http, options)
}

function claimRoute(http: Http, { reviews, db, modelOf, declared }: ReviewRoutesOptions): void {
  http.post(
    '/v1/reviews/claim',
    {
      config: { ...config, isPersonal: true },
      schema: {
        summary: 'A task under a lease; 204 when there is none',
        tags,
        body: ClaimBody,
        response: answersToBody({ 200: ClaimAnswer, 204: NoTask }),
      },
    },
    async (request, reply) => {
      checkTexts(request.body)
      const { ids, require } = request.reach('review')
      const { model_id: id } = request.body
      if (id !== undefined) require(id)
      const reviewer = reviewerOf(request.caller, request.body)
      const found = await claimStored(reviews, db, {
        reviewer,
        models: id === undefined ? ids : [id],
        except: declared().flatMap(({ modelId, review }) =>
          isAssigned(review.assign, reviewer, request.caller) ? [] : [modelId],
        ),
      })
      if (found) return withHidden(found, modelOf(found.model_id))
      void reply.code(204)
      return null
    },
  )
}

function submitRoute(http: Http, { reviews, db, privacy, modelOf }: ReviewRoutesOptions): void {
  http.post(
    '/v1/reviews/:task_id/submit',
    {
      config: { ...config, isPersonal: true },
      schema: {
        summary: 'Answers a claimed task',
        tags,
        params: TaskPath,
        body: SubmitBody,
        response: answersToBody({ 200: SubmitAnswer }, 409),
      },
    },
    async ({ params, body, caller, reach }) => {
      checkTexts({ ...params, ...body })
      const modelId = await requireTask(reviews, params.task_id, reach)
      const label = modelId === undefined ? body.label : answerOf(body.label, modelOf(modelId))
      const held = heldLease(params.task_id, caller, body)
      const comment = keptComment(privacy, modelId, body.comment)
      const isNumber = modelId !== undefined && modelOf(modelId).labels.values === 'number'
      const task = await answerTask(reviews, { ...held, label, comment, isNumber })
      return { task_id: task.task_id, state: task.state, ...(await modelAnswer(db, task)) }
    },
  )
}

/** What the model answered; the reviewer's answer stands also where it cannot be read. */
export async function modelAnswer(db: ClickHouse, task: AnsweredTask) {
  const asked = { modelId: task.model_id, predictionId: task.prediction_id }
  const found = await reviewedPrediction(db, asked).catch(() => undefined)
  return { prediction: found?.prediction ?? null, score: found?.score ?? null }
}

function skipRoute(http: Http, { reviews, privacy }: ReviewRoutesOptions): void {
  http.post(
    '/v1/reviews/:task_id/skip',
    {
      config: { ...config, isPersonal: true },
      schema: {
        summary: 'Says that the reviewer cannot tell, or that nobody can',
        tags,
        params: TaskPath,
        body: SkipBody,
        response: answersToBody({ 200: TaskAnswer }, 409),
      },
    },
    async ({ params, body, caller, reach }) => {
      checkTexts({ ...params, ...body })
      const held = heldLease(params.task_id, caller, body)
      const modelId = await requireTask(reviews, params.task_id, reach)
      const comment = keptComment(privacy, modelId, body.comment)
      return skipTask(reviews, { ...held, reason: body.reason, comment })
    },
  )
}

function releaseRoute(http: Http, { reviews }: ReviewRoutesOptions): void {
  http.post(
    '/v1/reviews/:task_id/release',
    {
      config,
      schema: {
        summary: 'Gives a claimed task back',
        tags,
        params: TaskPath,
        body: LeaseBody,
        response: answersToBody({ 200: TaskAnswer }, 409),
      },
    },
    async ({ params, body, caller, reach }) => {
      checkTexts({ ...params, ...body })
      await requireTask(reviews, params.task_id, reach)
      return releaseTask(reviews, heldLease(params.task_id, caller, body))
    },
  )
}

function renewRoute(http: Http, { reviews }: ReviewRoutesOptions): void {
  http.post(
    '/v1/reviews/:task_id/renew',
    {
      config: { ...config, isPersonal: true },
      schema: {
        summary: 'Keeps a claimed task for longer',
        tags,
        params: TaskPath,
        body: RenewBody,
        response: answersToBody({ 200: RenewAnswer }, 409),
      },
    },
    async ({ params, body, caller, reach }) => {
      checkTexts({ ...params, ...body })
      await requireTask(reviews, params.task_id, reach)
      return renewLease(reviews, heldLease(params.task_id, caller, body))
    },
  )
}

/** Tasks of predictions that are stored no more that one claim takes off the queue. */
export const MAX_GONE = 100

/** A task with its prediction; tasks of predictions that were erased leave the queue. */
async function claimStored(
  reviews: ReviewStore,
  db: ClickHouse,
  claim: Parameters<typeof claimTask>[1],
) {
  for (let tries = 0; tries < MAX_GONE; tries++) {
    const task = await claimTask(reviews, claim)
    if (!task) return undefined
    const { model_id: modelId, prediction_id: predictionId } = task
    const event = await reviewedPrediction(db, { modelId, predictionId })
    if (event) return { ...task, event }
    await closeGone(reviews, task.task_id)
  }
  return undefined
}

/**
 * A task as a reviewer sees it: what the model answered is hidden where the answer is another class
 * or number, which it would sway; of a text it is what is judged.
 */
export function withHidden(
  { event, ...task }: ClaimedTask & { event: ReviewedPrediction },
  model: Model,
) {
  const { classes, answer } = answerKind(model)
  const hidden = answer === 'text' ? {} : { prediction: null, score: null }
  // Field by field: neither a field nor the order of them says what lies behind a task.
  return {
    task_id: task.task_id,
    lease_id: task.lease_id,
    lease_expires_at: task.lease_expires_at,
    model_id: task.model_id,
    prediction_id: task.prediction_id,
    classes,
    answer,
    event: { ...event, ...hidden },
  }
}

/** What a reviewer may answer. */
function answerKind({ classes, labels }: Model) {
  if (labels.values === 'number') return { classes: [], answer: 'number' as const }
  const answer = classes.length > 0 ? ('class' as const) : ('text' as const)
  return { classes: [...classes], answer }
}

/**
 * The model of a task that the caller may review; undefined where there is no such task.
 *
 * @throws {Problem} 403 `foreign_model`
 */
export async function requireTask(
  { db }: ReviewStore,
  taskId: string,
  reach: FastifyRequest['reach'],
): Promise<string | undefined> {
  const modelId = await modelOfTask(db, taskId)
  if (modelId !== undefined) reach('review').require(modelId)
  return modelId
}

/** The lease that the caller says to hold. */
export const heldLease = (
  taskId: string,
  caller: Caller | undefined,
  body: Pick<LeaseBody, 'reviewer' | 'lease_id'>,
): HeldLease => ({
  taskId,
  reviewer: reviewerOf(caller, body),
  leaseId: body.lease_id,
})

/** A comment as the rules of the model leave it. */
export const keptComment = (
  privacy: Privacy,
  modelId: string | undefined,
  comment: string,
): string => (modelId === undefined ? comment : (privacy.of(modelId)?.text(comment) ?? comment))

/** @throws {Problem} 400 that names the field of a text that not every store can hold */
export function checkTexts(fields: object): void {
  for (const [name, value] of Object.entries(fields)) requirePrintable(name, value)
}

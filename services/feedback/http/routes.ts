import type { Caller } from '../../../lib/http/api-keys.ts'
import { actorOf } from '../../../lib/http/callers.ts'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { eventGateway } from '../../../lib/http/event-endpoint.ts'
import type { EventLog } from '../../../lib/event-log/port.ts'
import type { Privacy } from '../../../lib/events/privacy/redactor.ts'
import type { FastifyRequest, Http } from '../../../lib/http/server.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { Metrics } from '../../../lib/runtime/metrics.ts'
import { requirePrintable } from '../../../lib/events/text-rules.ts'
import { attributesKey, AttributesV1 } from '../../../schemas/events/attributes.v1.ts'
import { labelKey, LabelV1 } from '../../../schemas/events/label.v1.ts'
import { answers, answersToBody } from '../../../schemas/http/errors.ts'
import {
  ClaimAnswer,
  ClaimBody,
  LeaseBody,
  NoTask,
  ReviewStatsAnswer,
  SubmitBody,
  TaskAnswer,
} from '../../../schemas/http/feedback.ts'
import { TaskPath } from '../../../schemas/http/parts.ts'
import { TOPICS } from '../../../schemas/topics.ts'
import type { ReviewLabel } from '../data/review-label.ts'
import { answerTask } from '../queries/review-answers.ts'
import { claimTask, releaseTask, type HeldLease } from '../queries/review-leases.ts'
import { modelOfTask, reviewStats, type ReviewStore } from '../queries/review-tasks.ts'
import { reviewedPrediction } from '../queries/reviewed-prediction.ts'

const config = { scope: 'review' as const, isByModel: true }
const tags = ['reviews']

const reviewerOf = (caller: Caller | undefined, body: Pick<LeaseBody, 'reviewer'>) =>
  actorOf(caller, body.reviewer, 'reviewer')

/** What the routes ask and append to. */
export interface FeedbackRoutesOptions {
  eventLog: EventLog
  metrics: Metrics
  privacy: Privacy
  reviews: ReviewStore
  db: ClickHouse
  /** Classes a reviewer may choose from, by model. */
  classesOf: (modelId: string) => readonly string[]
}

/** Registers the endpoints of labels and attributes, and the routes of human review. */
export function feedbackRoutes(http: Http, options: FeedbackRoutesOptions): void {
  labelEvents(http, options)
  attributeEvents(http, options)
  claimRoute(http, options)
  submitRoute(http, options)
  skipRoute(http, options)
  releaseRoute(http, options)
  statsRoute(http, options)
}

function labelEvents(http: Http, { eventLog, metrics, privacy }: FeedbackRoutesOptions): void {
  eventGateway(http, {
    service: 'feedback',
    eventLog,
    metrics,
    privacy,
    path: '/v1/labels',
    schema: LabelV1,
    topic: TOPICS.labels.topic,
    keyOf: labelKey,
    idField: 'label_id',
  })
}

function attributeEvents(http: Http, { eventLog, metrics, privacy }: FeedbackRoutesOptions): void {
  eventGateway(http, {
    service: 'feedback',
    eventLog,
    metrics,
    privacy,
    path: '/v1/attributes',
    schema: AttributesV1,
    topic: TOPICS.attributes.topic,
    keyOf: attributesKey,
    idField: 'subject_id',
  })
}

function claimRoute(http: Http, { reviews, db, classesOf }: FeedbackRoutesOptions): void {
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
      const task = await claimTask(reviews, {
        reviewer: reviewerOf(request.caller, request.body),
        models: id === undefined ? ids : [id],
      })
      if (!task) {
        void reply.code(204)
        return null
      }
      const event = await reviewedPrediction(db, {
        modelId: task.model_id,
        predictionId: task.prediction_id,
      })
      return { ...task, classes: [...classesOf(task.model_id)], event: event ?? null }
    },
  )
}

function submitRoute(http: Http, { reviews, privacy, classesOf }: FeedbackRoutesOptions): void {
  http.post(
    '/v1/reviews/:task_id/submit',
    {
      config: { ...config, isPersonal: true },
      schema: {
        summary: 'Answers a claimed task',
        tags,
        params: TaskPath,
        body: SubmitBody,
        response: answersToBody({ 200: TaskAnswer }, 409),
      },
    },
    async ({ params, body, caller, reach }) => {
      checkTexts({ ...params, ...body })
      const modelId = await requireTask(reviews, params.task_id, reach)
      if (modelId !== undefined) checkClass(body.label, classesOf(modelId))
      const held = heldLease(params.task_id, caller, body)
      const comment = keptComment(privacy, modelId, body.comment)
      return answerTask(reviews, { ...held, label: body.label, comment })
    },
  )
}

function skipRoute(http: Http, { reviews, privacy }: FeedbackRoutesOptions): void {
  http.post(
    '/v1/reviews/:task_id/skip',
    {
      config: { ...config, isPersonal: true },
      schema: {
        summary: 'Says that the reviewer cannot tell',
        tags,
        params: TaskPath,
        body: LeaseBody,
        response: answersToBody({ 200: TaskAnswer }, 409),
      },
    },
    async ({ params, body, caller, reach }) => {
      checkTexts({ ...params, ...body })
      const held = heldLease(params.task_id, caller, body)
      const modelId = await requireTask(reviews, params.task_id, reach)
      const comment = keptComment(privacy, modelId, body.comment)
      return answerTask(reviews, { ...held, label: null, comment })
    },
  )
}

function releaseRoute(http: Http, { reviews }: FeedbackRoutesOptions): void {
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

function statsRoute(http: Http, { reviews }: FeedbackRoutesOptions): void {
  http.get(
    '/v1/reviews/stats',
    {
      config,
      schema: {
        summary: 'Open, leased and answered tasks by model',
        tags,
        response: answers({ 200: ReviewStatsAnswer }),
      },
    },
    async ({ reach }) => {
      const { has } = reach('review')
      return { models: (await reviewStats(reviews)).filter(({ model_id: id }) => has(id)) }
    },
  )
}

/**
 * The model of a task that the caller may review; undefined where there is no such task.
 *
 * @throws {Problem} 403 `foreign_model`
 */
async function requireTask(
  { db }: ReviewStore,
  taskId: string,
  reach: FastifyRequest['reach'],
): Promise<string | undefined> {
  const modelId = await modelOfTask(db, taskId)
  if (modelId !== undefined) reach('review').require(modelId)
  return modelId
}

const heldLease = (taskId: string, caller: Caller | undefined, body: LeaseBody): HeldLease => ({
  taskId,
  reviewer: reviewerOf(caller, body),
  leaseId: body.lease_id,
})

/** A comment as the rules of the model leave it. */
const keptComment = (privacy: Privacy, modelId: string | undefined, comment: string): string =>
  modelId === undefined ? comment : (privacy.of(modelId)?.text(comment) ?? comment)

/** @throws {Problem} 400 that names the field of a text that not every store can hold */
function checkTexts(fields: object): void {
  for (const [name, value] of Object.entries(fields)) requirePrintable(name, value)
}

/**
 * @throws {Problem} 400 where a model has classes and the label is none of them, or where it is no
 * finite number
 */
function checkClass(label: ReviewLabel, classes: readonly string[]): void {
  if (typeof label === 'number' && !Number.isFinite(label))
    throw new Problem(400, 'invalid_request', 'label must be a finite number')
  if (classes.length > 0 && !classes.includes(String(label)))
    throw new Problem(
      400,
      'invalid_request',
      `label must be one of the model's classes: ${classes.slice(0, 20).join(', ')}${classes.length > 20 ? ', …' : ''}`,
    )
}

/** The routes by which operators declare known answers. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import { requirePrintable } from '../../../../lib/events/text-rules.ts'
import { actorOf } from '../../../../lib/http/callers.ts'
import type { Http } from '../../../../lib/http/server.ts'
import type { Model } from '../../../../lib/models/model-files.ts'
import { Problem } from '../../../../lib/runtime/errors.ts'
import { answers, answersToBody } from '../../../../schemas/http/errors.ts'
import { ModelPath } from '../../../../schemas/http/parts.ts'
import { GoldAnswer, GoldBody, GoldList, GoldQuery } from '../../../../schemas/http/reviews/gold.ts'
import {
  declareGold,
  goldInUse,
  listGold,
  MAX_GOLD,
  storedPredictions,
  type KnownAnswer,
} from '../../queries/gold/known-answers.ts'
import { rulesOf, type ReviewStore } from '../../queries/review-tasks.ts'
import { answerOf } from '../../data/answer-values.ts'

/** What the routes ask. */
export interface GoldRoutesOptions {
  reviews: ReviewStore
  db: ClickHouse
  modelOf: (modelId: string) => Model
}

const config = { scope: 'operate' as const }
const tags = ['reviews']

/** Registers the routes of known answers; whoever may only review cannot read them. */
export function goldRoutes(http: Http, options: GoldRoutesOptions): void {
  declareRoute(http, options)
  listRoute(http, options)
}

function declareRoute(http: Http, { reviews, db, modelOf }: GoldRoutesOptions): void {
  http.post(
    '/v1/models/:id/gold',
    {
      config: { ...config, isPersonal: true },
      schema: {
        summary: 'Declares known answers, which hide among the tasks of reviewers',
        tags,
        params: ModelPath,
        body: GoldBody,
        response: answersToBody({ 200: GoldAnswer }),
      },
    },
    async ({ params, body, caller }) => {
      requirePrintable('known', body.known)
      const actor = actorOf(caller, body.actor)
      const model = modelOf(params.id)
      requireComparable(model)
      const ids = body.known.map(({ prediction_id: id }) => id)
      const stored = await storedPredictions(db, params.id, ids)
      const { known, refused } = readKnown(body, model, stored)
      const { beyond, ...counts } = await declareGold(reviews.db, params.id, known, {
        actor,
        now: reviews.now(),
      })
      return {
        model_id: params.id,
        ...counts,
        refused: [
          ...refused,
          ...beyond.map((id) => ({
            prediction_id: id,
            reason: `${MAX_GOLD} known answers are in use: take others out first`,
          })),
        ],
        in_use: await goldInUse(reviews.db, params.id),
      }
    },
  )
}

/** @throws {Problem} 400 where an answer in words cannot be held against a known one */
function requireComparable({ modelId, classes, labels }: Model): void {
  if (labels.values === 'number' || classes.length > 0) return
  throw new Problem(
    400,
    'invalid_request',
    `answers about ${modelId} are free texts: known answers are classes or numbers`,
  )
}

/** Each known answer in the spelling of its model, or why it is none; of one prediction the last. */
function readKnown({ known }: GoldBody, model: Model, stored: ReadonlySet<string>) {
  const read = new Map<string, KnownAnswer>()
  const refused: GoldAnswer['refused'] = []
  for (const { prediction_id: predictionId, label, tolerance = 0 } of known) {
    try {
      if (label !== null && !stored.has(predictionId))
        throw new Problem(400, 'invalid_request', 'the prediction is not stored')
      read.set(predictionId, { predictionId, label: knownOf(label, model), tolerance })
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      refused.push({ prediction_id: predictionId, reason: error.message })
    }
  }
  return { known: [...read.values()], refused }
}

/** A label in the spelling of its model, of one that predicts numbers a number; null stays. */
function knownOf(label: GoldBody['known'][number]['label'], model: Model) {
  if (label === null) return null
  const read = answerOf(label, model)
  return model.labels.values === 'number' ? Number(read) : read
}

function listRoute(http: Http, { reviews }: GoldRoutesOptions): void {
  http.get(
    '/v1/models/:id/gold',
    {
      config,
      schema: {
        summary: 'Known answers in use, and how reviewers answered them',
        tags,
        params: ModelPath,
        querystring: GoldQuery,
        response: answers({ 200: GoldList }),
      },
    },
    async ({ params, query }) => ({
      model_id: params.id,
      share: rulesOf(reviews, params.id).goldShare,
      ...(await listGold(reviews.db, params.id, query.limit)),
    }),
  )
}

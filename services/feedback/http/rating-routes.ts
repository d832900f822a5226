/** Ratings of predictions by pages of other origins, each with the token of its prediction. */
import { randomUUID } from 'node:crypto'
import type { FastifyRequest } from '../../../lib/http/server.ts'
import { createValidator } from '../../../lib/events/validator.ts'
import { requirePrintable } from '../../../lib/events/text-rules.ts'
import { storable } from '../../../lib/events/stored-value.ts'
import { networkOf } from '../../../lib/http/limits/addresses.ts'
import { callerLimits } from '../../../lib/http/limits/caller-limits.ts'
import {
  predictionClaims,
  signedPrediction,
  TokenRefused,
  type PredictionClaims,
} from '../../../lib/http/oidc/prediction-tokens.ts'
import { jsonOf, takeBodies, type Http } from '../../../lib/http/server.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import { LabelV1, labelKey } from '../../../schemas/events/label.v1.ts'
import { answers, answersToBody } from '../../../schemas/http/errors.ts'
import {
  FeedbackTokenAnswer,
  FeedbackTokenBody,
  MOST_CHANGES,
  PreflightAnswer,
  RatingAnswer,
  RatingBody,
} from '../../../schemas/http/labels/ratings.ts'
import { TOPICS } from '../../../schemas/topics.ts'
import { ratingChanges } from './rating-changes.ts'
import type { FeedbackRoutesOptions } from './routes.ts'

/** What the routes of ratings ask besides. */
export interface RatingRoutesOptions extends Pick<
  FeedbackRoutesOptions,
  'eventLog' | 'metrics' | 'now' | 'privacy' | 'refusalOf'
> {
  /** Keys of tokens; the first signs. Without one no token is good. */
  keys: readonly Buffer[]
  /** Exact origins whose pages may rate. */
  origins: readonly string[]
}

const PATH = '/v1/feedback'
const MAX_BODY_BYTES = 8192
const MAX_DEPTH = 4
const MAX_MEMBERS = 100
const DAY_S = 86_400
/** Requests of one address, and ratings of one page's origin. */
const OF_ADDRESS = { events: { perSecond: 1, burst: 30 } }
const OF_ORIGIN = { events: { perSecond: 200, burst: 2000 } }
/** Seconds for which a browser need not ask again whether it may ask. */
const PREFLIGHT_S = 600

/** Registers the routes of ratings and of their tokens. */
export function ratingRoutes(http: Http, options: RatingRoutesOptions): void {
  tokenRoute(http, options)
  preflightRoute(http, options)
  ratingRoute(http, options)
}

function tokenRoute(http: Http, { keys, now }: RatingRoutesOptions): void {
  http.post(
    '/v1/feedback-tokens',
    {
      config: { scope: 'emit', isByModel: true },
      schema: {
        summary: 'Makes the token by which a browser may rate one prediction',
        tags: ['events'],
        body: FeedbackTokenBody,
        response: answersToBody({ 200: FeedbackTokenAnswer }, 409),
      },
    },
    async ({ body, reach }) => {
      const { model_id, prediction_id, names, valid_seconds = DAY_S } = body
      requirePrintable('body', body)
      reach('emit').require(model_id)
      const [key] = keys
      if (!key)
        throw new Problem(
          409,
          'not_configured',
          'no token can be signed: PLUMBLINE_FEEDBACK_KEY_FILE names no key',
        )
      const exp = Math.floor(now() / 1000) + valid_seconds
      const token = await signedPrediction({ model_id, prediction_id, names, exp }, key)
      return { token, expires_at: new Date(exp * 1000).toISOString() }
    },
  )
}

function preflightRoute(http: Http, { origins }: RatingRoutesOptions): void {
  http.options(
    PATH,
    {
      config: { isPublic: true, origins },
      schema: {
        summary: 'Tells a browser whether a page may rate from its origin (CORS)',
        tags: ['events'],
        response: answers({ 204: PreflightAnswer }),
      },
    },
    async (_request, reply) => {
      void reply.code(204).headers({
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'authorization, content-type',
        'access-control-max-age': String(PREFLIGHT_S),
      })
      return null
    },
  )
}

function ratingRoute(http: Http, options: RatingRoutesOptions): void {
  const { keys, origins, now, metrics } = options
  const addresses = callerLimits(OF_ADDRESS)
  const pages = callerLimits(OF_ORIGIN)
  const claimed = new WeakMap<FastifyRequest, PredictionClaims>()
  const keep = keeper(options)
  void http.register(async (scope: Http) => {
    scope.bodyLimits = { ...scope.bodyLimits, maxBodyBytes: MAX_BODY_BYTES }
    scope.removeAllContentTypeParsers()
    takeBodies(scope, ['application/json'], (bytes) =>
      jsonOf(bytes, { maxDepth: MAX_DEPTH, maxMembers: MAX_MEMBERS }),
    )
    scope.addHook('onError', async (_request, _reply, error) => {
      metrics.endpointEvents.inc({ ...COUNTED, outcome: 'rejected', reason: reasonOf(error) })
    })
    // Before the body is read: who has no token sends none.
    scope.addHook('onRequest', async (request) => {
      const { ip, headers } = request
      take(addresses, `address ${networkOf(ip)}`)
      claimed.set(request, await predictionClaims(headers.authorization, keys, now()))
      take(pages, headers.origin ?? 'no origin')
    })
    scope.post(
      PATH,
      {
        config: { origins },
        schema: {
          summary: 'Takes the rating of one prediction from a browser, by the token of it',
          security: [{ feedback: [] }],
          tags: ['events'],
          body: RatingBody,
          response: answersToBody({ 200: RatingAnswer }, 409),
        },
      },
      async (request) => keep(claimed.get(request)!, request.body),
    )
  })
}

/** Checks a rating against its token, and appends it as the label it is. */
function keeper({ eventLog, metrics, now, privacy, refusalOf }: RatingRoutesOptions) {
  const validator = createValidator(LabelV1, privacy)
  const count = ratingChanges(MOST_CHANGES)
  return async (claims: PredictionClaims, rating: RatingBody): Promise<RatingAnswer> => {
    requireAllowed(claims, rating)
    const { model_id } = claims
    const event = {
      ...rating,
      label_id: randomUUID(),
      model_id,
      labelled_at: new Date(now()).toISOString(),
      source: 'user_feedback',
    }
    const text = JSON.stringify(event)
    const given = storable(validator, validator.text(text), () => text)
    if (!given.ok) throw new Problem(400, given.rejection.code, given.rejection.message)
    const refusal = refusalOf(given.event)
    const message = { key: labelKey(given.event), value: given.value }
    const { left, giveBack } = count({ ...rating, model_id }, rating.final === true)
    try {
      await eventLog.append(TOPICS.labels.topic, [message])
    } catch (error) {
      giveBack()
      throw error
    }
    if (refusal) {
      giveBack()
      throw new Problem(400, refusal.code ?? 'expectation_violated', refusal.message)
    }
    metrics.endpointEvents.inc({ ...COUNTED, outcome: 'accepted', reason: '' })
    return { label_id: event.label_id, changes_left: left }
  }
}

/** @throws {Problem} 403 for another prediction, or a name that the token does not give */
function requireAllowed(claims: PredictionClaims, { prediction_id, name }: RatingBody): void {
  if (prediction_id !== claims.prediction_id)
    throw new Problem(403, 'other_prediction', 'prediction_id is another than that of the token')
  if (!claims.names.includes(name))
    throw new Problem(
      403,
      'other_name',
      `name is none that the token may give: ${claims.names.join(', ')}`,
    )
}

/** @throws {Problem} 429 where nothing is left */
function take(limits: ReturnType<typeof callerLimits>, whose: string): void {
  const reached = limits.take(whose, 'events', 1, performance.now())
  if (!reached) return
  const { perSecond, burst } = reached.rate
  throw new Problem(
    429,
    'rate_limited',
    `${whose} may send ${perSecond} ratings a second, ${burst} at once, and has: try again in ${reached.retryAfterS} s`,
    { 'retry-after': String(reached.retryAfterS) },
  )
}

const COUNTED = { service: 'feedback', topic: TOPICS.labels.topic }

/** Why a request was not taken, in one of a bounded number of words. */
function reasonOf(error: Error): string {
  if (error instanceof TokenRefused) return `token_${error.reason}`
  if (error instanceof Problem) return error.code
  return 'validation' in error ? 'invalid_request' : 'internal_error'
}

/**
 * Alerts in: from Alertmanager and Grafana by key, from Grafana by its own signature, or from
 * anybody who signs with the webhook secret.
 */
import type { Static } from 'typebox'
import type { Reach } from '../../../lib/http/model-access.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import { jsonOf, takeBodies, type FastifyRequest, type Http } from '../../../lib/http/server.ts'
import { CLAIMED } from '../../../lib/runtime/person-names.ts'
import { answersToBody } from '../../../schemas/http/errors.ts'
import { AlertsAnswer, AlertsBody } from '../../../schemas/http/alerts/alerts-in.ts'
import { requestsOf, type AlertRequest } from '../decide/alert-requests.ts'
import type { PolicyEngine } from '../loop/policies.ts'
import { answerAlerts, askByAlert } from '../loop/requests.ts'
import { keepAlerts } from '../queries/trials/received-alerts.ts'
import {
  GRAFANA_SIGNATURE,
  GRAFANA_TIMESTAMP,
  isSigned,
  isSignedByGrafana,
} from '../../../lib/http/outgoing/signatures.ts'
import type { RetrainRoutesOptions } from './options.ts'
import { tags } from './parameters.ts'

const MAX_BYTES = 4 << 20
/** Adds `POST /v1/alerts`, on a scope of its own: the body's bytes are what is signed. */
export function addAlertsIn(http: Http, options: RetrainRoutesOptions): void {
  const { engine, wake } = options
  const texts = new WeakMap<FastifyRequest, string>()
  http.removeContentTypeParser('application/json')
  takeBodies(http, 'application/json', (bytes, request) => {
    if (bytes.length > MAX_BYTES)
      throw new Problem(413, 'too_large', `the body is larger than ${MAX_BYTES} bytes`)
    texts.set(request, bytes.toString())
    return jsonOf(bytes)
  })
  http.post(
    '/v1/alerts',
    {
      schema: {
        summary: 'Alertmanager’s and Grafana’s webhooks; one run at most of each policy',
        description:
          'Needs a key that may operate, or a signature with the webhook secret: of Standard Webhooks, or Grafana’s HMAC with its timestamp header.',
        security: [{ key: ['operate'] }, { signature: [] }],
        tags,
        body: AlertsBody,
        response: answersToBody({ 200: AlertsAnswer }),
      },
    },
    async (request) => {
      const actor = senderOf(request, texts.get(request) ?? '', options)
      requireVersion(request.body)
      const requests = requestsOf(request.body)
      if (actor !== 'alerts') requireModels(requests, request.reach('operate'))
      const answer = await answerEach(engine, requests, actor)
      if (answer.launched.length > 0) wake()
      return { received: request.body.alerts.length, ...answer }
    },
  )
}

/** @throws {Problem} 400 `unknown_version`; a body that tells none is read as one of these */
function requireVersion({ version }: AlertsBody): void {
  if (version === undefined || VERSIONS.has(version)) return
  const told = JSON.stringify(version).slice(0, 50)
  throw new Problem(
    ...([400, 'unknown_version'] as const),
    `the body is of version ${told}: Alertmanager’s "4" and Grafana’s "1" are read`,
  )
}

/** Versions of bodies, as their senders tell them. */
const VERSIONS: ReadonlySet<unknown> = new Set(['4', '1'])

/** @throws {Problem} 403 `foreign_model`; of a signed body nobody asks whose the models are */
function requireModels(requests: readonly AlertRequest[], reach: Reach): void {
  for (const { modelId } of requests) reach.require(modelId)
}

/** What alerts came to: the runs they launched, and why the others launched none. */
type AnswerOfAlerts = Omit<Static<typeof AlertsAnswer>, 'received'>

async function answerEach(
  engine: PolicyEngine,
  requests: readonly AlertRequest[],
  actor: string,
): Promise<AnswerOfAlerts> {
  const launched: string[] = []
  const ignored: AnswerOfAlerts['ignored'] = []
  const append = (answer: AnswerOfAlerts) => {
    for (const run of answer.launched) launched.push(run)
    for (const alert of answer.ignored) ignored.push(alert)
  }
  await keepAlerts(engine.ledger.postgres, requests, engine.ledger.now())
  const groups = Map.groupBy(requests, (asked) => JSON.stringify([asked.modelId, asked.policy]))
  for (const asked of groups.values()) {
    if (asked[0]!.policy === undefined) {
      for (const alert of asked) append(await answerByName(engine, alert))
      continue
    }
    const answer = await answerAlerts(engine, asked, actor)
    if ('run' in answer) launched.push(answer.run.run_id)
    const causes = new Set(asked.map(({ cause }) => cause))
    if ('run' in answer) causes.delete(asked[0]!.cause)
    const reason = 'run' in answer ? `taken into the run ${answer.run.run_id}` : answer.reason
    for (const cause of causes) ignored.push({ cause, reason })
  }
  return { launched, ignored }
}

/** Asks the policies that wait for an alert of this name; one that nothing waits for is ignored. */
async function answerByName(engine: PolicyEngine, alert: AlertRequest): Promise<AnswerOfAlerts> {
  const { cause } = alert
  const { launched, reasons } = await askByAlert(engine, alert)
  return { launched, ignored: reasons.map((reason) => ({ cause, reason })) }
}

/**
 * Who sends alerts: a key that may operate, or whoever signs; without keys anybody, and that is
 * marked.
 *
 * @throws {Problem} 401 for what is neither signed nor known
 */
function senderOf(
  { caller, headers }: Pick<FastifyRequest, 'caller' | 'headers'>,
  body: string,
  { secret, engine }: RetrainRoutesOptions,
) {
  if (headers['webhook-signature'] !== undefined) {
    if (isSigned(secret, headers, body, engine.ledger.now())) return 'alerts'
    throw new Problem(401, 'unauthorized', 'the signature of this body is not ours, or is too old')
  }
  if (headers[GRAFANA_SIGNATURE] !== undefined) {
    if (isSignedByGrafana(secret, headers, body, engine.ledger.now())) return 'alerts'
    const why =
      headers[GRAFANA_TIMESTAMP] === undefined ? 'has no time' : 'is not ours, or is too old'
    throw new Problem(
      ...([401, 'unauthorized'] as const),
      `Grafana’s signature of this body ${why}: its secret is the webhook secret, its timestamp header ${GRAFANA_TIMESTAMP}`,
    )
  }
  if (caller?.scopes.has('operate')) return caller.isKnown ? caller.id : `${CLAIMED}alerts`
  throw new Problem(
    401,
    'unauthorized',
    'alerts need a key that may operate, or a signature of Standard Webhooks with the webhook secret',
  )
}

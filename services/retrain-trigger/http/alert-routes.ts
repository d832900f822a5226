/** Alerts in: from Alertmanager and Grafana by key, or from anybody who signs with the webhook secret. */
import { Problem } from '../../../lib/runtime/errors.ts'
import { jsonOf, takeBodies, type FastifyRequest, type Http } from '../../../lib/http/server.ts'
import { CLAIMED } from '../../../lib/http/key-ids.ts'
import { requestsOf, type AlertRequest, type IncomingAlerts } from '../loop/send-alerts.ts'
import { heldBack } from '../decide/decide.ts'
import type { PolicyEngine } from '../loop/policies.ts'
import type { RunLedger } from '../queries/runs.ts'
import { isSigned } from '../data/signatures.ts'

export interface AlertRoutesOptions {
  ledger: RunLedger
  engine: PolicyEngine
  secret: string
  now: () => number
  wake: () => void
}

const MAX_BYTES = 4 << 20
const BODY = {
  type: 'object',
  required: ['alerts'],
  properties: {
    alerts: {
      type: 'array',
      maxItems: 1000,
      items: {
        type: 'object',
        required: ['status', 'labels'],
        properties: {
          status: { type: 'string' },
          labels: { type: 'object', additionalProperties: { type: 'string' } },
          annotations: { type: 'object', additionalProperties: { type: 'string' } },
          startsAt: { type: 'string' },
          fingerprint: { type: 'string' },
        },
      },
    },
  },
}

/** Adds `POST /v1/alerts`, on a scope of its own: the body's bytes are what is signed. */
export function alertRoutes(http: Http, options: AlertRoutesOptions): void {
  const { ledger, engine, now, wake } = options
  const texts = new WeakMap<FastifyRequest, string>()
  http.removeContentTypeParser('application/json')
  takeBodies(http, 'application/json', (bytes, request) => {
    if (bytes.length > MAX_BYTES)
      throw new Problem(413, 'too_large', `the body is larger than ${MAX_BYTES} bytes`)
    texts.set(request, bytes.toString())
    return jsonOf(bytes)
  })

  async function ask(asked: readonly AlertRequest[], actor: string) {
    const { modelId, policy: name } = asked[0]!
    const policy = engine.policyOf(modelId, name)
    if (!policy) return { reason: `the model ${modelId} has no policy ${name}` }
    const decidedAt = now()
    return ledger.decideTogether(
      { modelId, policy, actor, windowEnd: undefined, decidedAt, labelsKnown: 0 },
      asked,
      (runs) => heldBack(policy, runs, decidedAt),
    )
  }

  http.post<{ Body: IncomingAlerts }>(
    '/v1/alerts',
    {
      schema: {
        summary: 'Alertmanager’s and Grafana’s webhooks; one run at most of each policy',
        body: BODY,
      },
    },
    async (request) => {
      const actor = senderOf(request, texts.get(request) ?? '', options)
      const launched: string[] = []
      const ignored: { cause: string; reason: string }[] = []
      const groups = Map.groupBy(requestsOf(request.body), (asked) =>
        JSON.stringify([asked.modelId, asked.policy]),
      )
      for (const asked of groups.values()) {
        const answer = await ask(asked, actor)
        if ('run' in answer) launched.push(answer.run.run_id)
        const causes = new Set(asked.map(({ cause }) => cause))
        if ('run' in answer) causes.delete(asked[0]!.cause)
        const reason = 'run' in answer ? `taken into the run ${answer.run.run_id}` : answer.reason
        for (const cause of causes) ignored.push({ cause, reason })
      }
      if (launched.length > 0) wake()
      return { received: request.body.alerts.length, launched, ignored }
    },
  )
}

/**
 * Who sends alerts: a key that may operate, or whoever signs; without keys anybody, and that is marked.
 *
 * @throws {Problem} 401 for what is neither signed nor known
 */
function senderOf({ caller, headers }: FastifyRequest, body: string, options: AlertRoutesOptions) {
  if (headers['webhook-signature'] !== undefined) {
    if (isSigned(options.secret, headers, body, options.now())) return 'alerts'
    throw new Problem(401, 'unauthorized', 'the signature of this body is not ours, or is too old')
  }
  if (caller?.scopes.has('operate')) return caller.isKnown ? caller.id : `${CLAIMED}alerts`
  throw new Problem(
    401,
    'unauthorized',
    'alerts need a key that may operate, or a signature of Standard Webhooks with the webhook secret',
  )
}

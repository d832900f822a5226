import { randomUUID } from 'node:crypto'
import { actorOf } from '../../../lib/http/callers.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { FastifyRequest, Http } from '../../../lib/http/server.ts'
import type { Postgres } from '../../../lib/postgres/port.ts'
import { requirePrintable } from '../../../lib/events/text-rules.ts'
import { alertRoutes } from './alert-routes.ts'
import { incompleteness, readAudit, readEvidence } from '../queries/audit-log.ts'
import type { PolicyEngine } from '../loop/policies.ts'
import type { PolicyQueries } from '../queries/policy-queries.ts'
import { isTokenOf } from '../queries/run-token.ts'
import type { Run } from '../queries/run-record.ts'
import type { RunLedger } from '../queries/runs.ts'

export interface RetrainRoutesOptions {
  ledger: RunLedger
  engine: PolicyEngine
  postgres: Postgres
  queries: PolicyQueries
  /** Key of the signatures of alerts. */
  secret: string
  now: () => number
  /** Something may be due for launch. */
  wake: () => void
}

const id = { type: 'string', minLength: 1, maxLength: 200 }
const actor = {
  type: 'string',
  minLength: 1,
  maxLength: 180,
  description: 'Who says so; the key says it where keys are set.',
}
const words = { type: 'string', maxLength: 10_000, default: '' }
const object = (required: string[], properties: Record<string, unknown>) => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
})
const limit = { type: 'integer', minimum: 1, maximum: 1000, default: 100 }

/** Adds the routes of runs, decisions, alerts and the audit log; a text that no store keeps is refused on each. */
export function retrainRoutes(http: Http, options: RetrainRoutesOptions): void {
  void http.register(async (scope) => {
    scope.addHook('preHandler', async ({ params, query, body }) => {
      requirePrintable('path', params)
      requirePrintable('query', query)
      requirePrintable('body', body)
    })
    runRoutes(scope, options)
    personRoutes(scope, options)
    auditRoute(scope, options)
    await scope.register(async (own) => alertRoutes(own, options))
  })
}

const read = { scope: 'read' as const }
const operate = { scope: 'operate' as const }

function runRoutes(http: Http, { ledger, engine, now, wake }: RetrainRoutesOptions): void {
  /** A run that a person asks for: it needs the policy's approvals, but neither its condition nor its cool-down. */
  async function request(
    modelId: string,
    policyName: string,
    actor: string,
    reason: string,
  ): Promise<Run | undefined> {
    const cause = `request:${randomUUID()}`
    const policy = engine.policyOf(modelId, policyName)
    if (!policy)
      throw new Problem(404, 'unknown_policy', `the model ${modelId} has no policy ${policyName}`)
    const run = await ledger.decided(
      {
        modelId,
        policy: policyName,
        cause,
        decision: { action: 'launch', reason },
        windowEnd: undefined,
        revision: 0,
      },
      {
        modelId,
        policy,
        cause,
        reason,
        actor,
        windowEnd: undefined,
        decidedAt: now(),
        labelsKnown: 0,
      },
    )
    wake()
    return run
  }

  http.get<{ Querystring: { model_id?: string; limit: number } }>(
    '/v1/runs',
    {
      config: read,
      schema: { summary: 'Runs, newest first', querystring: object([], { model_id: id, limit }) },
    },
    async ({ query }) => ({ runs: await ledger.list(query.model_id, query.limit) }),
  )
  http.post<{ Body: { model_id: string; policy: string; reason: string; actor?: string } }>(
    '/v1/runs',
    {
      config: operate,
      schema: {
        summary: 'Asks for a run',
        body: object(['model_id', 'policy', 'reason'], {
          model_id: id,
          policy: id,
          reason: { ...words, minLength: 1 },
          actor,
        }),
      },
    },
    async ({ body, caller }, reply) => {
      const by = actorOf(caller, body.actor ?? (caller?.isKnown ? undefined : 'anonymous'))
      return reply.code(201).send(await request(body.model_id, body.policy, by, body.reason))
    },
  )
  http.get<{ Params: { id: string } }>(
    '/v1/runs/:id',
    { config: read, schema: { summary: 'One run' } },
    async ({ params }) => {
      const run = await ledger.get(params.id)
      if (!run) throw new Problem(404, 'unknown_run', `there is no run ${params.id}`)
      return run
    },
  )
  http.get<{ Querystring: { model_id: string; limit: number } }>(
    '/v1/decisions',
    {
      config: read,
      schema: {
        summary: 'What each policy answered, launch or not, and why; newest first',
        querystring: object(['model_id'], { model_id: id, limit }),
      },
    },
    async ({ query }) => ({ decisions: await ledger.decisions(query.model_id, query.limit) }),
  )
}

interface ByPerson {
  Params: { id: string }
  Body: { actor?: string; message: string }
}

function personRoutes(http: Http, { ledger, wake }: RetrainRoutesOptions): void {
  const byPerson = object([], { actor, message: words })
  http.post<ByPerson>(
    '/v1/runs/:id/approve',
    {
      config: operate,
      schema: { summary: 'Approves a run; with approval two, two people must', body: byPerson },
    },
    async ({ params, body, caller }) => {
      const run = await ledger.approve(params.id, actorOf(caller, body.actor))
      wake()
      return run
    },
  )
  http.post<ByPerson>(
    '/v1/runs/:id/reject',
    { config: operate, schema: { summary: 'Refuses a run', body: byPerson } },
    async ({ params, body, caller }) =>
      ledger.reject(params.id, actorOf(caller, body.actor), body.message),
  )
  http.post<ByPerson>(
    '/v1/runs/:id/cancel',
    { config: operate, schema: { summary: 'Calls a run off', body: byPerson } },
    async ({ params, body, caller }) =>
      ledger.cancel(params.id, actorOf(caller, body.actor), body.message),
  )
  http.post<{
    Params: { id: string }
    Querystring: { token?: string }
    Body: { state: 'running' | 'succeeded' | 'failed'; message: string; new_version: string }
  }>(
    '/v1/runs/:id/status',
    {
      schema: {
        summary:
          'The job reports how it goes, by the token of its run; succeeded tells the version',
        querystring: object([], { token: { type: 'string', maxLength: 100 } }),
        body: object(['state'], {
          state: { enum: ['running', 'succeeded', 'failed'] },
          message: words,
          new_version: { ...id, minLength: 0, default: '' },
        }),
      },
    },
    async (request) => {
      const { params, query, body } = request
      const by = await reporter(ledger, params.id, query.token, request)
      return ledger.report(params.id, body.state, by, {
        message: body.message,
        new_version: body.new_version,
      })
    },
  )
}

/**
 * Who reports on a run: its job, by the run's token in the address or as bearer, or a key that may operate.
 *
 * @throws {Problem} 401 without either
 */
async function reporter(
  ledger: RunLedger,
  runId: string,
  inAddress: string | undefined,
  { headers, caller }: FastifyRequest,
): Promise<string> {
  const token = inAddress ?? /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1]
  if (token !== undefined && isTokenOf(token, await ledger.tokenHashes(runId))) return 'job'
  if (caller?.isKnown && caller.scopes.has('operate')) return caller.id
  throw new Problem(
    401,
    'unauthorized',
    'a run’s status is told with the token of that run, as in its status_url, or with a key that may operate',
  )
}

function auditRoute(http: Http, { postgres, queries }: RetrainRoutesOptions): void {
  http.get<{ Querystring: { after: number; limit: number } }>(
    '/v1/audit',
    {
      config: read,
      schema: {
        summary:
          'The audit log, oldest first, each entry with the hash of the one before; complete says whether any is missed',
        querystring: object([], {
          after: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 },
          limit,
        }),
      },
    },
    async ({ query }) => {
      const mirrored = await queries.lastAudited()
      const evidence = await readEvidence(postgres, mirrored)
      const entries = await readAudit(postgres, query.after, query.limit)
      const reason = incompleteness(entries, evidence)
      return { entries, complete: reason === undefined, reason: reason ?? '', head: evidence.head }
    },
  )
}

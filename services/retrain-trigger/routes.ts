import { randomUUID } from 'node:crypto'
import { Problem } from '../../lib/errors.ts'
import type { Http } from '../../lib/http.ts'
import type { Postgres } from '../../lib/postgres.ts'
import { requestsOf, type IncomingAlerts } from './alerts.ts'
import { readAudit } from './audit.ts'
import type { PolicyEngine } from './policies.ts'
import type { Run, RunLedger } from './runs.ts'

export interface RetrainRoutesOptions {
  ledger: RunLedger
  engine: PolicyEngine
  postgres: Postgres
  now: () => number
  /** Something may be due for launch. */
  wake: () => void
}

const id = { type: 'string', minLength: 1, maxLength: 200 }
const words = { type: 'string', maxLength: 10_000, default: '' }
const object = (required: string[], properties: Record<string, unknown>) => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
})
const limit = { type: 'integer', minimum: 1, maximum: 1000, default: 100 }

export function retrainRoutes(
  http: Http,
  { ledger, engine, postgres, now, wake }: RetrainRoutesOptions,
): void {
  const read = { scope: 'read' as const }
  const operate = { scope: 'operate' as const }

  /** A run that a person or an alert asks for: it needs the policy's approvals, but neither its condition nor its cool-down. */
  async function request(
    modelId: string,
    policyName: string,
    cause: string,
    reason: string,
  ): Promise<Run | undefined> {
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
      { modelId, policy, cause, reason, windowEnd: undefined, decidedAt: now(), labelsKnown: 0 },
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
  http.post<{ Body: { model_id: string; policy: string; reason: string } }>(
    '/v1/runs',
    {
      config: operate,
      schema: {
        summary: 'Asks for a run',
        body: object(['model_id', 'policy', 'reason'], {
          model_id: id,
          policy: id,
          reason: { ...words, minLength: 1 },
        }),
      },
    },
    async ({ body }, reply) =>
      reply
        .code(201)
        .send(await request(body.model_id, body.policy, `request:${randomUUID()}`, body.reason)),
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
  http.get<{ Querystring: { model_id: string } }>(
    '/v1/decisions',
    {
      config: read,
      schema: {
        summary: 'What each policy answered, launch or not, and why',
        querystring: object(['model_id'], { model_id: id }),
      },
    },
    async ({ query }) => ({ decisions: await ledger.decisions(query.model_id) }),
  )

  const byPerson = object(['actor'], { actor: id, message: words })
  http.post<{ Params: { id: string }; Body: { actor: string } }>(
    '/v1/runs/:id/approve',
    {
      config: operate,
      schema: { summary: 'Approves a run; with approval two, two people must', body: byPerson },
    },
    async ({ params, body }) => {
      const run = await ledger.approve(params.id, body.actor)
      wake()
      return run
    },
  )
  http.post<{ Params: { id: string }; Body: { actor: string; message: string } }>(
    '/v1/runs/:id/reject',
    { config: operate, schema: { summary: 'Refuses a run', body: byPerson } },
    ({ params, body }) => ledger.reject(params.id, body.actor, body.message),
  )
  http.post<{ Params: { id: string }; Body: { actor: string; message: string } }>(
    '/v1/runs/:id/cancel',
    { config: operate, schema: { summary: 'Calls a run off', body: byPerson } },
    ({ params, body }) => ledger.cancel(params.id, body.actor, body.message),
  )
  http.post<{
    Params: { id: string }
    Body: { state: 'running' | 'succeeded' | 'failed'; message: string; new_version: string }
  }>(
    '/v1/runs/:id/status',
    {
      config: operate,
      schema: {
        summary: 'The job reports how it goes; the version it made comes with succeeded',
        body: object(['state'], {
          state: { enum: ['running', 'succeeded', 'failed'] },
          message: words,
          new_version: { ...id, minLength: 0, default: '' },
        }),
      },
    },
    ({ params, body }) =>
      ledger.report(params.id, body.state, 'job', {
        message: body.message,
        new_version: body.new_version,
      }),
  )

  http.post<{ Body: IncomingAlerts }>(
    '/v1/alerts',
    {
      config: operate,
      schema: {
        summary:
          'Webhook of Alertmanager (version 4) and Grafana: an alert with the labels model_id and plumbline_policy asks for a run',
        body: {
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
                },
              },
            },
          },
        },
      },
    },
    async ({ body }) => {
      const launched: string[] = []
      const ignored: { cause: string; reason: string }[] = []
      for (const asked of requestsOf(body)) {
        if (!engine.policyOf(asked.modelId, asked.policy)) {
          ignored.push({
            cause: asked.cause,
            reason: `the model ${asked.modelId} has no policy ${asked.policy}`,
          })
          continue
        }
        const run = await request(asked.modelId, asked.policy, asked.cause, asked.reason)
        if (run) launched.push(run.run_id)
        else ignored.push({ cause: asked.cause, reason: 'this alert has already launched a run' })
      }
      return { received: body.alerts.length, launched, ignored }
    },
  )
  http.get<{ Querystring: { after: number; limit: number } }>(
    '/v1/audit',
    {
      config: read,
      schema: {
        summary: 'The audit log, oldest first, each entry with the hash of the one before',
        querystring: object([], { after: { type: 'integer', default: 0 }, limit }),
      },
    },
    async ({ query }) => ({ entries: await readAudit(postgres, query.after, query.limit) }),
  )
}

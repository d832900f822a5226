/** Routes of runs and decisions: what there is, and asking for a run. */
import { actorOf } from '../../../lib/http/callers.ts'
import type { Http } from '../../../lib/http/server.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import { requestRun } from '../loop/requests.ts'
import { listDecisions } from '../queries/decisions.ts'
import { listRuns, readRun } from '../queries/runs.ts'
import type { RetrainRoutesOptions } from './options.ts'
import { actor, id, limit, object, OPERATE, READ, words } from './parameters.ts'

/** Adds `GET /v1/runs`. */
export function addRunList(http: Http, { engine }: RetrainRoutesOptions): void {
  http.get<{ Querystring: { model_id?: string; limit: number } }>(
    '/v1/runs',
    {
      config: READ,
      schema: { summary: 'Runs, newest first', querystring: object([], { model_id: id, limit }) },
    },
    async ({ query }) => ({
      runs: await listRuns(engine.ledger.postgres, query.model_id, query.limit),
    }),
  )
}

/** Adds `POST /v1/runs`. */
export function addRunRequest(http: Http, { engine, wake }: RetrainRoutesOptions): void {
  http.post<{ Body: { model_id: string; policy: string; reason: string; actor?: string } }>(
    '/v1/runs',
    {
      config: OPERATE,
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
      const run = await requestRun(engine, {
        modelId: body.model_id,
        policy: body.policy,
        reason: body.reason,
        actor: actorOf(caller, body.actor ?? (caller?.isKnown ? undefined : 'anonymous')),
      })
      wake()
      return reply.code(201).send(run)
    },
  )
}

/** Adds `GET /v1/runs/:id`. */
export function addRun(http: Http, { engine }: RetrainRoutesOptions): void {
  http.get<{ Params: { id: string } }>(
    '/v1/runs/:id',
    { config: READ, schema: { summary: 'One run' } },
    async ({ params }) => {
      const run = await readRun(engine.ledger.postgres, params.id)
      if (!run) throw new Problem(404, 'unknown_run', `there is no run ${params.id}`)
      return run
    },
  )
}

/** Adds `GET /v1/decisions`. */
export function addDecisionList(http: Http, { engine }: RetrainRoutesOptions): void {
  http.get<{ Querystring: { model_id: string; limit: number } }>(
    '/v1/decisions',
    {
      config: READ,
      schema: {
        summary: 'What each policy answered, launch or not, and why; newest first',
        querystring: object(['model_id'], { model_id: id, limit }),
      },
    },
    async ({ query }) => ({
      decisions: await listDecisions(engine.ledger.postgres, query.model_id, query.limit),
    }),
  )
}

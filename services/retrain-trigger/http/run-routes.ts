/** Routes of runs and decisions: what there is, and asking for a run. */
import { actorOf } from '../../../lib/http/callers.ts'
import type { Http } from '../../../lib/http/server.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import { answers, answersToBody } from '../../../schemas/http/errors.ts'
import { RunPath } from '../../../schemas/http/parts.ts'
import {
  DecisionsAnswer,
  DecisionsQuery,
  OneRunAnswer,
  RunAnswer,
  RunBody,
  RunsAnswer,
  RunsQuery,
} from '../../../schemas/http/retrain-trigger.ts'
import { requestRun } from '../loop/requests.ts'
import { listDecisions } from '../queries/decisions.ts'
import { readRunHistory } from '../queries/run-history.ts'
import { listRuns, readRun } from '../queries/runs.ts'
import type { RetrainRoutesOptions } from './options.ts'
import { OPERATE, READ, tags } from './parameters.ts'

/** Adds `GET /v1/runs`. */
export function addRunList(http: Http, { engine }: RetrainRoutesOptions): void {
  http.get(
    '/v1/runs',
    {
      config: READ,
      schema: {
        summary: 'Runs, newest first',
        tags,
        querystring: RunsQuery,
        response: answers({ 200: RunsAnswer }),
      },
    },
    async ({ query: { model_id: id, limit }, reach }) => {
      const { ids, require } = reach('read')
      if (id !== undefined) require(id)
      return { runs: await listRuns(engine.ledger.postgres, id === undefined ? ids : [id], limit) }
    },
  )
}

/** Adds `POST /v1/runs`. */
export function addRunRequest(http: Http, { engine, wake }: RetrainRoutesOptions): void {
  http.post(
    '/v1/runs',
    {
      config: OPERATE,
      schema: {
        summary: 'Asks for a run',
        tags,
        body: RunBody,
        response: answersToBody({ 201: RunAnswer }, 404),
      },
    },
    async ({ body, caller, reach }, reply) => {
      reach('operate').require(body.model_id)
      const run = await requestRun(engine, {
        modelId: body.model_id,
        policy: body.policy,
        reason: body.reason,
        actor: actorOf(caller, body.actor ?? (caller?.isKnown ? undefined : 'anonymous')),
      })
      wake()
      void reply.code(201)
      return run
    },
  )
}

/** Adds `GET /v1/runs/:id`. */
export function addRun(http: Http, { engine }: RetrainRoutesOptions): void {
  http.get(
    '/v1/runs/:id',
    {
      config: READ,
      schema: {
        summary: 'One run',
        tags,
        params: RunPath,
        response: answers({ 200: OneRunAnswer }, 404),
      },
    },
    async ({ params, reach }) => {
      const run = await readRun(engine.ledger.postgres, params.id)
      if (!run) throw new Problem(404, 'unknown_run', `there is no run ${params.id}`)
      reach('read').require(run.model_id)
      return { ...run, ...(await readRunHistory(engine.ledger.postgres, params.id)) }
    },
  )
}

/** Adds `GET /v1/decisions`. */
export function addDecisionList(http: Http, { engine }: RetrainRoutesOptions): void {
  http.get(
    '/v1/decisions',
    {
      config: READ,
      schema: {
        summary: 'What each policy answered, launch or not, and why; newest first',
        tags,
        querystring: DecisionsQuery,
        response: answers({ 200: DecisionsAnswer }),
      },
    },
    async ({ query, reach }) => {
      reach('read').require(query.model_id)
      const { model_id: id, limit } = query
      return { decisions: await listDecisions(engine.ledger.postgres, id, limit) }
    },
  )
}

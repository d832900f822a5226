/** Routes by which people and jobs move a run on. */
import { actorOf } from '../../../lib/http/callers.ts'
import type { FastifyRequest, Http } from '../../../lib/http/server.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import { answersToBody } from '../../../schemas/http/errors.ts'
import { RunPath } from '../../../schemas/http/parts.ts'
import { RunAnswer, RunReportBody, RunReportQuery } from '../../../schemas/http/retrain-trigger.ts'
import type { Ledger } from '../queries/ledger.ts'
import { isTokenOf } from '../queries/run-token.ts'
import { approveRun } from '../queries/approvals/approvals.ts'
import { reportRun } from '../queries/reports.ts'
import { cancelRun, rejectRun } from '../queries/run-transitions.ts'
import { readTokenHashes } from '../queries/runs.ts'
import type { RetrainRoutesOptions } from './options.ts'
import { byPerson, OPERATE, requireRun, tags } from './parameters.ts'

/** Adds `POST /v1/runs/:id/approve`. */
export function addApproval(http: Http, { engine, wake }: RetrainRoutesOptions): void {
  http.post(
    '/v1/runs/:id/approve',
    {
      config: OPERATE,
      schema: byPerson('Approves a run; with approval two, two people must'),
    },
    async ({ params, body, caller, reach }) => {
      await requireRun(engine.ledger, params.id, reach)
      const run = await approveRun(engine.ledger, params.id, {
        actor: actorOf(caller, body.actor),
        message: body.message,
      })
      wake()
      return run
    },
  )
}

/** Adds `POST /v1/runs/:id/reject`. */
export function addRejection(http: Http, { engine }: RetrainRoutesOptions): void {
  http.post(
    '/v1/runs/:id/reject',
    { config: OPERATE, schema: byPerson('Refuses a run') },
    async ({ params, body, caller, reach }) => {
      await requireRun(engine.ledger, params.id, reach)
      return rejectRun(engine.ledger, params.id, actorOf(caller, body.actor), body.message)
    },
  )
}

/** Adds `POST /v1/runs/:id/cancel`. */
export function addCancellation(http: Http, { engine }: RetrainRoutesOptions): void {
  http.post(
    '/v1/runs/:id/cancel',
    { config: OPERATE, schema: byPerson('Calls a run off') },
    async ({ params, body, caller, reach }) => {
      await requireRun(engine.ledger, params.id, reach)
      return cancelRun(engine.ledger, params.id, actorOf(caller, body.actor), body.message)
    },
  )
}

/** Adds `POST /v1/runs/:id/status`. */
export function addJobReport(http: Http, { engine }: RetrainRoutesOptions): void {
  http.post(
    '/v1/runs/:id/status',
    {
      schema: {
        summary:
          'The job reports how it goes, by the token of its run; succeeded tells the version',
        description:
          'Needs the token of the run, in the address or as bearer, or a key that may operate.',
        security: [{ token: [] }, { key: ['operate'] }],
        tags,
        params: RunPath,
        querystring: RunReportQuery,
        body: RunReportBody,
        response: answersToBody({ 200: RunAnswer }, 404, 409),
      },
    },
    async (request) => {
      const { params, query, body } = request
      const by = await reporterOf(engine.ledger, params.id, query.token, request)
      return reportRun(engine.ledger, params.id, by, body)
    },
  )
}

/**
 * Who reports on a run: its job, by the run's token in the address or as bearer, or a key that may
 * operate.
 *
 * @throws {Problem} 401 without either
 */
async function reporterOf(
  ledger: Ledger,
  runId: string,
  inAddress: string | undefined,
  { headers, caller, reach }: Pick<FastifyRequest, 'headers' | 'caller' | 'reach'>,
): Promise<string> {
  const token = inAddress ?? /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1]
  if (token !== undefined && isTokenOf(token, await readTokenHashes(ledger.postgres, runId)))
    return 'job'
  if (caller?.isKnown && caller.scopes.has('operate')) {
    await requireRun(ledger, runId, reach)
    return caller.id
  }
  throw new Problem(
    401,
    'unauthorized',
    'a run’s status is told with the token of that run, as in its status_url, or with a key that may operate',
  )
}

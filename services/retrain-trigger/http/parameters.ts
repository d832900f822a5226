/** What several routes of retrain-trigger share. */
import type { FastifyRequest } from '../../../lib/http/server.ts'
import { answersToBody } from '../../../schemas/http/errors.ts'
import { RunPath } from '../../../schemas/http/parts.ts'
import { RunAnswer, RunAnswerBody } from '../../../schemas/http/retrain-trigger.ts'
import type { Ledger } from '../queries/ledger.ts'
import { readRun } from '../queries/runs.ts'

/** Access for keys that may read; the handler asks for which models. */
export const READ = { scope: 'read' as const, isByModel: true }
/** Access for keys that may operate; the handler asks for which models. */
export const OPERATE = { scope: 'operate' as const, isByModel: true }

/** Where the routes stand in the OpenAPI document. */
export const tags = ['retraining']

/** How a person answers a run. */
export const byPerson = (summary: string) => ({
  summary,
  tags,
  params: RunPath,
  body: RunAnswerBody,
  response: answersToBody({ 200: RunAnswer }, 404, 409),
})

/**
 * Holds that the caller may operate the model of a run; of one that is not there others tell.
 *
 * @throws {Problem} 403 `foreign_model`
 */
export async function requireRun(
  { postgres }: Ledger,
  runId: string,
  reach: FastifyRequest['reach'],
): Promise<void> {
  const operate = reach('operate')
  const run = operate.ids && (await readRun(postgres, runId))
  if (run) operate.require(run.model_id)
}

/** The routes of the audit log, and of decisions that are made again from it. */
import type { Http } from '../../../lib/http/server.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import { answers } from '../../../schemas/http/errors.ts'
import { RunPath } from '../../../schemas/http/parts.ts'
import { ReplayAnswer } from '../../../schemas/http/run-evidence.ts'
import { AuditAnswer, AuditQuery } from '../../../schemas/http/retrain-trigger.ts'
import { incompleteness, readAudit, readEvidence } from '../../../lib/postgres/audit-log.ts'
import { firstOtherCopy } from '../../../lib/postgres/audit-verify.ts'
import { replayRun } from '../loop/replay.ts'
import { readRun } from '../queries/runs.ts'
import type { RetrainRoutesOptions } from './options.ts'
import { READ, tags } from './parameters.ts'

/** Adds `GET /v1/audit`. */
export function addAuditLog(http: Http, { engine }: RetrainRoutesOptions): void {
  const { queries, ledger } = engine
  http.get(
    '/v1/audit',
    {
      // One chain tells of all models.
      config: { ...READ, isByModel: false },
      schema: {
        summary:
          'The audit log, oldest first, each entry with the hash of the one before; complete says whether any is missed',
        tags,
        querystring: AuditQuery,
        response: answers({ 200: AuditAnswer }),
      },
    },
    async ({ query }) => {
      const mirrored = await queries.lastAudited()
      const evidence = await readEvidence(ledger.postgres, mirrored)
      const entries = await readAudit(ledger.postgres, query.after, query.limit)
      const [first] = entries
      const copies = first
        ? await queries.auditedHashes(first.sequence, entries.at(-1)!.sequence)
        : new Map<number, string>()
      const other = firstOtherCopy(entries, copies)
      const reason =
        incompleteness(entries, evidence) ??
        (other === undefined
          ? undefined
          : `entry ${other} differs from its copy in ClickHouse: one of them was replaced`)
      return { entries, complete: reason === undefined, reason: reason ?? '', head: evidence.head }
    },
  )
}

/** Adds `GET /v1/runs/:id/replay`. */
export function addReplay(http: Http, { engine, readDataset }: RetrainRoutesOptions): void {
  http.get(
    '/v1/runs/:id/replay',
    {
      config: READ,
      schema: {
        summary: 'The decision that a run follows from, made again from what is stored',
        tags,
        params: RunPath,
        response: answers({ 200: ReplayAnswer }, 404),
      },
    },
    async ({ params, reach }) => {
      const { queries, ledger } = engine
      const run = await readRun(ledger.postgres, params.id)
      if (!run) throw new Problem(404, 'unknown_run', `there is no run ${params.id}`)
      reach('read').require(run.model_id)
      const modelFile = engine.policies.get(run.model_id)?.[0]?.modelFile ?? ''
      return replayRun({ queries, ledger, readDataset, modelFile }, run)
    },
  )
}

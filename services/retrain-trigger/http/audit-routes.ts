/** The routes of the audit log, and of decisions that are made again from it. */
import type { Static } from 'typebox'
import { eventTime } from '../../../lib/events/fields.ts'
import type { Http } from '../../../lib/http/server.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import { answers } from '../../../schemas/http/errors.ts'
import { RunPath } from '../../../schemas/http/parts.ts'
import { AuditAnswer, AuditQuery } from '../../../schemas/http/pages/audit.ts'
import { ReplayAnswer } from '../../../schemas/http/runs/run-evidence.ts'
import {
  firstUnlinked,
  incompleteness,
  readEvidence,
  searchAudit,
  type AuditSearch,
} from '../../../lib/postgres/audit-log.ts'
import { firstOtherCopy } from '../../../lib/postgres/audit-verify.ts'
import { replayRun } from '../loop/replay.ts'
import { readRun } from '../queries/runs.ts'
import type { RetrainRoutesOptions } from './options.ts'
import { READ, tags } from './parameters.ts'

/** A time that was validated, to the millisecond. */
const instantOf = (text: string | undefined) =>
  text === undefined ? undefined : new Date(eventTime(text)!)

const searchOf = (query: Static<typeof AuditQuery>): AuditSearch => ({
  after: query.after,
  before: query.before,
  limit: query.limit,
  action: query.action,
  actor: query.actor,
  modelId: query.model_id,
  from: instantOf(query.from),
  to: instantOf(query.to),
  isNewestFirst: query.order === 'newest',
})

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
          'The audit log, each entry with the hash of the one before; complete says whether any is missed',
        tags,
        querystring: AuditQuery,
        response: answers({ 200: AuditAnswer }),
      },
    },
    async ({ query }) => {
      const mirrored = await queries.lastAudited()
      const evidence = await readEvidence(ledger.postgres, mirrored)
      const found = await searchAudit(ledger.postgres, searchOf(query))
      const copies = await queries.auditedHashes(found.map(({ sequence }) => sequence))
      const other = firstOtherCopy(found, copies)
      const reason =
        incompleteness(firstUnlinked(found), evidence) ??
        (other === undefined
          ? undefined
          : `entry ${other} differs from its copy in ClickHouse: one of them was replaced`)
      const entries = found.map((linked) => {
        const { hash_before: _before, ...entry } = linked
        return entry
      })
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

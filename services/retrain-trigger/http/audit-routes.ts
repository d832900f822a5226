/** The route of the audit log. */
import type { Http } from '../../../lib/http/server.ts'
import { incompleteness, readAudit, readEvidence } from '../queries/audit-log.ts'
import type { RetrainRoutesOptions } from './options.ts'
import { limit, object, READ } from './parameters.ts'

/** Adds `GET /v1/audit`. */
export function addAuditLog(http: Http, { engine }: RetrainRoutesOptions): void {
  const { queries, ledger } = engine
  http.get<{ Querystring: { after: number; limit: number } }>(
    '/v1/audit',
    {
      config: READ,
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
      const evidence = await readEvidence(ledger.postgres, mirrored)
      const entries = await readAudit(ledger.postgres, query.after, query.limit)
      const reason = incompleteness(entries, evidence)
      return { entries, complete: reason === undefined, reason: reason ?? '', head: evidence.head }
    },
  )
}

/** The route of the audit log. */
import type { Http } from '../../../lib/http/server.ts'
import { answers } from '../../../schemas/http/errors.ts'
import { AuditAnswer, AuditQuery } from '../../../schemas/http/retrain-trigger.ts'
import { incompleteness, readAudit, readEvidence } from '../../../lib/postgres/audit-log.ts'
import type { RetrainRoutesOptions } from './options.ts'
import { READ, tags } from './parameters.ts'

/** Adds `GET /v1/audit`. */
export function addAuditLog(http: Http, { engine }: RetrainRoutesOptions): void {
  const { queries, ledger } = engine
  http.get(
    '/v1/audit',
    {
      config: READ,
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
      const reason = incompleteness(entries, evidence)
      return { entries, complete: reason === undefined, reason: reason ?? '', head: evidence.head }
    },
  )
}

/** What has become of one run, as the audit log tells it. */
import type { Sql } from '../../../lib/postgres/port.ts'
import type { RunTransition } from '../../../schemas/http/runs/run-outcomes.ts'

/** Entries of one run that are read at most: it has some ten. */
const MAX_ENTRIES = 200

interface Entry {
  at: Date
  actor: string
  action: string
  detail: { message?: string; reason?: string; for?: string }
}

/** Reads the states that a run has reached and what was said of it, the oldest first. */
export async function readTransitions(sql: Sql, runId: string): Promise<RunTransition[]> {
  const rows = await sql.query<Entry>(
    `select at, actor, action, detail from audit_log where subject = $1 and action like 'run.%'
     order by sequence limit ${MAX_ENTRIES}`,
    [runId],
  )
  return rows.map(({ at, actor, action, detail }, i) => ({
    state: action.slice('run.'.length),
    actor,
    for: detail.for ?? '',
    // What asked for the run is its reason; later states have their own, or none.
    reason: detail.message || (i === 0 ? (detail.reason ?? '') : ''),
    at: new Date(at).toISOString(),
  }))
}

/** What has become of one run, as the audit log tells it. */
import { durationMs } from '../../../lib/runtime/durations.ts'
import type { Sql } from '../../../lib/postgres/port.ts'
import type { EscalationStep } from '../../../schemas/http/runs/delegations.ts'
import type { Escalation } from '../../../schemas/model-retrain.ts'
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

/** Reads whom the approval of a run is taken to, and which of these steps were taken. */
async function readEscalation(sql: Sql, runId: string): Promise<EscalationStep[]> {
  const [run] = await sql.query<{ created_at: Date; escalate: Escalation[] | null }>(
    "select created_at, terms->'escalate' as escalate from runs where run_id = $1",
    [runId],
  )
  const told = await sql.query<{ step: number; told_at: Date; missing: string[] }>(
    'select step, told_at, missing from approval_escalations where run_id = $1',
    [runId],
  )
  return (run?.escalate ?? []).map(({ after, to }, i) => {
    const taken = told.find(({ step }) => step === i)
    const dueAt = new Date(run!.created_at).getTime() + durationMs(after)
    return {
      after,
      to,
      due_at: new Date(dueAt).toISOString(),
      missing: taken?.missing ?? [],
      told_at: taken ? new Date(taken.told_at).toISOString() : null,
    }
  })
}

/** Reads what has become of a run: its transitions, and whom its approval was taken to. */
export const readRunHistory = async (sql: Sql, runId: string) => ({
  escalation: await readEscalation(sql, runId),
  transitions: await readTransitions(sql, runId),
})

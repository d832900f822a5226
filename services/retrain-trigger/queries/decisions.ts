/** What is asked about decisions in the control database. */
import type { Sql } from '../../../lib/postgres/port.ts'
import type { Answer } from '../decide/policies.ts'

/** Reads what one policy has answered for each window, by cause. */
export async function readAnswers(
  sql: Sql,
  modelId: string,
  policy: string,
): Promise<ReadonlyMap<string, Answer>> {
  const rows = await sql.query<Answer & { cause: string }>(
    `select cause, action = 'launch' as launched, evidence_revision as revision from decisions
     where model_id = $1 and policy = $2 and cause like 'window:%'`,
    [modelId, policy],
  )
  return new Map(rows.map((row) => [row.cause, row]))
}

interface StoredDecision {
  policy: string
  cause: string
  action: string
  reason: string
  window_end: Date | null
  evidence_revision: number
  at: Date
}

/**
 * Reads decisions about a model, the newest `limit` of them, newest first; times are RFC 3339 in
 * UTC.
 */
export async function listDecisions(sql: Sql, modelId: string, limit: number) {
  const rows = await sql.query<StoredDecision>(
    `select policy, cause, action, reason, window_end, evidence_revision, at from decisions
     where model_id = $1 order by at desc, window_end desc, policy, cause limit $2`,
    [modelId, limit],
  )
  return rows.map((row) => ({
    ...row,
    window_end: row.window_end && new Date(row.window_end).toISOString(),
    at: new Date(row.at).toISOString(),
  }))
}

/** Reads which of these causes have launched a run of the policy. */
export async function readLaunchedCauses(
  sql: Sql,
  modelId: string,
  policy: string,
  causes: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await sql.query<{ cause: string }>(
    `select cause from decisions where model_id = $1 and policy = $2 and action = 'launch' and cause = any($3::text[])`,
    [modelId, policy, causes],
  )
  return new Set(rows.map(({ cause }) => cause))
}

/** Reads what policies of a model answered for one cause, each with the run it launched. */
export const readCause = (
  sql: Sql,
  modelId: string,
  cause: string,
): Promise<{ policy: string; reason: string; run_id: string | null }[]> =>
  sql.query(
    `select d.policy, d.reason, r.run_id from decisions d
     left join runs r on r.model_id = d.model_id and r.policy = d.policy and r.cause = d.cause
     where d.model_id = $1 and d.cause = $2 order by d.policy`,
    [modelId, cause],
  )

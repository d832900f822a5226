/** Alerts that came in, kept so that policies may be tried on them. */
import type { Sql } from '../../../../lib/postgres/port.ts'
import type { AlertRequest } from '../../decide/alert-requests.ts'

/** Alerts of one model that are kept; older ones go. */
const MAX_KEPT = 10_000

/**
 * Keeps alerts of models, those that nothing waits for too. One that comes again is kept as it came
 * first.
 *
 * @param at when they came, epoch milliseconds
 */
export async function keepAlerts(
  sql: Sql,
  asked: readonly AlertRequest[],
  at: number,
): Promise<void> {
  if (asked.length === 0) return
  const column = (of: (one: AlertRequest) => string) => asked.map(of)
  await sql.query(
    `insert into received_alerts (model_id, cause, name, policy, received_at)
     select *, $5::timestamptz from unnest($1::text[], $2::text[], $3::text[], $4::text[])
     on conflict do nothing`,
    [
      column(({ modelId }) => modelId),
      column(({ cause }) => cause),
      column(({ name }) => name),
      column(({ policy = '' }) => policy),
      new Date(at),
    ],
  )
  for (const modelId of new Set(column((one) => one.modelId)))
    await sql.query(
      `delete from received_alerts where model_id = $1 and received_at < (select received_at from received_alerts
         where model_id = $1 order by received_at desc offset ${MAX_KEPT - 1} limit 1)`,
      [modelId],
    )
}

/** Alerts of a span, and how far back they are known. */
export interface KnownAlerts {
  /** By when they came, epoch milliseconds. */
  alerts: { name: string; at: number }[]
  /** When the oldest alert came that is kept, of any model; undefined where none is. */
  since: number | undefined
}

/** Reads alerts of these names that came for a model in a span, the newest `limit` of them, by time. */
export async function readReceivedAlerts(
  sql: Sql,
  names: readonly string[],
  { modelId, from, to }: { modelId: string; from: number; to: number },
  limit: number,
): Promise<KnownAlerts> {
  const rows = await sql.query<{ name: string; received_at: Date }>(
    `select name, received_at from received_alerts
     where model_id = $1 and name = any($2::text[]) and policy = '' and received_at between $3 and $4
     order by received_at desc, cause limit $5`,
    [modelId, names, new Date(from), new Date(to), limit],
  )
  const [oldest] = await sql.query<{ at: Date | null }>(
    'select min(received_at) as at from received_alerts',
  )
  return {
    alerts: rows
      .map(({ name, received_at: at }) => ({ name, at: new Date(at).getTime() }))
      .toReversed(),
    since: oldest?.at ? new Date(oldest.at).getTime() : undefined,
  }
}

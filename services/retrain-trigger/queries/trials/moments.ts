/** What a trial reads besides windows: when no event came, and what was known of candidates. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { Sql } from '../../../../lib/postgres/port.ts'
import type { SeenCanary } from '../../decide/condition-tests.ts'
import type { StoredRun } from '../run-record.ts'
import type { TrialSpan } from './policy-trials.ts'

/** A time in which no event came, epoch milliseconds; it may last still. */
export interface Gap {
  since: number
  until: number
}

/** Times without events, by their beginnings, and how far back events are known. */
export interface KnownGaps {
  gaps: Gap[]
  /** When the oldest event of the span came; undefined where none did. */
  since: number | undefined
}

const OF_SPAN = `model_id = {model:String} AND received_at BETWEEN fromUnixTimestamp64Milli({from:Int64}) AND fromUnixTimestamp64Milli({to:Int64})`

/**
 * Reads when no event of a model came for longer than `ms`, a minute or more: the newest `limit` of
 * such times.
 */
export async function readGaps(
  db: ClickHouse,
  { modelId: model, from, to }: TrialSpan,
  ms: number,
  limit: number,
): Promise<KnownGaps> {
  // An event of a minute is near all others of it, so that minutes say as much as events.
  const rows = await db.query<{ since: string; until: string }>(
    `SELECT toUnixTimestamp64Milli(before) AS since, toUnixTimestamp64Milli(first) AS until FROM (
       SELECT first, lagInFrame(last, 1) OVER (ORDER BY minute ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before, minute
       FROM (SELECT toStartOfMinute(received_at) AS minute, min(received_at) AS first, max(received_at) AS last
             FROM predictions WHERE ${OF_SPAN} GROUP BY minute))
     WHERE since > 0 AND until - since > {ms:Int64} ORDER BY since DESC LIMIT {limit:UInt32}`,
    { model, from, to, ms, limit },
  )
  const [ends] = await db.query<{ first: string; last: string; n: string }>(
    `SELECT toUnixTimestamp64Milli(min(received_at)) AS first, toUnixTimestamp64Milli(max(received_at)) AS last, count() AS n
     FROM predictions WHERE ${OF_SPAN}`,
    { model, from, to },
  )
  if (!ends || ends.n === '0') return { gaps: [], since: undefined }
  const gaps = rows
    .map(({ since, until }) => ({ since: Number(since), until: Number(until) }))
    .toReversed()
  const last = Number(ends.last)
  if (to - last > ms) gaps.push({ since: last, until: to })
  return { gaps, since: Number(ends.first) }
}

/** What was known of a candidate, and when it was looked at. */
export interface KnownCanary extends SeenCanary {
  /** Epoch milliseconds. */
  at: number
}

/** Reads the newest verdict of each candidate of a model that was looked at in a span, by time. */
export async function readCanaries(
  sql: Sql,
  { modelId, from, to }: TrialSpan,
  limit: number,
): Promise<KnownCanary[]> {
  const rows = await sql.query<Pick<StoredRun, 'run_id' | 'new_version' | 'rollout'>>(
    `select run_id, new_version, rollout from runs
     where model_id = $1 and step is null and rollout->'verdict'->>'decision' is not null
       and (rollout->'verdict'->>'evaluated_at')::timestamptz between $2 and $3
     order by rollout->'verdict'->>'evaluated_at' desc, run_id limit $4`,
    [modelId, new Date(from), new Date(to), limit],
  )
  return rows
    .map(({ run_id, new_version: version, rollout }) => {
      const { verdict, place, share } = rollout!
      const { decision, evaluated_at: at } = verdict!
      return { run_id, version, decision, place, share, at: Date.parse(at) }
    })
    .toReversed()
}

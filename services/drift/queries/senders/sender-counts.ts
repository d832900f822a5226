/** What each sender of a model sent in windows, as it is counted while events are stored. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { Window } from '../../../../lib/models/windows.ts'
import { sqlTime } from '../../data/cohort.ts'
import type { SenderKind } from '../../data/senders.ts'

/** Senders of each kind that are evaluated: those that sent the most. */
const MAX_SENDERS = 20

/** 64-bit integers come as strings. */
interface Row extends Record<
  'model' | 'kind' | 'name' | 'now' | 'first_ms' | 'newest_ms' | 'joined' | 'of',
  string
> {
  counts: string[]
}

/** Which senders are asked for. */
export interface SendersQuestion {
  modelId: string
  kind: SenderKind
  window: Window
  /** The windows before, none of them later. */
  usual: readonly Window[]
  /** Senders whose newest event is older are left out; epoch milliseconds. */
  since: number
}

/** What one sender sent; times are epoch milliseconds. */
export interface SenderCounts {
  kind: SenderKind
  name: string
  now: number
  /** Events of each of the windows before. */
  counts: number[]
  first: number
  newest: number
  /** Senders of the kind with events now whose first one came at `since` or later. */
  joined: number
  /** Senders of the kind, those beyond the bound included. */
  of: number
}

/**
 * How many senders of each kind each model has ever had, in the order of `models`.
 *
 * @throws what ClickHouse throws
 */
export async function kindsOfSenders(
  db: ClickHouse,
  models: readonly string[],
): Promise<ReadonlyMap<SenderKind, number>[]> {
  const rows = await db.query<{ model: string; kind: SenderKind; n: string }>(
    `SELECT model_id AS model, kind, uniq(sender) AS n FROM sender_counts
     WHERE model_id IN {models:Array(String)} GROUP BY model, kind`,
    { models },
  )
  const own = Map.groupBy(rows, ({ model }) => model)
  return models.map(
    (model) => new Map((own.get(model) ?? []).map(({ kind, n }) => [kind, Number(n)])),
  )
}

/** What models that ask alike share: all but the model. */
export const sendersKey = ({ kind, window, usual, since }: SendersQuestion) =>
  JSON.stringify([kind, window, usual, since])

/**
 * The {@link MAX_SENDERS} of each kind with the most events, for each of the questions, which
 * differ in the model alone.
 *
 * @throws what ClickHouse throws
 */
export async function senderCounts(
  db: ClickHouse,
  asked: readonly SendersQuestion[],
): Promise<SenderCounts[][]> {
  const { kind, window, usual, since } = asked[0]!
  const oldest = usual.reduce((least, { start }) => Math.min(least, start), window.start)
  const rows = await db.query<Row>(
    `SELECT model_id AS model, kind, sender AS name, now, counts, first_ms, newest_ms,
       countIf(now > 0 AND first_ms >= {since:Int64}) OVER (PARTITION BY model_id, kind) AS joined, count() OVER (PARTITION BY model_id, kind) AS of
     FROM (
       SELECT model_id, kind, sender, sumIf(n, step >= {from:DateTime64(3, 'UTC')}) AS now,
         sumForEach(arrayMap((start, end) -> if(step >= start AND step < end, n, 0),
           {starts:Array(DateTime64(3, 'UTC'))}, {ends:Array(DateTime64(3, 'UTC'))})) AS counts,
         toUnixTimestamp(min(step)) * 1000 AS first_ms, toUnixTimestamp64Milli(max(last)) AS newest_ms
       FROM (SELECT model_id, kind, sender, step, sum(events) AS n, max(newest) AS last FROM sender_counts
         WHERE model_id IN {models:Array(String)} AND kind = {kind:String}
           AND step >= {oldest:DateTime64(3, 'UTC')} AND step < {to:DateTime64(3, 'UTC')}
         GROUP BY model_id, kind, sender, step)
       GROUP BY model_id, kind, sender HAVING newest_ms >= {since:Int64}
     ) ORDER BY now + arraySum(counts) DESC, name LIMIT ${MAX_SENDERS} BY model_id, kind`,
    {
      models: asked.map(({ modelId }) => modelId),
      kind,
      since,
      from: sqlTime(window.start),
      to: sqlTime(window.end),
      oldest: sqlTime(oldest),
      starts: usual.map(({ start }) => sqlTime(start)),
      ends: usual.map(({ end }) => sqlTime(end)),
    },
  )
  const own = Map.groupBy(rows, ({ model }) => model)
  return asked.map(({ modelId }) => (own.get(modelId) ?? []).map(countsOf))
}

const countsOf = (row: Row): SenderCounts => ({
  kind: row.kind as SenderKind,
  name: row.name,
  now: Number(row.now),
  counts: row.counts.map(Number),
  first: Number(row.first_ms),
  newest: Number(row.newest_ms),
  joined: Number(row.joined),
  of: Number(row.of),
})

/** Known answers to predictions, as operators declare them. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import { appendAudit } from '../../../../lib/postgres/audit-log.ts'
import type { Postgres, Sql } from '../../../../lib/postgres/port.ts'
import type { GoldItem } from '../../../../schemas/http/reviews/gold.ts'
import type { GoldGiven } from '../../data/gold/gold-measures.ts'
import type { ReviewLabel } from '../../data/review-label.ts'
import { taskIdOf } from '../../data/task-id.ts'

/** Known answers of a model that are in use at most. */
export const MAX_GOLD = 5000
/** Answers to gold that are read, the newest. */
const MAX_ANSWERS = 50_000

/** A known answer as it was checked; a null label retires it. */
export interface KnownAnswer {
  predictionId: string
  label: ReviewLabel | null
  tolerance: number
}

/** What became of known answers, by how many. */
export interface DeclaredGold {
  declared: number
  changed: number
  retired: number
  unchanged: number
  /** Those beyond {@link MAX_GOLD}, by the ids of their predictions. */
  beyond: string[]
}

/** Ids among these of predictions that are stored. */
export async function storedPredictions(
  db: ClickHouse,
  modelId: string,
  ids: readonly string[],
): Promise<Set<string>> {
  const rows = await db.query<{ prediction_id: string }>(
    `SELECT DISTINCT prediction_id FROM predictions
     WHERE model_id = {model:String} AND prediction_id IN {ids:Array(String)}
       AND predicted_at IN (SELECT predicted_at FROM prediction_times WHERE model_id = {model:String} AND id_hash IN arrayMap(id -> sipHash64(id), {ids:Array(String)}))`,
    { model: modelId, ids },
  )
  return new Set(rows.map((row) => row.prediction_id))
}

/**
 * Keeps known answers; who declared how many is in the audit log, without the predictions, which
 * may be erased. A changed one measures the answers that were given before, too.
 */
export function declareGold(
  db: Postgres,
  modelId: string,
  known: readonly KnownAnswer[],
  { actor, now }: { actor: string; now: number },
): Promise<DeclaredGold> {
  return db.transaction(async (tx) => {
    // Two operators at a time would both see room for one more.
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('gold ' || $1, 0))`, [modelId])
    const counts: DeclaredGold = { declared: 0, changed: 0, retired: 0, unchanged: 0, beyond: [] }
    let inUse = await inUseOf(tx, modelId)
    for (const one of known) {
      const { before, isInUse } = await knownBefore(tx, modelId, one)
      if (one.label === null) {
        counts[isInUse ? 'retired' : 'unchanged']++
        if (isInUse) await retire(tx, modelId, one.predictionId, now)
      } else if (isInUse && before === `${one.tolerance} ${JSON.stringify(one.label)}`) {
        counts.unchanged++
      } else if (!isInUse && inUse >= MAX_GOLD) {
        counts.beyond.push(one.predictionId)
      } else {
        if (!isInUse) inUse++
        counts[isInUse ? 'changed' : 'declared']++
        await keep(tx, modelId, one, { actor, now })
      }
    }
    const { declared, changed, retired } = counts
    if (declared + changed + retired > 0)
      await appendAudit(tx, {
        at: new Date(now),
        actor,
        action: 'review.gold',
        subject: modelId,
        detail: {
          model_id: modelId,
          message: `known answers: ${declared} declared, ${changed} changed, ${retired} retired`,
        },
      })
    return counts
  })
}

async function inUseOf(tx: Sql, modelId: string): Promise<number> {
  const [row] = await tx.query<{ n: number }>(
    'select count(*)::int as n from review_gold where model_id = $1 and retired_at is null',
    [modelId],
  )
  return row!.n
}

async function knownBefore(tx: Sql, modelId: string, { predictionId }: KnownAnswer) {
  const [row] = await tx.query<{ label: ReviewLabel; tolerance: number; is_in_use: boolean }>(
    'select label, tolerance, retired_at is null as is_in_use from review_gold where model_id = $1 and prediction_id = $2',
    [modelId, predictionId],
  )
  return {
    before: row && `${row.tolerance} ${JSON.stringify(row.label)}`,
    isInUse: row?.is_in_use ?? false,
  }
}

async function retire(tx: Sql, modelId: string, predictionId: string, now: number) {
  await tx.query(
    'update review_gold set retired_at = $3 where model_id = $1 and prediction_id = $2 and retired_at is null',
    [modelId, predictionId, new Date(now)],
  )
}

async function keep(
  tx: Sql,
  modelId: string,
  { predictionId, label, tolerance }: KnownAnswer,
  { actor, now }: { actor: string; now: number },
) {
  await tx.query(
    `insert into review_gold (task_id, model_id, prediction_id, label, tolerance, declared_by, declared_at)
     values ($1, $2, $3, $4::jsonb, $5, $6, $7)
     on conflict (model_id, prediction_id) do update set label = excluded.label, tolerance = excluded.tolerance,
       declared_by = excluded.declared_by, declared_at = excluded.declared_at, retired_at = null`,
    [
      taskIdOf(modelId, predictionId),
      modelId,
      predictionId,
      JSON.stringify(label),
      tolerance,
      actor,
      new Date(now),
    ],
  )
}

/** Known answers in use, those first that most reviewers answer otherwise: one may be wrong itself. */
export async function listGold(
  db: Sql,
  modelId: string,
  limit: number,
): Promise<{ in_use: number; gold: GoldItem[] }> {
  const rows = await db.query<Omit<GoldItem, 'declared_at'> & { declared_at: Date }>(
    `select g.prediction_id, g.label, g.tolerance, g.declared_by, g.declared_at, (count(a.*) filter (where not a.skipped))::int as answers,
       (count(a.*) filter (where not a.skipped and ${IS_RIGHT}))::int as correct, (count(a.*) filter (where a.skipped))::int as skips
     from review_gold g left join gold_answers a using (task_id) where g.model_id = $1 and g.retired_at is null
     group by g.task_id order by (count(a.*) filter (where not a.skipped and not ${IS_RIGHT})) desc, g.prediction_id limit $2`,
    [modelId, limit],
  )
  const gold = rows.map((row) => ({ ...row, declared_at: new Date(row.declared_at).toISOString() }))
  return { in_use: await inUseOf(db, modelId), gold }
}

/** As `isRight` of the measures has it; an answer that is no number is wrong beside one. */
const IS_RIGHT = `case when jsonb_typeof(g.label) <> 'number' then a.label #>> '{}' = g.label #>> '{}'
  when a.label #>> '{}' ~ '^[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]{1,3})?$'
    then abs((a.label #>> '{}')::double precision - (g.label #>> '{}')::double precision) <= g.tolerance
  else false end`

/** Answers to gold that were given since `from`, epoch milliseconds; retired gold counts too. */
export const goldGiven = (
  db: Sql,
  { modelId, from }: { modelId: string; from: number },
): Promise<GoldGiven[]> =>
  db.query<GoldGiven>(
    `select a.reviewer, a.label, a.skipped, g.label as known, g.tolerance from gold_answers a join review_gold g using (task_id)
     where g.model_id = $1 and a.submitted_at >= $2 order by a.submitted_at desc limit ${MAX_ANSWERS}`,
    [modelId, new Date(from)],
  )

/** How many known answers of a model are in use. */
export const goldInUse = inUseOf

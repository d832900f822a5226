/**
 * Joined truth of what only some models have: forecasts with quantiles, rankings, metrics of the
 * model file.
 */
import type { ClickHouse, Params } from '../../../../lib/clickhouse/port.ts'
import { messageOf } from '../../../../lib/runtime/errors.ts'
import type { Model } from '../../../../lib/models/model-files.ts'
import { momentsOf } from '../../../../lib/stats/samples/moments.ts'
import { weightedMoments } from './weighted.ts'
import { within } from '../../data/cohort.ts'
import type { CustomValue, ForecastCounts, RankingCounts } from '../../data/window-data.ts'

/** Truth knows no quantiles and no places: these lie in `predictions`. */
const withPredictions = (source: string, columns: string) =>
  `${source} AS truth INNER JOIN (SELECT prediction_id, ${columns} FROM predictions WHERE model_id = {model:String} AND ${within('predicted_at')}) AS told USING (prediction_id)`

/** Whether predictions give quantiles. */
export const hasForecasts = async (db: ClickHouse, params: Params) =>
  (
    await db.query(
      `SELECT 1 FROM predictions WHERE model_id = {model:String} AND ${within('predicted_at')} AND notEmpty(quantiles) LIMIT 1`,
      params,
    )
  ).length > 0

/** @returns undefined where none of them has a truth */
export async function readForecasts(
  db: ClickHouse,
  source: string,
  params: Params,
): Promise<ForecastCounts | undefined> {
  const forecasts = `(
     SELECT weight, assumeNotNull(label_number) AS y,
       arraySort(arrayMap((p, v) -> (toFloat64(p), v), mapKeys(quantiles), mapValues(quantiles))) AS told_quantiles,
       arrayAvg(arrayMap(q -> if(y >= q.2, q.1 * (y - q.2), (1 - q.1) * (q.2 - y)), told_quantiles)) AS loss,
       toFloat64(y >= told_quantiles[1].2 AND y <= told_quantiles[-1].2) AS inside, round(told_quantiles[-1].1 - told_quantiles[1].1, 9) AS share
     FROM ${withPredictions(source, 'quantiles')}
     WHERE isNotNull(label_number) AND notEmpty(quantiles) AND arrayAll(p -> ifNull(toFloat64OrNull(p) BETWEEN 0 AND 1, 0), mapKeys(quantiles)))`
  const [row] = await db.query<{ loss: number | null; nominal: number; nominals: string }>(
    `SELECT avgOrNull(loss) AS loss, any(share) AS nominal, uniqExact(share) AS nominals FROM ${forecasts}`,
    params,
  )
  if (!row || row.loss === null) return undefined
  const { loss, inside } = await weightedMoments(
    db,
    { loss: { sql: 'loss', near: row.loss }, inside: { sql: 'inside', near: 0 } },
    forecasts,
    params,
  )
  if (!loss || !inside) return undefined
  return {
    n: loss.n,
    pinball: loss.mean,
    within: inside.mean.mean * inside.n,
    nominal: Number(row.nominals) === 1 && row.nominal > 0 ? row.nominal : null,
  }
}

/** Places of a ranking that count. */
const RANKING_DEPTH = 10

/**
 * Labels are relevances, 0 for none; divided by the propensity with which an item was seen, where
 * predictions give it. Items lie in the order of `position`, else of falling score. Rankings
 * without a relevant item have no best order, and are left out. A sampled stream draws a ranking as
 * a whole: it stands for as many as its items do.
 */
export async function readRanking(
  db: ClickHouse,
  source: string,
  params: Params,
): Promise<RankingCounts | undefined> {
  const rankings = `(
     SELECT max(weight) AS weight, arraySort(groupArray((if(isNull(position), -ifNull(score, 0), toFloat64(assumeNotNull(position))), prediction_id, gain))).3 AS gains,
       arraySum((g, i) -> g / log2(i + 1), arraySlice(gains, 1, ${RANKING_DEPTH}), range(1, least(length(gains), ${RANKING_DEPTH}) + 1)) AS dcg,
       arraySlice(arrayReverseSort(gains), 1, ${RANKING_DEPTH}) AS best,
       arraySum((g, i) -> g / log2(i + 1), best, range(1, length(best) + 1)) AS ideal,
       arrayFirstIndex(g -> g > 0, gains) AS first, dcg / ideal AS ndcg, toFloat64(first <= ${RANKING_DEPTH}) AS hit, 1 / first AS reciprocal
     FROM (
       SELECT group_id, prediction_id, position, score, truth.weight AS weight, greatest(assumeNotNull(label_number), 0) / ifNull(exposure_propensity, 1) AS gain
       FROM ${withPredictions(source, 'group_id, position, exposure_propensity')}
       WHERE group_id != '' AND isNotNull(label_number))
     GROUP BY group_id HAVING first > 0)`
  const { ndcg, hit, reciprocal } = await weightedMoments(
    db,
    {
      ndcg: { sql: 'ndcg', near: 1 },
      hit: { sql: 'hit', near: 0 },
      reciprocal: { sql: 'reciprocal', near: 1 },
    },
    rankings,
    params,
  )
  if (!ndcg || !hit || !reciprocal) return undefined
  return {
    n: ndcg.n,
    ndcg: ndcg.mean,
    hits: hit.mean.mean * hit.n,
    reciprocalRank: reciprocal.mean,
  }
}

/** Parts of the cases, each left out once. */
const PARTS = 20

/**
 * Aggregate expressions of the model file, with standard errors by the jackknife that leaves out a
 * twentieth of the cases at a time: whatever the expression, as long as it is smooth. One that
 * ClickHouse refuses has a problem instead of a value.
 */
export function readCustom(
  db: ClickHouse,
  model: Model,
  source: string,
  params: Params,
): Promise<CustomValue[]> {
  return Promise.all(
    Object.entries(model.customMetrics).map(async ([name, expression]) => {
      try {
        const rows = await db.query<{ part: number; value: number | null; n: string }>(
          `SELECT part, toFloat64(${expression}) AS value, count() AS n
           FROM ${source} ARRAY JOIN range(${PARTS + 1}) AS part
           WHERE part = 0 OR part != sipHash64(prediction_id) % ${PARTS} + 1 GROUP BY part ORDER BY part`,
          params,
        )
        return jackknifed(
          name,
          Number(rows[0]?.n ?? 0),
          rows.map((row) => row.value),
        )
      } catch (error) {
        return {
          name,
          problem: messageOf(error).slice(0, 500),
          value: NaN,
          standardError: NaN,
          n: 0,
        }
      }
    }),
  )
}

/** @param values of all cases, then without one part each */
function jackknifed(name: string, n: number, [value, ...without]: (number | null)[]): CustomValue {
  const given = without.filter((one) => one !== null)
  return {
    name,
    problem: Number.isFinite(value) ? '' : 'the expression has no value',
    value: value ?? NaN,
    standardError: (given.length - 1) * Math.sqrt(momentsOf(given).variance / given.length),
    n,
  }
}

/** Joined truth of what only some models have: forecasts with quantiles, rankings, metrics of the model file. */
import type { ClickHouse, Params } from '../../lib/clickhouse.ts'
import { messageOf } from '../../lib/errors.ts'
import type { Model } from '../../lib/models.ts'
import { momentsOf } from '../../lib/stats/moments.ts'
import { within } from './scope.ts'
import type { CustomValue, ForecastCounts, RankingCounts } from './window-data.ts'

/** Truth knows no quantiles and no places: these lie in `predictions`. */
const withPredictions = (source: string, columns: string) =>
  `${source} AS truth INNER JOIN (SELECT prediction_id, ${columns} FROM predictions WHERE model_id = {model:String} AND ${within('predicted_at')}) AS told USING (prediction_id)`

/** @returns undefined where no prediction gives quantiles */
export async function readForecasts(
  db: ClickHouse,
  source: string,
  params: Params,
): Promise<ForecastCounts | undefined> {
  const [some] = await db.query(
    `SELECT 1 FROM predictions WHERE model_id = {model:String} AND ${within('predicted_at')} AND notEmpty(quantiles) LIMIT 1`,
    params,
  )
  if (!some) return undefined
  const [row] = await db.query<{
    n: string
    pinball: number | null
    deviation: number | null
    inside: string
    nominal: number
    nominals: string
  }>(
    `SELECT count() AS n, avg(loss) AS pinball, stddevSamp(loss) AS deviation, countIf(y >= low AND y <= high) AS inside,
       any(share) AS nominal, uniqExact(share) AS nominals
     FROM (
       SELECT assumeNotNull(label_number) AS y,
         arraySort(arrayMap((p, v) -> (toFloat64(p), v), mapKeys(quantiles), mapValues(quantiles))) AS told_quantiles,
         arrayAvg(arrayMap(q -> if(y >= q.2, q.1 * (y - q.2), (1 - q.1) * (q.2 - y)), told_quantiles)) AS loss,
         told_quantiles[1].2 AS low, told_quantiles[-1].2 AS high, round(told_quantiles[-1].1 - told_quantiles[1].1, 9) AS share
       FROM ${withPredictions(source, 'quantiles')}
       WHERE isNotNull(label_number) AND notEmpty(quantiles) AND arrayAll(p -> ifNull(toFloat64OrNull(p) BETWEEN 0 AND 1, 0), mapKeys(quantiles)))`,
    params,
  )
  const n = Number(row?.n ?? 0)
  if (!row || n === 0 || row.pinball === null) return undefined
  return {
    n,
    pinball: { mean: row.pinball, standardDeviation: row.deviation ?? 0 },
    within: Number(row.inside),
    nominal: Number(row.nominals) === 1 && row.nominal > 0 ? row.nominal : null,
  }
}

/** Places of a ranking that count. */
const RANKING_DEPTH = 10

/**
 * Labels are relevances, 0 for none; divided by the propensity with which an item was seen, where predictions give it. Items lie
 * in the order of `position`, else of falling score. Rankings without a relevant item have no best order, and are left out.
 */
export async function readRanking(
  db: ClickHouse,
  source: string,
  params: Params,
): Promise<RankingCounts | undefined> {
  const [row] = await db.query<{
    n: string
    ndcg: number | null
    ndcg_deviation: number | null
    hits: string
    reciprocal: number | null
    reciprocal_deviation: number | null
  }>(
    `SELECT count() AS n, avg(dcg / ideal) AS ndcg, stddevSamp(dcg / ideal) AS ndcg_deviation, countIf(first <= ${RANKING_DEPTH}) AS hits,
       avg(1 / first) AS reciprocal, stddevSamp(1 / first) AS reciprocal_deviation
     FROM (
       SELECT arraySort(groupArray((if(isNull(position), -ifNull(score, 0), toFloat64(assumeNotNull(position))), prediction_id, gain))).3 AS gains,
         arraySum((g, i) -> g / log2(i + 1), arraySlice(gains, 1, ${RANKING_DEPTH}), range(1, least(length(gains), ${RANKING_DEPTH}) + 1)) AS dcg,
         arraySlice(arrayReverseSort(gains), 1, ${RANKING_DEPTH}) AS best,
         arraySum((g, i) -> g / log2(i + 1), best, range(1, length(best) + 1)) AS ideal,
         arrayFirstIndex(g -> g > 0, gains) AS first
       FROM (
         SELECT group_id, prediction_id, position, score, greatest(assumeNotNull(label_number), 0) / ifNull(exposure_propensity, 1) AS gain
         FROM ${withPredictions(source, 'group_id, position, exposure_propensity')}
         WHERE group_id != '' AND isNotNull(label_number))
       GROUP BY group_id HAVING first > 0)`,
    params,
  )
  const n = Number(row?.n ?? 0)
  if (!row || n === 0 || row.ndcg === null || row.reciprocal === null) return undefined
  return {
    n,
    ndcg: { mean: row.ndcg, standardDeviation: row.ndcg_deviation ?? 0 },
    hits: Number(row.hits),
    reciprocalRank: { mean: row.reciprocal, standardDeviation: row.reciprocal_deviation ?? 0 },
  }
}

/** Parts of the cases, each left out once. */
const PARTS = 20

/**
 * Aggregate expressions of the model file, with standard errors by the jackknife that leaves out a twentieth of the cases at a
 * time: whatever the expression, as long as it is smooth. One that ClickHouse refuses has a problem instead of a value.
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

/** Reads predictions and outcomes by score. */
import type { ClickHouse, Params } from '../../../../lib/clickhouse/port.ts'
import type { ScoreCounts } from '../../data/reference.ts'
import { kishFactor, STANDS_FOR, type Weights } from '../../data/sampling.ts'
import { SCORE_PARTS } from '../../evaluate/estimated-performance.ts'

interface BinRow extends Weights {
  bin: number
  as_positive: boolean
  positives: number
  scores: number
}

/**
 * Reads how many predictions, and how many outcomes, lie in each bin of the score, by predicted
 * class. Scores outside [0, 1] are no probabilities and are left out.
 *
 * @param source of `labelled-outcomes.ts`, with its parameters
 * @param where conditions on `predictions`
 */
export async function readScoreBins(
  db: ClickHouse,
  params: Params,
  where: string,
  source: string,
): Promise<ScoreCounts> {
  const read = async (from: string, positives: string) => {
    const rows = await db.query<BinRow>(
      `SELECT toUInt8(least(floor(assumeNotNull(score) * ${SCORE_PARTS}), ${SCORE_PARTS - 1})) AS bin,
         ifNull(prediction = {positive:String}, score >= {threshold:Float64}) AS as_positive,
         sum(${STANDS_FOR}) AS weight, sum(pow(${STANDS_FOR}, 2)) AS squares, ${positives} AS positives, sum(${STANDS_FOR} * assumeNotNull(score)) AS scores
       FROM ${from} score >= 0 AND score <= 1 GROUP BY bin, as_positive ORDER BY bin, as_positive`,
      params,
    )
    const sum = (of: (row: BinRow) => number) => rows.reduce((total, row) => total + of(row), 0)
    const factor = kishFactor({
      weight: sum((row) => row.weight),
      squares: sum((row) => row.squares),
    })
    return rows.map((row) => ({
      bin: row.bin,
      asPositive: row.as_positive,
      n: row.weight * factor,
      positives: row.positives * factor,
      scores: row.scores * factor,
    }))
  }
  const predicted = await read(`predictions WHERE ${where} AND`, '0')
  if (predicted.length === 0) return { predicted, labelled: [] }
  return { predicted, labelled: await read(`${source} WHERE`, `sumIf(${STANDS_FOR}, positive)`) }
}

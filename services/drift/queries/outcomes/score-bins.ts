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
  drawn: string
}

/**
 * Reads how many predictions, and how many outcomes, lie in each bin of the score, by predicted
 * class. Scores outside [0, 1] are no probabilities and are left out.
 *
 * @param of the conditions on `predictions`, and a source of `labelled-outcomes.ts`, with its parameters; whether a missing label
 * means something, so that labels drawn for review stand for no other
 */
export async function readScoreBins(
  db: ClickHouse,
  params: Params,
  of: { where: string; source: string; impliesLabels: boolean },
): Promise<ScoreCounts> {
  const read = async (from: string, weight: string, more: string) => {
    const rows = await db.query<BinRow>(
      `SELECT toUInt8(least(floor(assumeNotNull(score) * ${SCORE_PARTS}), ${SCORE_PARTS - 1})) AS bin,
         ifNull(prediction = {positive:String}, score >= {threshold:Float64}) AS as_positive,
         sum(stands_for) AS weight, sum(pow(stands_for, 2)) AS squares, ${more}, sum(stands_for * assumeNotNull(score)) AS scores
       FROM (SELECT *, ${weight} AS stands_for FROM ${from} score >= 0 AND score <= 1) GROUP BY bin, as_positive ORDER BY bin, as_positive`,
      params,
    )
    const sum = (of: (row: BinRow) => number) => rows.reduce((total, row) => total + of(row), 0)
    const factor = kishFactor({
      weight: sum((row) => row.weight),
      squares: sum((row) => row.squares),
    })
    const drawn = sum((row) => Number(row.drawn))
    const bins = rows.map((row) => ({
      bin: row.bin,
      asPositive: row.as_positive,
      n: row.weight * factor,
      positives: row.positives * factor,
      scores: row.scores * factor,
    }))
    return { bins, drawn }
  }
  const { bins: predicted } = await read(
    `predictions WHERE ${of.where} AND`,
    STANDS_FOR,
    '0 AS positives, 0 AS drawn',
  )
  if (predicted.length === 0) return { predicted, labelled: [] }
  const { bins: labelled, drawn } = await read(
    `${of.source} WHERE`,
    'weight',
    'sumIf(stands_for, positive) AS positives, count(inclusion_probability) AS drawn',
  )
  return { predicted, labelled, ...(drawn > 0 && !of.impliesLabels && { drawn }) }
}

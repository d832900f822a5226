/** Reads predictions and outcomes by score. */
import type { ClickHouse, Params } from '../../../../lib/clickhouse/port.ts'
import type { ScoreCounts } from '../../data/reference.ts'
import { kishFactor, STANDS_FOR, type Weights } from '../../data/sampling.ts'
import { SCORE_PARTS } from '../../evaluate/estimated-performance.ts'
import { IS_PROBABILITY } from './labelled-outcomes.ts'

/** The bin of scores that are no probabilities. */
const OUTSIDE = 255
/** Parts of one unit of the logit. */
const LOGIT_PARTS = 8
const SCORE = 'assumeNotNull(score)'
/** Scores of 0 and 1 have no logit. */
const CLAMPED = `least(greatest(${SCORE}, 1e-6), 1 - 1e-6)`

interface BinRow extends Weights {
  /** {@link OUTSIDE} where the score is no probability. */
  bin: number
  as_positive: boolean
  positives: number
  scores: number
}

/**
 * Reads how many predictions, and how many outcomes, lie in each bin of the score, by predicted
 * class. Bins are split by eighths of the logit, since a calibration line of scores near 0 or 1
 * needs more than hundredths. Scores outside [0, 1] are no probabilities and are counted apart.
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
    const all = await db.query<BinRow>(
      `SELECT toUInt8(if(${IS_PROBABILITY}, least(greatest(floor(${SCORE} * ${SCORE_PARTS}), 0), ${SCORE_PARTS - 1}), ${OUTSIDE})) AS bin,
         toInt16(if(bin = ${OUTSIDE}, 0, round(${LOGIT_PARTS} * log(${CLAMPED} / (1 - ${CLAMPED}))))) AS cell,
         ifNull(prediction = {positive:String}, score >= {threshold:Float64}) AS as_positive,
         sum(${STANDS_FOR}) AS weight, sum(pow(${STANDS_FOR}, 2)) AS squares, ${positives} AS positives, sum(${STANDS_FOR} * ${SCORE}) AS scores
       FROM ${from} isNotNull(score) GROUP BY bin, cell, as_positive ORDER BY bin, cell, as_positive`,
      params,
    )
    const rows = all.filter(({ bin }) => bin !== OUTSIDE)
    const sum = (of: (row: BinRow) => number) => rows.reduce((total, row) => total + of(row), 0)
    const factor = kishFactor({
      weight: sum((row) => row.weight),
      squares: sum((row) => row.squares),
    })
    const bins = rows.map((row) => ({
      bin: row.bin,
      asPositive: row.as_positive,
      n: row.weight * factor,
      positives: row.positives * factor,
      scores: row.scores * factor,
    }))
    const whole = all.reduce((total, { weight }) => total + weight, 0)
    return { bins, improbable: whole > 0 ? 1 - sum(({ weight }) => weight) / whole : 0 }
  }
  const { bins: predicted, improbable } = await read(`predictions WHERE ${where} AND`, '0')
  if (predicted.length === 0) return { predicted, labelled: [], improbable }
  const labelled = await read(`${source} WHERE`, `sumIf(${STANDS_FOR}, positive)`)
  return { predicted, labelled: labelled.bins, improbable }
}

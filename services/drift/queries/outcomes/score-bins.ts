/** Reads predictions and outcomes by score. */
import type { ClickHouse, Params } from '../../../../lib/clickhouse/port.ts'
import type { ScoreCounts } from '../../data/reference.ts'
import { kishFactor, STANDS_FOR, type Weights } from '../../data/sampling.ts'
import { SCORE_PARTS } from '../../evaluate/estimates/estimated-performance.ts'
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
  drawn: string
}

/**
 * Reads how many predictions, and how many outcomes, lie in each bin of the score, by predicted
 * class. Bins are split by eighths of the logit, since a calibration line of scores near 0 or 1
 * needs more than hundredths. Scores outside [0, 1] are no probabilities and are counted apart.
 *
 * @param of the conditions on `predictions`, and a source of `labelled-outcomes.ts`, with its
 *   parameters; whether a missing label
 * means something, so that labels drawn for review stand for no other
 */
export async function readScoreBins(
  db: ClickHouse,
  params: Params,
  of: { where: string; source: string; impliesLabels: boolean },
): Promise<ScoreCounts> {
  const read = async (from: string, weight: string, more: string) => {
    const all = await db.query<BinRow>(
      `SELECT toUInt8(if(${IS_PROBABILITY}, least(greatest(floor(${SCORE} * ${SCORE_PARTS}), 0), ${SCORE_PARTS - 1}), ${OUTSIDE})) AS bin,
         toInt16(if(bin = ${OUTSIDE}, 0, round(${LOGIT_PARTS} * log(${CLAMPED} / (1 - ${CLAMPED}))))) AS cell,
         ifNull(prediction = {positive:String}, score >= {threshold:Float64}) AS as_positive,
         sum(stands_for) AS weight, sum(pow(stands_for, 2)) AS squares, ${more}, sum(stands_for * ${SCORE}) AS scores
       FROM (SELECT *, ${weight} AS stands_for FROM ${from} isNotNull(score)) GROUP BY bin, cell, as_positive ORDER BY bin, cell, as_positive`,
      params,
    )
    const rows = all.filter(({ bin }) => bin !== OUTSIDE)
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
    const whole = all.reduce((total, { weight: one }) => total + one, 0)
    const improbable = whole > 0 ? 1 - sum((row) => row.weight) / whole : 0
    return { bins, improbable, drawn }
  }
  const { bins: predicted, improbable } = await read(
    `predictions WHERE ${of.where} AND`,
    STANDS_FOR,
    '0 AS positives, 0 AS drawn',
  )
  if (predicted.length === 0) return { predicted, labelled: [], improbable }
  const { bins: labelled, drawn } = await read(
    `${of.source} WHERE`,
    'weight',
    'sumIf(stands_for, positive) AS positives, count(inclusion_probability) AS drawn',
  )
  return { predicted, labelled, improbable, ...(drawn > 0 && !of.impliesLabels && { drawn }) }
}

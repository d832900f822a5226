/** Reads predictions and outcomes by score. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import { keyOf, predictionScope, within } from '../../data/cohort.ts'
import type { ScoreCounts } from '../../data/reference.ts'
import { kishFactor, STANDS_FOR, type Weights } from '../../data/sampling.ts'
import { SCORE_PARTS } from '../../evaluate/estimates/estimated-performance.ts'
import {
  AS_STORED,
  impliesLabels,
  IS_PROBABILITY,
  truthParams,
  truthSource,
} from './labelled-outcomes.ts'
import type { OutcomeQuestion } from './of-window.ts'

/** The bin of scores that are no probabilities. */
const OUTSIDE = 255
/** Parts of one unit of the logit. */
const LOGIT_PARTS = 8
const SCORE = 'assumeNotNull(score)'
/** Scores of 0 and 1 have no logit. */
const CLAMPED = `least(greatest(${SCORE}, 1e-6), 1 - 1e-6)`

interface BinRow extends Weights {
  model: string
  /** Whether the row is an outcome, not a prediction alone. */
  is_labelled: boolean
  /** {@link OUTSIDE} where the score is no probability. */
  bin: number
  as_positive: boolean
  positives: number
  scores: number
  drawn: string
}

/**
 * Names what several models ask alike: the same cohort of the same spans, whose classes are called
 * alike. Models that say what a missing label means, and slices, are asked for one by one.
 */
export function scoreGroup({ model, spans, c, completeUntil }: OutcomeQuestion): string {
  const { modelId, positiveClass, threshold } = model
  const own = impliesLabels(model) || c.slice ? [modelId, model.labels, completeUntil, c.slice] : []
  return JSON.stringify([spans, keyOf(c), c.withShadows, positiveClass, threshold, own])
}

/**
 * Reads how many predictions, and how many outcomes, lie in each bin of the score, by predicted
 * class: one statement for all questions. Bins are split by eighths of the logit, since a
 * calibration line of scores near 0 or 1 needs more than hundredths. Scores outside [0, 1] are no
 * probabilities and are counted apart.
 *
 * @param asked questions of one {@link scoreGroup}
 * @returns one answer a question, in their order
 */
export async function readScoreBins(
  db: ClickHouse,
  asked: readonly OutcomeQuestion[],
): Promise<ScoreCounts[]> {
  const { model, spans, c, completeUntil } = asked[0]!
  const rows = await db.query<BinRow>(
    `SELECT model_id AS model, is_labelled,
       toUInt8(if(${IS_PROBABILITY}, least(greatest(floor(${SCORE} * ${SCORE_PARTS}), 0), ${SCORE_PARTS - 1}), ${OUTSIDE})) AS bin,
       toInt16(if(bin = ${OUTSIDE}, 0, round(${LOGIT_PARTS} * log(${CLAMPED} / (1 - ${CLAMPED}))))) AS cell,
       ifNull(prediction = {positive:String}, score >= {threshold:Float64}) AS as_positive,
       sum(stands_for) AS weight, sum(pow(stands_for, 2)) AS squares, sumIf(stands_for, is_positive) AS positives,
       countIf(is_drawn) AS drawn, sum(stands_for * ${SCORE}) AS scores
     FROM (
       SELECT model_id, false AS is_labelled, score, prediction, ${STANDS_FOR} AS stands_for, false AS is_positive, false AS is_drawn
       FROM predictions WHERE model_id IN {models:Array(String)} AND ${within('predicted_at')}${predictionScope(c)} AND isNotNull(score)
       UNION ALL
       SELECT model_id, true AS is_labelled, score, prediction, weight AS stands_for, ifNull(positive, false) AS is_positive, isNotNull(inclusion_probability) AS is_drawn
       FROM ${truthSource(AS_STORED, model, c)} WHERE isNotNull(score)
     ) GROUP BY model, is_labelled, bin, cell, as_positive ORDER BY model, is_labelled, bin, cell, as_positive`,
    {
      ...truthParams(model, spans, c, completeUntil),
      models: asked.map((one) => one.model.modelId),
    },
  )
  const own = Map.groupBy(rows, (row) => row.model)
  return asked.map((one) => scoreCountsOf(own.get(one.model.modelId) ?? [], one))
}

function scoreCountsOf(rows: readonly BinRow[], { model }: OutcomeQuestion): ScoreCounts {
  const { bins: predicted, improbable } = binsOf(rows.filter((row) => !row.is_labelled))
  if (predicted.length === 0) return { predicted, labelled: [], improbable }
  const { bins: labelled, drawn } = binsOf(rows.filter((row) => row.is_labelled))
  // Where a missing label means something, labels drawn for review stand for no other.
  return { predicted, labelled, improbable, ...(drawn > 0 && !impliesLabels(model) && { drawn }) }
}

/** Bins as many as they are worth, and the share of scores that are no probabilities. */
function binsOf(all: readonly BinRow[]) {
  const rows = all.filter(({ bin }) => bin !== OUTSIDE)
  const sum = (of: (row: BinRow) => number) => rows.reduce((total, row) => total + of(row), 0)
  const weight = sum((row) => row.weight)
  const factor = kishFactor({ weight, squares: sum((row) => row.squares) })
  const whole = all.reduce((total, row) => total + row.weight, 0)
  return {
    bins: rows.map((row) => ({
      bin: row.bin,
      asPositive: row.as_positive,
      n: row.weight * factor,
      positives: row.positives * factor,
      scores: row.scores * factor,
    })),
    improbable: whole > 0 ? 1 - weight / whole : 0,
    drawn: sum((row) => Number(row.drawn)),
  }
}

/** Joined truth of a span, summed up inside ClickHouse. */
import type { ClickHouse, Params } from '../../lib/clickhouse.ts'
import type { Model } from '../../lib/models.ts'
import type { Confusion } from '../../lib/stats/confusion.ts'
import type { ErrorMoments, OutcomeCounts, ScoredOutcomes } from './window-data.ts'

/** More classes than this are numbers or free text, not classes. */
const MAX_CLASSES = 100

interface SummaryRow {
  labelled: string
  delay: number | null
  positives: string
  negatives: string
  auc: number | null
  loss: number | null
  loss_deviation: number | null
  square: number | null
  square_deviation: number | null
  numbers: string
  absolute: number | null
  absolute_deviation: number | null
  squared: number | null
  squared_deviation: number | null
  label_variance: number | null
  classes: string
}

interface CellRow {
  predicted: string
  label: string
  n: string
}

/** @param where conditions on `outcome_revisions`; `positive` and `threshold` are among the parameters */
export async function readOutcomes(
  db: ClickHouse,
  model: Model,
  predictions: number,
  params: Params,
  where: string,
): Promise<OutcomeCounts> {
  // A score without a predicted class is a class by the threshold.
  const source = `(SELECT *,
      coalesce(prediction, if(isNull(score), NULL, if(score >= {threshold:Float64}, {positive:String}, concat('not ', {positive:String})))) AS predicted,
      label = {positive:String} AS positive,
      if(positive, score, 1 - score) AS p,
      -log(least(greatest(p, 1e-15), 1 - 1e-15)) AS loss,
      pow(1 - p, 2) AS square,
      prediction_number - label_number AS error
    FROM outcome_revisions FINAL WHERE ${where} AND isNotNull(label)
    SETTINGS do_not_merge_across_partitions_select_final = 1)`
  const [row] = await db.query<SummaryRow>(
    `SELECT count() AS labelled,
       quantileExactOrNull(0.5)((toUnixTimestamp64Milli(label_received_at) - toUnixTimestamp64Milli(predicted_at)) / 1000) AS delay,
       countIf(isNotNull(score) AND positive) AS positives, countIf(isNotNull(score) AND NOT positive) AS negatives,
       if(positives > 0 AND negatives > 0, arrayROCAUC(groupArrayIf(assumeNotNull(score), isNotNull(score)), groupArrayIf(toUInt8(assumeNotNull(positive)), isNotNull(score))), NULL) AS auc,
       avg(loss) AS loss, stddevSamp(loss) AS loss_deviation, avg(square) AS square, stddevSamp(square) AS square_deviation,
       count(error) AS numbers, avg(abs(error)) AS absolute, stddevSamp(abs(error)) AS absolute_deviation,
       avg(error * error) AS squared, stddevSamp(error * error) AS squared_deviation,
       varPopIf(label_number, isNotNull(error)) AS label_variance,
       uniq(label) AS classes
     FROM ${source}`,
    params,
  )
  const labelled = Number(row?.labelled ?? 0)
  if (!row || labelled === 0)
    return {
      predictions,
      labelled: 0,
      delayP50Seconds: null,
      confusion: undefined,
      scored: undefined,
      errors: undefined,
    }
  const isRegression =
    model.task === 'regression' || (model.task === undefined && Number(row.classes) > MAX_CLASSES)
  const cells = isRegression
    ? []
    : await db.query<CellRow>(
        `SELECT predicted, label, count() AS n FROM ${source} WHERE isNotNull(predicted) GROUP BY predicted, label ORDER BY n DESC LIMIT ${MAX_CLASSES * MAX_CLASSES}`,
        params,
      )
  return {
    predictions,
    labelled,
    delayP50Seconds: row.delay,
    confusion: cells.length > 0 ? confusionOf(cells) : undefined,
    scored: isRegression ? undefined : scoredOf(row),
    errors: isRegression ? errorsOf(row) : undefined,
  }
}

export function confusionOf(cells: readonly CellRow[]): Confusion {
  const classes = [...new Set(cells.flatMap((cell) => [cell.label, cell.predicted]))].toSorted()
  const counts = classes.map(() => classes.map(() => 0))
  for (const cell of cells)
    counts[classes.indexOf(cell.label)]![classes.indexOf(cell.predicted)]! += Number(cell.n)
  return { classes, counts }
}

function scoredOf(row: SummaryRow): ScoredOutcomes | undefined {
  const positives = Number(row.positives)
  const negatives = Number(row.negatives)
  if (positives + negatives === 0 || row.loss === null || row.square === null) return undefined
  return {
    positives,
    negatives,
    auc: row.auc,
    logLoss: { mean: row.loss, standardDeviation: row.loss_deviation ?? 0 },
    brier: { mean: row.square, standardDeviation: row.square_deviation ?? 0 },
  }
}

function errorsOf(row: SummaryRow): ErrorMoments | undefined {
  const n = Number(row.numbers)
  if (n === 0 || row.absolute === null || row.squared === null) return undefined
  return {
    n,
    absolute: { mean: row.absolute, standardDeviation: row.absolute_deviation ?? 0 },
    squared: { mean: row.squared, standardDeviation: row.squared_deviation ?? 0 },
    labelVariance: row.label_variance ?? 0,
  }
}

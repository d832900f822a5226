/** Joined truth of a span, summed up inside ClickHouse. */
import { summary, type SummaryRow } from './summary.ts'
import type { ScoreCounts } from '../../data/reference.ts'
import type { ClickHouse, Params } from '../../../../lib/clickhouse/port.ts'
import type { Model } from '../../../../lib/models/model-files.ts'
import { confusionOf, type Confusion } from '../../../../lib/stats/estimators/confusion.ts'
import { SCORE_PARTS } from '../../evaluate/estimated-performance.ts'
import { weightedErrors, weightedLosses } from './weighted.ts'
import { readRanks, type Ranks } from './ranking-curves.ts'
import { kishFactor, STANDS_FOR, type Weights } from '../../data/sampling.ts'
import { OUTCOME_SLICE_VALUE } from '../../data/cohort.ts'
import { IS_PROBABILITY, OWN_KEY } from './labelled-outcomes.ts'
import { hasForecasts, readCustom, readForecasts, readRanking } from './by-task.ts'
import {
  noOutcomes,
  type ErrorMoments,
  type KnownTruth,
  type OutcomeCounts,
} from '../../data/window-data.ts'

/** Labels of more kinds than this are numbers or free text, where the model file does not say what they are. */
const MAX_GUESSED_CLASSES = 100
/** Pairs of true and predicted class that are read one by one; of more, the most frequent ones. */
const MAX_CELLS = 20_000
/** Classes of which totals are read where pairs are too many; of more, the most frequent ones. */
const MAX_CLASSES = 5000

interface CellRow {
  part: string
  predicted: string
  label: string
  n: number
}

/** Totals of one class of a part. */
interface ClassRow {
  part: string
  class: string
  truly: number
  predicted: number
  right: number
  /** Of the part as a whole: how many classes, cases, and cases that were predicted right. */
  classes: string
  cases: number
  all_right: number
}

/** Truth in SQL: a source of `labelled-outcomes.ts`, with its parameters. */
interface Truth {
  source: string
  params: Params
}

/** Of a span as a whole. */
export async function readOutcomes(
  db: ClickHouse,
  model: Model,
  predictions: number,
  truth: Truth,
): Promise<OutcomeCounts> {
  const [part] = await readParts(db, model, truth, "''")
  return part
    ? { predictions, ...(await truthOf(db, model, part, truth)) }
    : noOutcomes(predictions)
}

/**
 * Of values of a slice, read together: what must be read is the same for one of them as for all.
 *
 * @param truth of a slice; the values are added to its parameters
 * @returns by value, those alone that have truth
 */
export async function readSliceOutcomes(
  db: ClickHouse,
  model: Model,
  values: readonly string[],
  { source, params }: Truth,
): Promise<Map<string, KnownTruth>> {
  const of = (some: readonly string[]) => ({ source, params: { ...params, slice_values: some } })
  const found = new Map<string, KnownTruth>()
  for (const part of await readParts(db, model, of(values), OUTCOME_SLICE_VALUE)) {
    const value = part.summary.part
    found.set(value, await truthOf(db, model, part, of([value])))
  }
  return found
}

/**
 * Of every cohort without a slice, read together.
 *
 * @param each where cohorts are told apart by {@link OWN_KEY}
 * @param of the truth of one cohort, by its key
 * @returns by key, those alone that have truth
 */
export async function readOutcomesOfEach(
  db: ClickHouse,
  model: Model,
  each: Truth,
  of: ReadonlyMap<string, Truth>,
): Promise<Map<string, KnownTruth>> {
  const found = new Map<string, KnownTruth>()
  for (const part of await readParts(db, model, each, OWN_KEY)) {
    const own = of.get(part.summary.part)
    if (own) found.set(part.summary.part, await truthOf(db, model, part, own))
  }
  return found
}

interface Part {
  summary: SummaryRow
  kind: Kind
  confusion: ReadConfusion | undefined
  /** Where it has scores. */
  ranks: Ranks | undefined
  /** Predictions of its span give quantiles. */
  isForecast: boolean
}

async function readParts(
  db: ClickHouse,
  model: Model,
  { source, params }: Truth,
  apart: string,
): Promise<Part[]> {
  const rows = await db.query<SummaryRow>(summary(source, apart), params)
  const parts = rows
    .filter((row) => Number(row.labelled) > 0)
    .map((row) => ({ summary: row, kind: kindOf(model, Number(row.classes)) }))
  const confusions = parts.some(({ kind }) => kind === 'classes')
    ? await readConfusions(db, source, params, apart)
    : new Map<string, ReadConfusion>()
  const hasScores = parts.some(
    ({ kind, summary }) => kind === 'classes' && Number(summary.scores) > 0,
  )
  const ranks = hasScores ? await readRanks(db, source, params, apart) : new Map<string, Ranks>()
  const isForecast =
    parts.some(({ kind }) => kind === 'numbers') && (await hasForecasts(db, params))
  return parts.map((one) => ({
    ...one,
    confusion: confusions.get(one.summary.part),
    ranks: ranks.get(one.summary.part),
    isForecast,
  }))
}

/** A confusion matrix, for what one case is worth. */
type ReadConfusion = (factor: number) => Confusion

/**
 * The confusion matrix of each part. Of many classes not every pair is read, yet the totals of each class are: a measure is
 * never made of the most frequent pairs alone.
 */
async function readConfusions(
  db: ClickHouse,
  source: string,
  params: Params,
  apart: string,
): Promise<Map<string, ReadConfusion>> {
  const cells = await db.query<CellRow>(
    `SELECT ${apart} AS part, predicted, label, sum(weight) AS n FROM ${source} WHERE isNotNull(predicted)
     GROUP BY part, predicted, label ORDER BY n DESC LIMIT ${MAX_CELLS + 1} BY part`,
    params,
  )
  const byPart = Map.groupBy(cells, ({ part }) => part)
  const isCut = [...byPart.values()].some((some) => some.length > MAX_CELLS)
  const totals = Map.groupBy(
    isCut ? await readClassTotals(db, source, params, apart) : [],
    ({ part }) => part,
  )
  return new Map(
    [...byPart].map(([part, some]) => [
      part,
      some.length > MAX_CELLS
        ? (factor) => cutConfusion(totals.get(part) ?? [], factor)
        : (factor) => confusionOf(some, factor),
    ]),
  )
}

/** Totals of the most frequent classes of each part, and of the part as a whole. */
const readClassTotals = (db: ClickHouse, source: string, params: Params, apart: string) =>
  db.query<ClassRow>(
    `SELECT *, count() OVER w AS classes, sum(truly) OVER w AS cases, sum(right) OVER w AS all_right FROM (
       SELECT part, class, sum(n * is_truth) AS truly, sum(n * NOT is_truth) AS predicted, sum(n * is_truth * is_right) AS right FROM (
         SELECT ${apart} AS part, pair.1 AS class, pair.2 AS is_truth, predicted = label AS is_right, sum(weight) AS n
         FROM ${source} ARRAY JOIN [(label, true), (predicted, false)] AS pair WHERE isNotNull(predicted) GROUP BY part, class, is_truth, is_right
       ) GROUP BY part, class
     ) WINDOW w AS (PARTITION BY part) ORDER BY truly DESC, class LIMIT ${MAX_CLASSES} BY part`,
    params,
  )

/** The matrix where pairs are too many to be read: only the totals of its classes are known. */
function cutConfusion(totals: readonly ClassRow[], factor: number): Confusion {
  const of = (count: (row: ClassRow) => number) => totals.map((row) => count(row) * factor)
  const [one] = totals
  return {
    classes: totals.map((row) => row.class),
    right: of((row) => row.right),
    predicted: of((row) => row.predicted),
    truly: of((row) => row.truly),
    n: (one?.cases ?? 0) * factor,
    allRight: (one?.all_right ?? 0) * factor,
    cells: [],
    allCells: false,
    allClasses: Number(one?.classes ?? 0) <= MAX_CLASSES,
  }
}

async function truthOf(
  db: ClickHouse,
  model: Model,
  { summary: row, kind, confusion, ranks, isForecast }: Part,
  { source, params }: Truth,
): Promise<KnownTruth> {
  const labelled = Number(row.labelled)
  const factor = kishFactor(row)
  const isSampled = row.squares !== labelled
  const losses = async () =>
    isSampled ? await weightedLosses(db, row, source, params) : lossesOf(row)
  const errors = async () =>
    isSampled ? await weightedErrors(db, row, source, params) : errorsOf(row)
  return {
    labelled,
    ...(isSampled && { effective: row.weight * factor }),
    delayP50Seconds: row.delay,
    confusion: kind === 'classes' ? confusion?.(factor) : undefined,
    scored:
      kind === 'classes' && ranks
        ? {
            ...ranks,
            // Margins are no probabilities.
            losses: model.scoreKind === 'margin' ? undefined : await losses(),
            improbable:
              model.scoreKind === 'margin' ? 0 : 1 - Number(row.losses) / Number(row.scores),
          }
        : undefined,
    errors: kind === 'numbers' ? await errors() : undefined,
    forecasts:
      kind === 'numbers' && isForecast ? await readForecasts(db, source, params) : undefined,
    ranking: kind === 'ranks' ? await readRanking(db, source, params) : undefined,
    custom: await readCustom(db, model, source, params),
  }
}

type Kind = 'classes' | 'numbers' | 'ranks'

/** What labels are; where the model file does not say, many different ones are numbers. */
function kindOf({ task }: Model, distinct: number): Kind {
  if (task === 'ranking') return 'ranks'
  if (task === 'regression') return 'numbers'
  return task === undefined && distinct > MAX_GUESSED_CLASSES ? 'numbers' : 'classes'
}

const lossesOf = ({ losses, loss, loss_deviation, square, square_deviation }: SummaryRow) =>
  loss === null || square === null
    ? undefined
    : {
        n: Number(losses),
        logLoss: { mean: loss, standardDeviation: loss_deviation ?? 0 },
        brier: { mean: square, standardDeviation: square_deviation ?? 0 },
      }

function errorsOf(row: SummaryRow): ErrorMoments | undefined {
  const n = Number(row.numbers)
  if (n === 0 || row.absolute === null || row.squared === null) return undefined
  return {
    n,
    absolute: { mean: row.absolute, standardDeviation: row.absolute_deviation ?? 0 },
    squared: { mean: row.squared, standardDeviation: row.squared_deviation ?? 0 },
    labelVariance: row.label_variance ?? 0,
    bias: { mean: row.bias ?? 0, standardDeviation: row.bias_deviation ?? 0 },
    relative:
      Number.isFinite(row.relative) && row.relative !== null
        ? { mean: row.relative, standardDeviation: row.relative_deviation ?? 0 }
        : undefined,
    nonzero: Number(row.nonzero),
    meanLabel: (row.label_total ?? 0) / n,
  }
}

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
 * Predictions, and outcomes, by score and predicted class; scores outside [0, 1] are no probabilities and are counted apart.
 * Within a bin the logit is told to an eighth: what lies near 0 or 1 differs by more than a hundredth can show.
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

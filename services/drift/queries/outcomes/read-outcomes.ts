/** Reads joined ground truth of a span, summed up inside ClickHouse. */
import { summary, type SummaryRow } from './summary.ts'
import type { ClickHouse, Params } from '../../../../lib/clickhouse/port.ts'
import type { Model } from '../../../../lib/models/model-files.ts'
import { weightedErrors, weightedLosses } from './weighted.ts'
import { readRanks, type Ranks } from './ranking-curves.ts'
import { kishFactor } from '../../data/sampling.ts'
import { readConfusions, type ReadConfusion } from './confusions.ts'
import { impliesLabels, OWN_KEY } from './labelled-outcomes.ts'
import { hasForecasts, readCustom, readForecasts, readRanking } from './by-task.ts'
import {
  noOutcomes,
  type ErrorMoments,
  type KnownTruth,
  type OutcomeCounts,
} from '../../data/window-data.ts'

/**
 * Distinct labels above which a model without a declared task has numbers or free text for labels.
 */
const MAX_GUESSED_CLASSES = 100
/** Ground truth in SQL: a source of `labelled-outcomes.ts`, with its parameters. */
interface TruthSource {
  source: string
  params: Params
}

/** Reads the outcomes of a span as a whole; `predictions` is how many it has. */
export async function readOutcomes(
  db: ClickHouse,
  model: Model,
  predictions: number,
  truth: TruthSource,
): Promise<OutcomeCounts> {
  const [part] = await readParts(db, model, truth, "''")
  return part
    ? { predictions, ...(await truthOf(db, model, part, truth)) }
    : noOutcomes(predictions)
}

/**
 * Reads the outcomes of several cohorts with the queries that one of them would take.
 *
 * @param each a source whose cohorts differ by {@link OWN_KEY}
 * @param of the source of one cohort, by its key
 * @returns by key; cohorts without a labelled outcome are left out
 */
export async function readOutcomesOfEach(
  db: ClickHouse,
  model: Model,
  each: TruthSource,
  of: ReadonlyMap<string, TruthSource>,
): Promise<Map<string, KnownTruth>> {
  const found = new Map<string, KnownTruth>()
  for (const part of await readParts(db, model, each, OWN_KEY)) {
    const source = of.get(part.summary.part)
    if (source) found.set(part.summary.part, await truthOf(db, model, part, source))
  }
  return found
}

/** A part is the whole span, a slice value or a cohort. */
interface Part {
  summary: SummaryRow
  kind: Kind
  confusion: ReadConfusion | undefined
  /** Ranks of its scores; undefined where it has none. */
  ranks: Ranks | undefined
  /** Whether predictions of its span give quantiles. */
  isForecast: boolean
}

async function readParts(
  db: ClickHouse,
  model: Model,
  { source, params }: TruthSource,
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

async function truthOf(
  db: ClickHouse,
  model: Model,
  { summary: row, kind, confusion, ranks, isForecast }: Part,
  { source, params }: TruthSource,
): Promise<KnownTruth> {
  const labelled = Number(row.labelled)
  const factor = kishFactor(row)
  const isSampled = row.squares !== labelled
  const drawn = impliesLabels(model) ? 0 : Number(row.drawn)
  const losses = async () =>
    isSampled ? await weightedLosses(db, row, source, params) : lossesOf(row)
  const errors = async () =>
    isSampled ? await weightedErrors(db, row, source, params) : errorsOf(row)
  return {
    labelled,
    ...((isSampled || drawn > 0) && { effective: row.weight * factor }),
    ...(drawn > 0 && { drawn }),
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

/** The kind of labels; where the model file does not declare it, many distinct ones are numbers. */
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

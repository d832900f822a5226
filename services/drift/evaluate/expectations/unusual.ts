/** The events of a window that least look like those of its baseline. Pure. */
import { uniforms } from '../../../../lib/stats/distributions/random.ts'
import {
  growIsolation,
  type IsolationForest,
} from '../../../../lib/stats/estimators/isolation-forest.ts'
import type { RuleExample } from '../../data/expectations.ts'
import { featureMatrix, type FeatureMatrix, type Features } from '../../data/feature-matrix.ts'

/** One event that is looked at. */
export interface Candidate {
  predictionId: string
  modelVersion: string
  predictedAt: string
  features: Features
}

/** What is learned of a baseline. */
export interface UnusualModel {
  matrix: FeatureMatrix
  forest: IsolationForest
  /** Scores of the baseline's own rows, ascending. */
  own: Float64Array
  /** Median of each column in the baseline. */
  usual: Float64Array
}

const TREES = 100
const SAMPLE = 256
const SEED = 1
/** Rows below which nothing is learned. */
const MIN_ROWS = 50
/** Features that are named, and the most that an event is explained by. */
const NAMED = 3
const MAX_EXPLAINED = 200
/** Characters of an event's features. */
const MAX_DETAIL = 2000

/** Learns what is usual; undefined where the baseline has too few rows or no features. */
export function unusualModel(rows: readonly Features[]): UnusualModel | undefined {
  const matrix = featureMatrix(rows)
  if (rows.length < MIN_ROWS || matrix.names.length === 0) return undefined
  const table = rows.map(matrix.rowOf)
  const forest = growIsolation(table, { trees: TREES, sample: SAMPLE, uniform: uniforms(SEED) })
  return {
    matrix,
    forest,
    own: Float64Array.from(table, forest.of).sort(),
    usual: Float64Array.from(matrix.names, (_, column) =>
      medianOf(table.map((row) => row[column]!)),
    ),
  }
}

function medianOf(values: readonly number[]): number {
  const known = values.filter((x) => !Number.isNaN(x)).toSorted((a, b) => a - b)
  return known.length === 0 ? NaN : known[known.length >> 1]!
}

/**
 * The most unusual of some events, at most `keep`, the most unusual first; of equals the one that
 * comes first. Each says which features make it so, and what share of the baseline's rows is less
 * unusual.
 */
export function mostUnusual(
  model: UnusualModel,
  candidates: readonly Candidate[],
  keep: number,
): RuleExample[] {
  const scored = candidates.map((candidate, i) => {
    const row = model.matrix.rowOf(candidate.features)
    return { candidate, row, score: model.forest.of(row), i }
  })
  return scored
    .toSorted((a, b) => b.score - a.score || a.i - b.i)
    .slice(0, keep)
    .map(({ candidate: { features, ...event }, row, score }) => ({
      subject: '',
      ...event,
      score,
      detail: detailOf(model, features, row, score),
    }))
}

function detailOf(model: UnusualModel, features: Features, row: Float64Array, score: number) {
  const said = { because: becauseOf(model, row, score), beyond: shareBelow(model.own, score) }
  const whole = JSON.stringify({ ...said, features })
  if (whole.length <= MAX_DETAIL) return whole
  const named = Object.fromEntries(said.because.map((name) => [name, cut(features[name])]))
  return JSON.stringify({ ...said, features: named })
}

const cut = (value: unknown) => (typeof value === 'string' ? value.slice(0, 200) : value)

/** Features that the score falls most without: each is put to what is usual by itself. */
function becauseOf({ matrix, forest, usual }: UnusualModel, row: Float64Array, score: number) {
  if (matrix.names.length > MAX_EXPLAINED) return []
  return matrix.names
    .map((name, column) => {
      const other = row.slice()
      other[column] = usual[column]!
      return { name, fall: score - forest.of(other) }
    })
    .filter(({ fall }) => fall > 0)
    .toSorted((a, b) => b.fall - a.fall)
    .slice(0, NAMED)
    .map(({ name }) => name)
}

function shareBelow(sorted: Float64Array, score: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < score) low = middle + 1
    else high = middle
  }
  return low / sorted.length
}

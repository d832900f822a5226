/**
 * Drift as Evidently numbers it, from raw values.
 *
 * Bins are numpy's Sturges over both samples together where the reference has more than 20 distinct
 * values, else one per distinct value; a bin that is empty on one side gets 0.0001 (or a millionth
 * of the least share, where that is smaller). Values that are not finite are left out.
 *
 * @see Evidently 0.7, legacy/calculations/stattests
 */
import { smallest } from '../../../lib/stats/samples/extremes.ts'
import { chiSquaredSurvival } from '../../../lib/stats/distributions/chi-squared.ts'
import { ksPValue } from '../../../lib/stats/distances/ks.ts'
import {
  ksExactPValue,
  ksStatistic,
  wassersteinDistance,
} from '../../../lib/stats/distances/two-samples.ts'
import {
  divergence,
  jsDistance,
  sharesOf,
} from '../../../lib/stats/distances/histogram-distances.ts'
import { jeffreys } from '../../../lib/stats/distances/psi.ts'
import { populationDeviation } from '../../../lib/stats/samples/moments.ts'
import { histogram, sturgesEdges } from './histograms.ts'

/** A number as another tool computes it, with the verdict of that tool. */
export interface ConventionResult {
  metric: string
  value: number
  p?: number
  /** Whether it drifted by the default of that tool. */
  drifted: boolean
}

const FEW_DISTINCT = 20
const SMALL_REFERENCE = 1000
const DEFAULT_DISTANCE = 0.1
const DEFAULT_P = 0.05
const MIN_SHARE = 1e-4

const distinct = (values: ArrayLike<number>) => new Set(Array.from(values)).size

/** Shares over the bins of both samples. */
function binnedShares(a: Float64Array, b: Float64Array): [number[], number[]] {
  const both = new Float64Array([...a, ...b]).sort()
  if (distinct(a) > FEW_DISTINCT) {
    const edges = sturgesEdges(both)
    return [sharesOf(histogram(a, edges)), sharesOf(histogram(b, edges))]
  }
  const keys = [...new Set(both)]
  const count = (values: Float64Array) => {
    const counts = new Map(keys.map((key) => [key, 0]))
    for (const x of values) counts.set(x, counts.get(x)! + 1)
    return sharesOf([...counts.values()])
  }
  return [count(a), count(b)]
}

function filled(shares: readonly number[]): number[] {
  const least = smallest(shares.filter((share) => share > 0))
  const fill = least <= MIN_SHARE ? least / 1e6 : MIN_SHARE
  return shares.map((share) => (share === 0 ? fill : share))
}

/**
 * @example evidentlyPsi(Float64Array.of(1, 2), Float64Array.of(1, 2)) // => 0
 */
export function evidentlyPsi(reference: Float64Array, current: Float64Array): number {
  const [r, c] = binnedShares(reference, current).map(filled) as [number[], number[]]
  return jeffreys(r, c)
}

/**
 * @example evidentlyKl(Float64Array.of(1, 2), Float64Array.of(1, 2)) // => 0
 */
export function evidentlyKl(reference: Float64Array, current: Float64Array): number {
  const [r, c] = binnedShares(reference, current).map(filled) as [number[], number[]]
  // Normalised after the filling, as scipy's entropy does.
  return divergence(sharesOf(r), sharesOf(c))
}

/**
 * A distance to base e, at most 0.8326.
 *
 * @example evidentlyJs(Float64Array.of(1), Float64Array.of(2)) // => 0.8325546112
 */
export function evidentlyJs(reference: Float64Array, current: Float64Array): number {
  const [r, c] = binnedShares(reference, current)
  return jsDistance(r, c, Math.E)
}

/**
 * Wasserstein distance in standard deviations of the reference.
 *
 * @example evidentlyWasserstein(Float64Array.of(0, 2), Float64Array.of(1, 3)) // => 1
 */
export function evidentlyWasserstein(reference: Float64Array, current: Float64Array): number {
  return wassersteinDistance(reference, current) / Math.max(populationDeviation(reference), 0.001)
}

const EXACT_SIZE = 10_000

/** The p of scipy's `ks_2samp`: exact up to 10 000 values a side, then asymptotic. */
export function evidentlyKs(reference: Float64Array, current: Float64Array): number {
  const d = ksStatistic(reference, current)
  return Math.max(reference.length, current.length) <= EXACT_SIZE
    ? ksExactPValue(d, reference.length, current.length)
    : ksPValue(d, reference.length, current.length)
}

/**
 * What Evidently does with a numeric column unless told otherwise.
 *
 * @param reference ascending, finite, not empty
 * @param current ascending, finite, not empty
 */
export function evidentlyNumeric(reference: Float64Array, current: Float64Array): ConventionResult {
  const isNumeric = distinct([...reference, ...current]) > 5
  if (reference.length > SMALL_REFERENCE) {
    const [metric, value] = isNumeric
      ? (['wasserstein', evidentlyWasserstein(reference, current)] as const)
      : (['js_distance', evidentlyJs(reference, current)] as const)
    return { metric, value, drifted: value >= DEFAULT_DISTANCE }
  }
  if (isNumeric) {
    const p = evidentlyKs(reference, current)
    return { metric: 'ks', value: ksStatistic(reference, current), p, drifted: p <= DEFAULT_P }
  }
  return evidentlyCategorical(countsOf(reference), countsOf(current))
}

const countsOf = (values: Float64Array) => {
  const counts = new Map<string, number>()
  for (const x of values) counts.set(String(x), (counts.get(String(x)) ?? 0) + 1)
  return counts
}

/**
 * What Evidently does with a categorical column: a chi-squared test against the shares of the
 * reference (a z test for two categories) up to 1000 reference rows, a Jensen–Shannon distance
 * above.
 */
export function evidentlyCategorical(
  reference: ReadonlyMap<string, number>,
  current: ReadonlyMap<string, number>,
): ConventionResult {
  const names = [...new Set([...reference.keys(), ...current.keys()])].toSorted()
  const r = names.map((name) => reference.get(name) ?? 0)
  const c = names.map((name) => current.get(name) ?? 0)
  const n = r.reduce((sum, x) => sum + x, 0)
  const m = c.reduce((sum, x) => sum + x, 0)
  if (n > SMALL_REFERENCE) {
    const value = jsDistance(r, c, Math.E)
    return { metric: 'js_distance', value, drifted: value >= DEFAULT_DISTANCE }
  }
  if (names.length <= 2) {
    const p = proportionsP(n - r[0]!, n, m - c[0]!, m)
    return { metric: 'z', value: p, p, drifted: p <= DEFAULT_P }
  }
  const statistic = c.reduce((sum, x, i) => sum + (x - (r[i]! * m) / n) ** 2 / ((r[i]! * m) / n), 0)
  const p = Number.isFinite(statistic) ? chiSquaredSurvival(statistic, names.length - 1) : 0
  return { metric: 'chi_squared', value: statistic, p, drifted: p <= DEFAULT_P }
}

/** Two-sided pooled test of two proportions. */
function proportionsP(x: number, n: number, y: number, m: number): number {
  const pooled = (x + y) / (n + m)
  if (pooled === 0 || pooled === 1) return 1
  const z = (x / n - y / m) / Math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
  return chiSquaredSurvival(z * z, 1)
}

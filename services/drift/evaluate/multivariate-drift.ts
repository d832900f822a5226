/**
 * What no feature shows by itself: whether a classifier can tell the rows of a window from those of
 * its reference, and whether embeddings lie elsewhere. Pure.
 *
 * How far the reference's own windows are from one another says what is noise: each statistic is
 * evaluated on its logarithm, by a one-sided predictive t-test, as one more feature of the window.
 */
import { short } from '../../../lib/models/alarm-sentences.ts'
import { MIN_WINDOWS, type Drawn, type MultivariateReference } from '../data/reference.ts'
import { domainAuc } from '../../../lib/stats/estimators/domain-classifier.ts'
import { normalInterval } from '../../../lib/stats/intervals/normal-interval.ts'
import { medianDistance, mmd } from '../../../lib/stats/distances/mmd.ts'
import { momentsOf } from '../../../lib/stats/samples/moments.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { studentTail } from '../../../lib/stats/distributions/student-t.ts'
import { metricResult, type MetricResult } from '../data/metric-results.ts'
import { featureMatrix, featureNames, type Features } from '../data/feature-matrix.ts'
import { FAMILY_SHARES, pValueVerdict } from './thresholds.ts'

/** What verdicts of multivariate drift depend on. */
export interface MultivariateRules {
  reference: string
  /** Share of windows that may alarm by chance, over all families. */
  windowAlpha: number
  /** The window is part of the reference. */
  isReference: boolean
}

/** The distance of two samples. */
interface Distance {
  value: number
  standardError?: number
  /** Rows of the smaller sample. */
  n: number
  reason: string
}

interface Statistic {
  subject: string
  metric: string
  /** Distance from at most as many rows of the reference as the window has. */
  of: (reference: readonly Drawn[], current: readonly Drawn[]) => Distance | undefined
}

const STATISTICS: readonly Statistic[] = [
  { subject: '', metric: 'domain_auc', of: aucOfFeatures },
  { subject: '@embedding', metric: 'domain_auc', of: aucOfEmbeddings },
  { subject: '@embedding', metric: 'mmd', of: mmdOfEmbeddings },
]

const SEED = 1
const CI_LEVEL = 0.95
/** Features that are named. */
const NAMED = 3
/** Each pair of them is compared. */
const MAX_COMPARED = 200
/** Distance below which samples are taken to be equal. */
const MIN_DISTANCE = 1e-9

/** @param windows rows of each window of the reference */
export function multivariateReference(
  windows: readonly (readonly Drawn[])[],
): MultivariateReference {
  const ownOf = ({ of }: Statistic) =>
    windows.flatMap((own, i) => {
      const others = windows.flatMap((rows, j) => (j === i ? [] : rows))
      const found = of(evenly(others, own.length), own)
      return found ? [found.value] : []
    })
  return {
    rows: windows.flat(),
    own: STATISTICS.map((one) => (windows.length < MIN_WINDOWS ? [] : ownOf(one))),
  }
}

/**
 * Compares all features of a window at once with a reference: a classifier, embeddings. Statistics
 * that the rows do not allow are left out; verdicts need enough windows of the reference.
 */
export function evaluateMultivariate(
  current: readonly Drawn[],
  { rows, own }: MultivariateReference,
  rules: MultivariateRules,
): MetricResult[] {
  const beside = evenly(rows, current.length)
  const found = STATISTICS.flatMap((statistic, i) => {
    const distance = statistic.of(beside, current)
    return distance ? [{ ...statistic, ...distance, own: own[i]! }] : []
  })
  // The statistics are tested together with every feature of the window.
  const tests =
    featureNames([...beside, ...current].map(({ features }) => features)).length + found.length
  return found.map(({ subject, metric, value, standardError, n, reason, own: others }) => {
    const interval = standardError && normalInterval(value, standardError, CI_LEVEL)
    const isEvaluated = !rules.isReference && others.length >= MIN_WINDOWS
    const p = isEvaluated ? beyond(value, others) : undefined
    const pAdjusted = p === undefined ? undefined : Math.min(1, p * tests)
    return metricResult('drift', subject, metric, value, {
      n_current: n,
      n_reference: n,
      reference: rules.reference,
      ...(interval && {
        ci_low: Math.max(0, interval.low),
        ci_high: Math.min(1, interval.high),
        ci_level: CI_LEVEL,
      }),
      p_value: p ?? null,
      p_adjusted: pAdjusted ?? null,
      verdict:
        pAdjusted === undefined
          ? 'none'
          : pValueVerdict(pAdjusted, rules.windowAlpha * FAMILY_SHARES.drift),
      reason,
    })
  })
}

/**
 * One-sided: that a window of the reference's kind would be as far from the others as this one, or
 * farther.
 */
function beyond(value: number, others: readonly number[]): number {
  const log = (x: number) => Math.log(Math.max(x, MIN_DISTANCE))
  const { mean, variance } = momentsOf(others.map(log))
  const t = (log(value) - mean) / Math.sqrt(Math.max(variance, 1e-12) * (1 + 1 / others.length))
  return studentTail(t, others.length - 1)
}

/** So many of the rows, from all over. */
const evenly = <T>(rows: readonly T[], size: number): T[] =>
  rows.length <= size
    ? [...rows]
    : Array.from({ length: size }, (_, i) => rows[Math.floor((i * rows.length) / size)]!)

function aucOfFeatures(
  reference: readonly Drawn[],
  current: readonly Drawn[],
): Distance | undefined {
  const [a, b] = [reference, current].map((rows) => rows.map(({ features }) => features)) as [
    Features[],
    Features[],
  ]
  const { names, rowOf } = featureMatrix([...a, ...b])
  const found = domainAuc(a.map(rowOf), b.map(rowOf), uniforms(SEED))
  if (!found) return undefined
  const most = names
    .map((name, i) => ({ name, share: found.importance[i]! }))
    .toSorted((a, b) => b.share - a.share)
    .slice(0, NAMED)
    .map(({ name, share }) => `${name} ${Math.round(100 * share)} %`)
  return {
    value: found.auc,
    standardError: found.standardError,
    n: Math.min(reference.length, current.length),
    reason: `rows of then and now are told apart by ${most.join(', ')}`,
  }
}

function aucOfEmbeddings(
  reference: readonly Drawn[],
  current: readonly Drawn[],
): Distance | undefined {
  const [a, b] = vectorsOf(reference, current)
  const found = domainAuc(a, b, uniforms(SEED))
  return (
    found && {
      value: found.auc,
      standardError: found.standardError,
      n: Math.min(a.length, b.length),
      reason: '',
    }
  )
}

function mmdOfEmbeddings(
  reference: readonly Drawn[],
  current: readonly Drawn[],
): Distance | undefined {
  const [a, b] = vectorsOf(reference, current).map((side) => evenly(side, MAX_COMPARED)) as [
    Float64Array[],
    Float64Array[],
  ]
  if (a.length < 2 || b.length < 2) return undefined
  const bandwidth = medianDistance(a)
  return {
    value: mmd(a, b, bandwidth),
    n: Math.min(a.length, b.length),
    reason: `by a kernel as wide as the median distance of reference rows, ${short(bandwidth)}`,
  }
}

/**
 * Embeddings of as many dimensions as most of the reference have: another length is another space.
 */
function vectorsOf(
  reference: readonly Drawn[],
  current: readonly Drawn[],
): [Float64Array[], Float64Array[]] {
  const lengths = Map.groupBy(
    reference.filter(({ embedding }) => embedding.length > 0),
    ({ embedding }) => embedding.length,
  )
  const [length] = [...lengths].toSorted(([, a], [, b]) => b.length - a.length)[0] ?? []
  const inSpace = (rows: readonly Drawn[]) =>
    rows.flatMap(({ embedding }) =>
      embedding.length === length ? [Float64Array.from(embedding)] : [],
    )
  return [inSpace(reference), inSpace(current)]
}

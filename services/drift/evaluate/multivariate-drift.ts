/**
 * What no feature shows by itself: whether a classifier can tell the rows of a window from those of
 * its reference, and whether embeddings lie elsewhere. Pure.
 *
 * How far the reference's own windows are from one another says what is noise: each statistic is
 * evaluated on its logarithm, a share by its angle, by a one-sided predictive t-test, as one more feature of the window.
 */
import { short } from '../../../lib/models/alarm-sentences.ts'
import { MIN_WINDOWS, type Drawn, type MultivariateReference } from '../data/reference.ts'
import { domainAuc } from '../../../lib/stats/estimators/domain-classifier.ts'
import { normalInterval } from '../../../lib/stats/intervals/normal-interval.ts'
import { wilson, type Interval } from '../../../lib/stats/intervals/proportions.ts'
import { novelty } from '../../../lib/stats/distances/novelty.ts'
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
  interval?: Interval
  /** Rows of the smaller sample. */
  n: number
  reason: string
}

interface Statistic {
  subject: string
  metric: string
  /** Distance from at most as many rows of the reference as the window has. */
  of: (reference: readonly Drawn[], current: readonly Drawn[]) => Distance | undefined
  /** How it is compared with those of the reference's own windows. */
  scale: (value: number) => number
}

const log = (x: number) => Math.log(Math.max(x, MIN_DISTANCE))
/** The angle of a share, whose noise does not depend on the share. */
const angle = (x: number) => 2 * Math.asin(Math.sqrt(x))

const STATISTICS: readonly Statistic[] = [
  { subject: '', metric: 'domain_auc', of: aucOfFeatures, scale: log },
  { subject: '@embedding', metric: 'domain_auc', of: aucOfEmbeddings, scale: log },
  { subject: '@embedding', metric: 'mmd', of: mmdOfEmbeddings, scale: log },
  { subject: '@embedding', metric: 'novelty', of: noveltyOfEmbeddings, scale: angle },
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
  return found.map((one) => {
    const { subject, metric, value, standardError, n, reason, scale, own: others } = one
    const interval =
      one.interval ?? (standardError && normalInterval(value, standardError, CI_LEVEL))
    const isEvaluated = !rules.isReference && others.length >= MIN_WINDOWS
    const p = isEvaluated ? beyond(scale(value), others.map(scale)) : undefined
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
  const { mean, variance } = momentsOf(others)
  const t = (value - mean) / Math.sqrt(Math.max(variance, 1e-12) * (1 + 1 / others.length))
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

/** Vectors of a side that neighbours are looked for among: of 8 192 dimensions within a second. */
const MAX_NEIGHBOURS = 300

/**
 * Rows of both sides whose embeddings are looked at for what is new; undefined where they are too few.
 */
export function comparedNeighbours(
  reference: readonly Drawn[],
  current: readonly Drawn[],
): [reference: Drawn[], current: Drawn[]] | undefined {
  const [a, b] = inOneSpace(evenly(reference, current.length), current).map((side) =>
    evenly(side, MAX_NEIGHBOURS),
  ) as [Drawn[], Drawn[]]
  return a.length < 2 || b.length === 0 ? undefined : [a, b]
}

function noveltyOfEmbeddings(
  reference: readonly Drawn[],
  current: readonly Drawn[],
): Distance | undefined {
  const sides = comparedNeighbours(reference, current)
  if (!sides) return undefined
  const [a, b] = sides
  const { share, line } = novelty(a.map(embeddingOf), b.map(embeddingOf))
  const beyond = Math.round(share * b.length)
  return {
    value: share,
    interval: wilson(beyond, b.length, CI_LEVEL),
    n: Math.min(a.length, b.length),
    reason: `${beyond} of ${b.length} lie farther from the nearest of ${a.length} embeddings of the baseline than 99 % of these lie from one another, ${short(line)}`,
  }
}

const embeddingOf = ({ embedding }: Drawn) => embedding

/**
 * Rows with embeddings of as many dimensions as most of the reference have: another length is another
 * space.
 */
function inOneSpace(
  reference: readonly Drawn[],
  current: readonly Drawn[],
): [reference: Drawn[], current: Drawn[]] {
  const lengths = Map.groupBy(
    reference.filter(({ embedding }) => embedding.length > 0),
    ({ embedding }) => embedding.length,
  )
  const [length] = [...lengths].toSorted(([, a], [, b]) => b.length - a.length)[0] ?? []
  const inSpace = (rows: readonly Drawn[]) =>
    rows.filter(({ embedding }) => embedding.length === length)
  return [inSpace(reference), inSpace(current)]
}

const vectorsOf = (reference: readonly Drawn[], current: readonly Drawn[]) =>
  inOneSpace(reference, current).map((rows) =>
    rows.map(({ embedding }) => Float64Array.from(embedding)),
  ) as [Float64Array[], Float64Array[]]

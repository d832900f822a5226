/**
 * Compares a candidate with the champion on the same days, at any number of interim looks. Pure.
 *
 * A metric that is a mean has one confidence sequence of the difference: units of the smaller arm
 * beside as many equal shares of the other, in the order of arrival. A quantile has one for each arm,
 * and the difference lies between the far ends of both. Alpha is shared among the metrics that either
 * arm has, so that any wrong decision at all has a probability of at most `alpha`.
 */
import {
  boundedMeanSequence,
  meanSequence,
  quantileLevels,
  sampleRatioPValue,
} from '../intervals/confidence-sequence.ts'
import { momentsOf } from '../samples/moments.ts'
import type { Interval } from '../intervals/proportions.ts'
import { sorted } from '../distances/two-samples.ts'

/**
 * Values of the units of an arm in the order of arrival; a unit is left out where its value is
 * unknown.
 */
export interface Arm {
  units: number
  /** 1 where the model was right. */
  correct: readonly number[]
  /** Absolute errors of a regression. */
  absoluteErrors: readonly number[]
  /** The worth of each decision, where the model file gives one. */
  worth: readonly number[]
  /** 1 where the request failed. */
  failed: readonly number[]
  latencies: readonly number[]
  /** Times to first token, of streamed answers. */
  firstTokens: readonly number[]
  costs: readonly number[]
}

/**
 * How arms are compared; `alpha` is the probability of any wrong decision, over all metrics and all
 * interim looks.
 */
export interface CanaryOptions {
  alpha: number
  /**
   * Share of the units that was meant for the candidate, in (0, 1); undefined where none is
   * declared.
   */
  share?: number | undefined
  /** Least and greatest worth of a decision. */
  worthRange?: Interval | undefined
}

/** What is known of the candidate; `undecided` may change with more units. */
export type Decision = 'better' | 'worse' | 'undecided'

/** One metric of both arms; null where an arm has no value of it or a bound is infinite. */
export interface CanaryMetric {
  metric: string
  champion: number | null
  candidate: number | null
  /** Candidate minus champion. */
  difference: number | null
  ci_low: number | null
  ci_high: number | null
  ci_level: number
  n_champion: number
  n_candidate: number
  decision: Decision
  /**
   * Units of the smaller arm at which it would be decided, were the difference to stay as it is; null
   * where it is decided, or there is no difference.
   */
  units_to_decide: number | null
}

/** The decision on a candidate, with what it rests on. */
export interface CanaryAnswer {
  /** `worse` where any metric is; `better` where some metric is and none is worse. */
  decision: Decision | 'invalid'
  reason: string
  /** p value of the declared share, valid at any number of units; null where none is declared. */
  sample_ratio_p: number | null
  metrics: CanaryMetric[]
}

type Sequence = (values: readonly number[], alpha: number) => Interval

interface Comparison {
  metric: string
  values: (arm: Arm) => readonly number[]
  moreIsBetter: boolean
  /** Where the mean of the differences of units lies; what is no mean has none. */
  ofDifferences?: Sequence
  /** Where the number of one arm lies, of what is no mean. */
  ofArm?: Sequence
  summary: (values: readonly number[]) => number
}

/**
 * Compares a candidate with the champion. The answer is `invalid` where units were not drawn in the
 * declared share.
 */
export function evaluateCanary(
  champion: Arm,
  candidate: Arm,
  { alpha, share, worthRange }: CanaryOptions,
): CanaryAnswer {
  const metrics = comparer(champion, candidate, { alpha, worthRange })(champion, candidate)
  const p = share === undefined ? null : sampleRatioPValue([candidate.units, champion.units], share)
  if (p !== null && p < alpha)
    return {
      decision: 'invalid',
      reason: `${candidate.units} of ${candidate.units + champion.units} units went to the candidate, ${share} were meant to: what chose them may explain any difference`,
      sample_ratio_p: p,
      metrics,
    }
  const of = (decision: Decision) =>
    metrics.filter((metric) => metric.decision === decision).map(({ metric }) => metric)
  const [worse, better] = [of('worse'), of('better')]
  const decision = worse.length > 0 ? 'worse' : better.length > 0 ? 'better' : 'undecided'
  return {
    decision,
    reason: [...worse.map((m) => `worse: ${m}`), ...better.map((m) => `better: ${m}`)].join(', '),
    sample_ratio_p: p,
    metrics,
  }
}

/**
 * Compares the first units of both arms, in the metrics and at the level of the arms as a whole: what
 * is said after fewer units and after all of them errs with a probability of at most `alpha` together.
 */
export function comparer(
  champion: Arm,
  candidate: Arm,
  { alpha, worthRange }: Pick<CanaryOptions, 'alpha' | 'worthRange'>,
): (champion: Arm, candidate: Arm) => CanaryMetric[] {
  const given = comparisons(worthRange).filter(({ values }) =>
    [champion, candidate].some((arm) => values(arm).length > 0),
  )
  const metricAlpha = alpha / Math.max(1, given.length)
  return (a, b) => given.map((comparison) => compared(comparison, a, b, metricAlpha))
}

function comparisons(worthRange: Interval | undefined): Comparison[] {
  return [
    {
      metric: 'accuracy',
      values: (arm) => arm.correct,
      moreIsBetter: true,
      ...boundedMean({ low: 0, high: 1 }),
    },
    { metric: 'mae', values: (arm) => arm.absoluteErrors, moreIsBetter: false, ...anyMean },
    ...(worthRange && worthRange.high > worthRange.low
      ? [
          {
            metric: 'business_value',
            values: (arm: Arm) => arm.worth,
            moreIsBetter: true,
            ...boundedMean(worthRange),
          },
        ]
      : []),
    {
      metric: 'error_ratio',
      values: (arm) => arm.failed,
      moreIsBetter: false,
      ...boundedMean({ low: 0, high: 1 }),
    },
    slowest('latency_p95_ms', (arm) => arm.latencies),
    slowest('time_to_first_token_p95_ms', (arm) => arm.firstTokens),
    {
      metric: 'cost_usd',
      values: (arm) => arm.costs,
      moreIsBetter: false,
      ...anyMean,
    },
  ]
}

function compared(
  { metric, values, moreIsBetter, ofArm, ofDifferences, summary }: Comparison,
  champion: Arm,
  candidate: Arm,
  alpha: number,
): CanaryMetric {
  const [a, b] = [values(champion), values(candidate)]
  const { low, high } = ofDifferences
    ? ofDifferences(differences(a, b), alpha)
    : apart(ofArm!(a, alpha / 2), ofArm!(b, alpha / 2))
  const [good, bad] = moreIsBetter ? [low > 0, high < 0] : [high < 0, low > 0]
  const difference = finite(summary(b) - summary(a))
  return {
    metric,
    champion: finite(summary(a)),
    candidate: finite(summary(b)),
    difference,
    ci_low: finite(low),
    ci_high: finite(high),
    ci_level: 1 - alpha,
    n_champion: a.length,
    n_candidate: b.length,
    decision: bad ? 'worse' : good ? 'better' : 'undecided',
    units_to_decide:
      good || bad ? null : unitsToDecide(difference, { low, high }, Math.min(a.length, b.length)),
  }
}

const finite = (x: number) => (Number.isFinite(x) ? x : null)

/** An interval shrinks as the root of the units, about: until it leaves 0 on the difference's side. */
function unitsToDecide(difference: number | null, { low, high }: Interval, n: number) {
  if (difference === null || difference === 0) return null
  const reach = difference > 0 ? difference - low : high - difference
  return finite(Math.ceil(n * (reach / difference) ** 2))
}

/**
 * Candidate minus champion, unit by unit in the order of arrival; of arms that differ in size a unit
 * of the smaller one beside the mean of several of the other. Arms that answered the same requests
 * come as pairs, which differ less than two requests do.
 */
function differences(champion: readonly number[], candidate: readonly number[]): number[] {
  const n = Math.min(champion.length, candidate.length)
  if (n === 0) return []
  const [a, b] = [champion, candidate].map((values) => sharesOf(values, n)) as [number[], number[]]
  return b.map((x, i) => x - a[i]!)
}

/**
 * Means of equal shares, one after another. Their size is a power of 2, so that it changes seldom
 * while events come.
 */
function sharesOf(values: readonly number[], parts: number): number[] {
  const size = 2 ** Math.floor(Math.log2(values.length / parts))
  return Array.from({ length: parts }, (_, part) => {
    let sum = 0
    for (let i = part * size; i < (part + 1) * size; i++) sum += values[i]!
    return sum / size
  })
}

/** The difference of two arms, each with half of alpha. */
const apart = (a: Interval, b: Interval) => ({ low: b.low - a.high, high: b.high - a.low })

const meanOf = (values: readonly number[]) => momentsOf(values).mean

/** Below this many values the normal limit gives no interval. */
const MIN_FOR_LIMIT = 20
const EVERYTHING = { low: -Infinity, high: Infinity }

function unbounded(values: readonly number[], alpha: number): Interval {
  if (values.length < MIN_FOR_LIMIT) return EVERYTHING
  return meanSequence({ n: values.length, ...momentsOf(values) }, alpha)
}

const scaled =
  ({ low, high }: Interval) =>
  (values: readonly number[], alpha: number): Interval => {
    const size = high - low
    const unit = boundedMeanSequence(
      values.map((value) => (value - low) / size),
      alpha,
    )
    return { low: low + size * unit.low, high: low + size * unit.high }
  }

/** Compares means of values that lie in a range. */
const boundedMean = (range: Interval) => ({
  ofDifferences: scaled({ low: range.low - range.high, high: range.high - range.low }),
  summary: meanOf,
})
const anyMean = { ofDifferences: unbounded, summary: meanOf }

const quantileSequence =
  (p: number) =>
  (values: readonly number[], alpha: number): Interval => {
    if (values.length === 0) return EVERYTHING
    const levels = quantileLevels(p, values.length, alpha)
    const ordered = sorted(values)
    return {
      low: levels.low < 0 ? -Infinity : quantileOf(ordered, levels.low),
      high: levels.high > 1 ? Infinity : quantileOf(ordered, levels.high),
    }
  }

const quantileOf = (ordered: Float64Array, p: number) =>
  ordered.length === 0
    ? NaN
    : ordered[Math.min(ordered.length - 1, Math.floor(p * ordered.length))]!

/** Compares 95th percentiles of times. */
const slowest = (metric: string, values: Comparison['values']): Comparison => ({
  metric,
  values,
  moreIsBetter: false,
  ofArm: quantileSequence(0.95),
  summary: (of) => quantileOf(sorted(of), 0.95),
})

/** Drift that bins leave open, decided from raw rows or said to be open. Pure. */
import { sampleSize } from '../../../../lib/stats/samples/binned-sample.ts'
import { ksInterval, ksPValue } from '../../../../lib/stats/distances/ks.ts'
import type { Interval } from '../../../../lib/stats/intervals/proportions.ts'
import { isEvaluated, type MetricResult, type Verdict } from '../../data/metric-results.ts'
import type { WindowCounts } from '../../data/window-data.ts'
import { ksVerdict } from '../numeric-drift.ts'
import { KS_MIN_D } from '../thresholds.ts'

const short = (x: number) => String(Number(x.toPrecision(8)))

/**
 * Subjects whose D may lie on either side of the line that alarms; only raw rows can decide them.
 */
export const undecidedKs = (results: readonly MetricResult[]): string[] =>
  results.filter(isUndecided).map(({ subject }) => subject)

const isUndecided = ({
  metric,
  convention,
  verdict,
  bound_high,
  n_reference,
  n_current,
}: MetricResult) =>
  metric === 'ks' &&
  convention === 'plumbline' &&
  verdict === 'ok' &&
  bound_high !== null &&
  ksVerdict(bound_high, ksPValue(bound_high, n_reference, n_current)) === 'alarm'

/**
 * The results with those of {@link undecidedKs} decided from raw rows.
 *
 * @param current counts of the window in which every value is a bin of its own
 * @param reference counts of the reference, likewise
 */
export function settledKs(
  results: readonly MetricResult[],
  current: WindowCounts,
  reference: WindowCounts,
): MetricResult[] {
  return results.map((result) => {
    const [a, b] = [reference.numeric.get(result.subject), current.numeric.get(result.subject)]
    if (!isUndecided(result) || !a || !b) return result
    const { low: d } = ksInterval(a, b)
    return {
      ...result,
      value: d,
      precision: 'exact',
      bound_low: d,
      bound_high: d,
      verdict: ksVerdict(d, ksPValue(d, sampleSize(a), sampleSize(b))),
      reason: [result.reason, 'settled from raw rows'].filter(Boolean).join('; '),
    }
  })
}

const keyOf = ({ subject, reference }: MetricResult) => `${reference}\u0001${subject}`

/**
 * Interval of D, by reference and subject, where it is wider than the least D that alarms: bins are
 * too coarse to see.
 */
function wideIntervals(results: readonly MetricResult[]): Map<string, Interval> {
  return new Map(
    results.flatMap((result) => {
      const { metric, convention, bound_low: low, bound_high: high } = result
      const isWide = low !== null && high !== null && high - low > KS_MIN_D
      return metric === 'ks' && convention === 'plumbline' && isWide
        ? [[keyOf(result), { low, high }] as const]
        : []
    }),
  )
}

/** Whether a feature reads `ok` although its bins could not have shown a change. */
const isBlind = (result: MetricResult, wide: ReadonlyMap<string, Interval>) =>
  result.metric === 'psi' && result.verdict === 'ok' && wide.has(keyOf(result))

/**
 * Subjects that read `ok` although their bins are too coarse to show a change; only raw rows can
 * decide them.
 */
export function blindSubjects(results: readonly MetricResult[]): string[] {
  const wide = wideIntervals(results)
  return results.filter((result) => isBlind(result, wide)).map(({ subject }) => subject)
}

/**
 * D from which a feature with coarse bins alarms; from {@link KS_MIN_D} it warns. The noise between
 * windows is not known of it.
 */
const BLIND_ALARM_D = 0.25

/**
 * The results with those of {@link blindSubjects} decided by D from raw rows.
 *
 * @param current counts of the window in which every value is a bin of its own
 * @param reference counts of the reference, likewise
 */
export function settledBlind(
  results: readonly MetricResult[],
  current: WindowCounts,
  reference: WindowCounts,
): MetricResult[] {
  const wide = wideIntervals(results)
  const distances = new Map<string, { d: number; own: Verdict }>()
  const decided = results.map((result) => {
    const [a, b] = [reference.numeric.get(result.subject), current.numeric.get(result.subject)]
    if (!isBlind(result, wide) || !a || !b) return result
    const { low: d } = ksInterval(a, b)
    const own = ksVerdict(d, ksPValue(d, sampleSize(a), sampleSize(b)))
    distances.set(keyOf(result), { d, own })
    const verdict: Verdict = own === 'ok' ? 'ok' : d >= BLIND_ALARM_D ? 'alarm' : 'warning'
    return {
      ...result,
      verdict,
      p_value: null,
      p_adjusted: null,
      reason: `D ${short(d)} from raw rows, since one bin holds too many values; fixed default: warning from ${KS_MIN_D}, alarm from ${BLIND_ALARM_D}`,
    }
  })
  return decided.map((result) => {
    const known = distances.get(keyOf(result))
    if (result.metric !== 'ks' || result.convention !== 'plumbline' || !known) return result
    const { d, own } = known
    const verdict = isEvaluated(result) ? own : result.verdict
    return { ...result, value: d, precision: 'exact', bound_low: d, bound_high: d, verdict }
  })
}

/**
 * The results without any `ok` that bins cannot vouch for: what raw rows have not decided is
 * incomplete.
 */
export function withoutBlindOk(results: readonly MetricResult[]): MetricResult[] {
  const wide = wideIntervals(results)
  return results.map((result) => {
    const found = wide.get(keyOf(result))
    if (!isBlind(result, wide) && !isUndecided(result)) return result
    const { low, high } = found ?? { low: result.bound_low!, high: result.bound_high! }
    return {
      ...result,
      verdict: 'incomplete',
      reason: `the bins are too coarse to tell: the Kolmogorov–Smirnov distance lies between ${short(low)} and ${short(high)}`,
    }
  })
}

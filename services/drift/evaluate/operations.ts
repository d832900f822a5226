/** Throughput, latency, errors and cost of a window. Pure. */
import { TOTALLED } from '../../../lib/events/subjects.ts'
import { mean, standardDeviation } from '../../../lib/stats/samples/moments.ts'
import { sampleSize } from '../../../lib/stats/samples/binned-sample.ts'
import { wilson } from '../../../lib/stats/intervals/proportions.ts'
import { quantile } from '../../../lib/stats/samples/quantile.ts'
import { metricResult, type MetricResult } from '../data/metric-results.ts'
import { effectiveOf, type WindowCounts } from '../data/window-data.ts'

const CI_LEVEL = 0.95

/**
 * Throughput per second, error ratio, latency in milliseconds, cost and tokens of a window that is
 * `windowMs` long. Metrics without a value in the window are left out.
 */
export function evaluateOperations(current: WindowCounts, windowMs: number): MetricResult[] {
  const { events, errors, weight = events, errorWeight = errors } = current
  const independent = effectiveOf(current)
  /** Factor from the counted events to the stream before it was sampled. */
  const scale = weight / Math.max(1, independent)
  const sizes = { n_current: events }
  const errorRatio = events > 0 ? errorWeight / weight : null
  const errorInterval = wilson((errorRatio ?? 0) * independent, independent, CI_LEVEL)
  const results = [
    metricResult('operations', '', 'throughput_per_s', weight / (windowMs / 1000), sizes),
    metricResult('operations', '', 'error_ratio', errorRatio, {
      ...sizes,
      ci_low: errorInterval.low,
      ci_high: errorInterval.high,
      ci_level: CI_LEVEL,
    }),
  ]
  const latency = current.numeric.get('@latency_ms')
  for (const percent of latency ? [50, 95, 99] : []) {
    const found = quantile(latency!, percent / 100)
    results.push(
      metricResult('operations', '', `latency_p${percent}_ms`, found?.value, {
        n_current: sampleSize(latency!),
        precision: 'bounded',
        bound_low: found?.low ?? null,
        bound_high: found?.high ?? null,
      }),
    )
  }
  // Cost and tokens are totals over the window.
  for (const subject of TOTALLED) {
    const sample = current.numeric.get(subject)
    if (!sample) continue
    const n = sampleSize(sample)
    results.push(
      metricResult('operations', '', subject.slice(1), mean(sample) * n * scale, {
        n_current: n,
        reason: `mean ${mean(sample).toPrecision(4)}, standard deviation ${standardDeviation(sample).toPrecision(4)} an event`,
      }),
    )
  }
  return results
}

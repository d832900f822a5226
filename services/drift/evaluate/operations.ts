/** Throughput, latency, time to first token, errors and cost of a window. Pure. */
import { TOTALLED } from '../../../lib/events/subjects.ts'
import { mean, standardDeviation } from '../../../lib/stats/samples/moments.ts'
import { sampleSize } from '../../../lib/stats/samples/binned-sample.ts'
import { wilson } from '../../../lib/stats/intervals/proportions.ts'
import { quantile } from '../../../lib/stats/samples/quantile.ts'
import { metricResult, type MetricResult } from '../data/metric-results.ts'
import { effectiveOf, type WindowCounts } from '../data/window-data.ts'

const CI_LEVEL = 0.95
/** Times whose quantiles are reported: their subject, and how their metrics are called. */
const TIMES = [
  ['@latency_ms', 'latency'],
  ['@time_to_first_token_ms', 'time_to_first_token'],
] as const

/**
 * Throughput per second, error ratio, latency and time to first token in milliseconds, cost, tokens
 * and their speed in a window that is `windowMs` long. Metrics without a value in the window are left out.
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
  for (const [subject, name] of TIMES) {
    const times = current.numeric.get(subject)
    for (const percent of times ? [50, 95, 99] : []) {
      const found = quantile(times!, percent / 100)
      results.push(
        metricResult('operations', '', `${name}_p${percent}_ms`, found?.value, {
          n_current: sampleSize(times!),
          precision: 'bounded',
          bound_low: found?.low ?? null,
          bound_high: found?.high ?? null,
        }),
      )
    }
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
  return [...results, ...outputSpeed(current.numeric)]
}

/**
 * Output tokens a second of answering: all tokens over all time, which both must be known of the
 * very same answers. An agent's call has a time and no tokens of its own, so the speed is that of
 * the versions where their numbers differ.
 */
function outputSpeed(numeric: WindowCounts['numeric']): MetricResult[] {
  const [tokens, times] = [numeric.get('@output_tokens'), numeric.get('@latency_ms')]
  if (!tokens || !times) return []
  const [n, timed] = [sampleSize(tokens), sampleSize(times)]
  const seconds = (mean(times) * timed) / 1000
  const reason =
    n !== timed
      ? `${n} answers say their output tokens and ${timed} their latency: the speed needs both of each`
      : seconds > 0
        ? ''
        : 'the answers took no time'
  const speed = reason === '' ? (mean(tokens) * n) / seconds : null
  return [metricResult('operations', '', 'output_tokens_per_s', speed, { n_current: n, reason })]
}

/**
 * The last closed window of each model under TrustyAI's names, for its dashboards and alerts; all
 * with one set of labels.
 */
import { Gauge } from 'prom-client'
import type { Metrics } from '../../../lib/runtime/metrics.ts'
import type { MetricResult } from '../data/metric-results.ts'
import type { Gauges } from './prometheus-gauges.ts'
import { MIN_CELL } from '../evaluate/thresholds.ts'
import { ALL, keyOf } from '../data/cohort.ts'

const LABELS = [
  'metricName',
  'modelId',
  'protectedAttribute',
  'outcomeName',
  'referenceTag',
  'subcategory',
] as const

/**
 * Their names for our results. The value of `kstest` is D, not p; `spd` is unprivileged minus
 * privileged, as ours is.
 */
const NAMES: Record<string, string> = {
  'drift/ks': 'KSTEST',
  'fairness/statistical_parity_difference': 'SPD',
  'fairness/disparate_impact_ratio': 'DIR',
}

/**
 * Registers `trustyai_kstest`, `_spd`, `_dir` and the number of observations. Only the model as a
 * whole is exported.
 */
export function trustyaiGauges({ registry }: Metrics): Gauges {
  const registers = [registry]
  const gauges = new Map(
    Object.values(NAMES).map((name) => [
      name,
      new Gauge({
        name: `trustyai_${name.toLowerCase()}`,
        help: `TrustyAI's ${name} of the last closed window.`,
        labelNames: LABELS,
        registers,
      }),
    ]),
  )
  const observations = new Gauge({
    name: 'trustyai_model_observations_total',
    help: 'Predictions of the last closed window.',
    labelNames: ['model'],
    registers,
  })
  const shown = new Map<string, { end: number; series: { name: string; labels: Labels }[] }>()

  const forget = (modelId: string) => {
    for (const { name, labels } of shown.get(modelId)?.series ?? [])
      gauges.get(name)!.remove(labels)
    observations.remove({ model: modelId })
    shown.delete(modelId)
  }
  return {
    show: ({ modelId, cohort, window }, results) => {
      if (keyOf(cohort) !== keyOf(ALL) || (shown.get(modelId)?.end ?? 0) > window.end) return
      forget(modelId)
      const series = results.flatMap((result) => seriesOf(modelId, result))
      for (const { name, labels, value } of series) gauges.get(name)!.set(labels, value)
      const throughput = results.find((result) => result.metric === 'throughput_per_s')
      if (throughput) observations.set({ model: modelId }, throughput.n_current)
      shown.set(modelId, { end: window.end, series })
    },
    forget,
  }
}

type Labels = Record<(typeof LABELS)[number], string>

function seriesOf(
  modelId: string,
  result: MetricResult,
): { name: string; labels: Labels; value: number }[] {
  const name = NAMES[`${result.family}/${result.metric}`]
  if (!name || result.value === null || result.n_current < MIN_CELL) return []
  if (result.convention !== 'plumbline') return []
  const isFairness = result.family === 'fairness'
  const labels: Labels = {
    metricName: name,
    modelId,
    protectedAttribute: isFairness ? result.subject : '',
    outcomeName: isFairness ? 'prediction' : '',
    referenceTag: isFairness ? '' : result.reference,
    subcategory: isFairness ? '' : result.subject,
  }
  return [{ name, labels, value: result.value }]
}

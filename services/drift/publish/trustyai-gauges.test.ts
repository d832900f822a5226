import { expect, test } from 'vitest'
import { createMetrics } from '../../../lib/runtime/metrics.ts'
import { metricResult } from '../data/metric-results.ts'
import { ALL } from '../data/cohort.ts'
import { trustyaiGauges } from './trustyai-gauges.ts'

test('the last closed window under TrustyAI’s names, and nothing of small cells', async () => {
  const metrics = createMetrics()
  const gauges = trustyaiGauges(metrics)
  const key = (end: number) => ({
    modelId: 'm',
    cohort: ALL,
    window: { start: 0, end },
    revision: 1,
    episode: '',
    policyRevision: '',
    referenceRevisions: new Map(),
    computedAt: 0,
  })
  const sizes = { n_current: 500 }
  const spd = (subject: string, value: number, n_current: number) =>
    metricResult('fairness', subject, 'statistical_parity_difference', value, { n_current })
  gauges.show(key(2), [
    metricResult('drift', 'x', 'ks', 0.25, { ...sizes, reference: 'training' }),
    metricResult('drift', 'x', 'ks', 0.25, { ...sizes, convention: 'iid', reference: 'training' }),
    metricResult('operations', '', 'throughput_per_s', 5, sizes),
    spd('sex=2', -0.2, 100),
    spd('sex=3', 0.9, 4),
  ])
  // An older window that is restated shows no more.
  gauges.show(key(1), [metricResult('drift', 'x', 'ks', 0.9, sizes)])
  const shown = async () =>
    (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('trustyai_'))
  expect(await shown()).toEqual([
    'trustyai_kstest{metricName="KSTEST",modelId="m",protectedAttribute="",outcomeName="",referenceTag="training",subcategory="x"} 0.25',
    'trustyai_spd{metricName="SPD",modelId="m",protectedAttribute="sex=2",outcomeName="prediction",referenceTag="",subcategory=""} -0.2',
    'trustyai_model_observations_total{model="m"} 500',
  ])
  gauges.forget('m')
  expect(await shown()).toEqual([])
})

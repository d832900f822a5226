/** Which series of evaluated windows Prometheus gets. */
import { expect, test } from 'vitest'
import { createMetrics } from '../../../lib/runtime/metrics.ts'
import { ALL } from '../data/cohort.ts'
import { metricResult } from '../data/metric-results.ts'
import { createGauges } from './prometheus-gauges.ts'

const HOUR_MS = 3_600_000
const key = (hour: number, modelVersion: string, modelId = 'm') => ({
  modelId,
  cohort: { ...ALL, modelVersion },
  window: { start: (hour - 1) * HOUR_MS, end: hour * HOUR_MS },
  revision: 1,
  episode: '',
  policyRevision: '',
  referenceRevisions: new Map(),
  computedAt: 0,
})
const results = [metricResult('drift', 'x', 'psi', 0.1, { n_current: 500, reference: 'baseline' })]

test('versions that are retired leave, and those in use and the model as a whole stay', async () => {
  const metrics = createMetrics()
  const gauges = createGauges(metrics)
  const versions = async () =>
    [
      ...(await metrics.registry.metrics()).matchAll(
        /^plumbline_window_metric\{.*model_version="(\w*)"/gm,
      ),
    ]
      .map((found) => found[1]!)
      .toSorted((a, b) => a.localeCompare(b))
  gauges.show(key(1, 'other', 'another'), results)
  gauges.show(key(1, ''), results)
  for (let version = 1; version <= 47; version++) {
    gauges.show(key(version, ''), results)
    gauges.show(key(version, `v${version}`), results)
  }
  expect(await versions()).toEqual(['', 'other', 'v44', 'v45', 'v46', 'v47'])
  gauges.show(key(48, ''), results)
  // An old window that is restated brings nobody back.
  gauges.show(key(1, 'v1'), results)
  expect(await versions()).toEqual(['', 'other', 'v45', 'v46', 'v47'])
  gauges.forget('m')
  expect(await versions()).toEqual(['other'])
})

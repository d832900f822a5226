/** Which series of evaluated windows Prometheus gets. */
import { expect, test } from 'vitest'
import { metricsWriter } from '../../../lib/http/render-metrics.ts'
import type { MetricsChoice } from '../../../lib/models/metrics/metrics-choice.ts'
import { readConfig } from '../../../lib/runtime/config.ts'
import { createMetrics } from '../../../lib/runtime/metrics.ts'
import { ALL } from '../data/cohort.ts'
import { metricResult, type MetricResult } from '../data/metric-results.ts'
import { DriftConfig } from '../config.ts'
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
  const gauges = createGauges(metrics, {
    choiceOf: () => ({ active: 0, values: new Set(['*']), cohorts: new Set(['versions']) }),
  })
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

const of = (
  family: MetricResult['family'],
  metric: string,
  subject: string,
  more: Partial<MetricResult> = {},
) => metricResult(family, subject, metric, 0.5, { n_current: 500, ...more })

/** Lines of the gauges of windows, without the label of the convention. */
const lines = async (metrics: ReturnType<typeof createMetrics>) =>
  (await metrics.registry.metrics())
    .split('\n')
    .filter((line) => /^plumbline_(verdicts?|window_metric|series_left_out)[{ ]/.test(line))
    .map((line) =>
      line.replaceAll(/(\w+)="(\w*)",?/g, (_all, name, value) =>
        ['family', 'metric', 'subject', 'verdict', 'model_version'].includes(name) && value
          ? `${value} `
          : '',
      ),
    )

const WINDOW = [
  of('operations', 'throughput_per_s', '', { verdict: 'ok' }),
  of('drift', 'drift_share', ''),
  of('performance', 'accuracy', '', { reference: 'recent' }),
  of('performance', 'accuracy', '', { reference: 'baseline', verdict: 'ok' }),
  of('drift', 'psi', 'a', { verdict: 'alarm' }),
  of('drift', 'psi', 'b', { verdict: 'alarm' }),
  of('drift', 'psi', 'c', { verdict: 'ok' }),
  of('drift', 'ks', 'a'),
  of('quality', 'missing_ratio', 'a', { verdict: 'alarm' }),
  of('quality', 'missing_ratio', 'b', { value: null, verdict: 'incomplete' }),
  of('operations', 'error_ratio', '', { verdict: 'warning' }),
]

test('of a model: verdicts by family, its headline, and the gravest of what alarms', async () => {
  const metrics = createMetrics()
  const gauges = createGauges(metrics)
  gauges.show(key(1, ''), WINDOW)
  gauges.show(key(1, 'v1'), WINDOW)
  expect(await lines(metrics)).toEqual([
    'plumbline_verdicts{operations ok } 1',
    'plumbline_verdicts{operations warning } 1',
    'plumbline_verdicts{performance ok } 1',
    'plumbline_verdicts{drift alarm } 2',
    'plumbline_verdicts{drift ok } 1',
    'plumbline_verdicts{quality alarm } 1',
    'plumbline_verdicts{quality incomplete } 1',
    'plumbline_window_metric{operations throughput_per_s } 0.5',
    'plumbline_window_metric{operations error_ratio } 0.5',
    'plumbline_window_metric{drift drift_share } 0.5',
    'plumbline_window_metric{performance accuracy } 0.5',
    'plumbline_window_metric{drift a psi } 0.5',
    'plumbline_window_metric{drift b psi } 0.5',
    'plumbline_window_metric{quality a missing_ratio } 0.5',
    'plumbline_verdict{operations throughput_per_s } 0',
    'plumbline_verdict{operations error_ratio } 1',
    'plumbline_verdict{performance accuracy } 0',
    'plumbline_verdict{drift a psi } 2',
    'plumbline_verdict{drift b psi } 2',
    'plumbline_verdict{quality a missing_ratio } 2',
    'plumbline_series_left_out 0',
  ])
})

test('a model file chooses more: results by name, cohorts, and how many alarms', async () => {
  const metrics = createMetrics()
  const choice: MetricsChoice = {
    active: 1,
    values: new Set(['drift/psi/c', 'quality/*']),
    cohorts: new Set(['versions']),
  }
  const gauges = createGauges(metrics, { choiceOf: () => choice })
  gauges.show(key(1, 'v1'), WINDOW, new Set(['m\ndrift\npsi\na']))
  const shown = await lines(metrics)
  expect(shown.filter((line) => line.startsWith('plumbline_verdict{'))).toEqual([
    'plumbline_verdict{v1 operations throughput_per_s } 0',
    'plumbline_verdict{v1 operations error_ratio } 1',
    'plumbline_verdict{v1 performance accuracy } 0',
    'plumbline_verdict{v1 drift b psi } 2',
    'plumbline_verdict{v1 drift c psi } 0',
    'plumbline_verdict{v1 quality a missing_ratio } 2',
    'plumbline_verdict{v1 quality b missing_ratio } -1',
  ])
  // What is snoozed has no verdict.
  expect(shown).toContain('plumbline_verdicts{v1 drift alarm } 1')
})

test('beyond the limit what comes first of each model goes before what files choose', async () => {
  const metrics = createMetrics()
  const everything = { active: 0, values: new Set(['*']), cohorts: new Set<never>() }
  const gauges = createGauges(metrics, { choiceOf: () => everything, mostSeries: 5 })
  for (const model of ['a', 'b'])
    gauges.show(key(1, '', model), [
      of('operations', 'throughput_per_s', ''),
      of('drift', 'psi', 'x', { reference: model }),
      of('drift', 'ks', 'x'),
    ])
  // One of each comes first, and two more of each are chosen: there is room for those of one.
  expect((await lines(metrics)).map((line) => line.split(' }')[0])).toEqual([
    'plumbline_window_metric{operations throughput_per_s',
    'plumbline_window_metric{drift x psi',
    'plumbline_window_metric{drift x ks',
    'plumbline_window_metric{operations throughput_per_s',
    'plumbline_series_left_out 2',
  ])
})

const MODELS = 1000
const FEATURES = Array.from({ length: 50 }, (_, i) => `feature_${i}`)
const VERSIONS = ['', '1', '2', '3', '4', '5']

/** A window of 50 features, 5 metrics each; `alarming` of them alarm. */
const windowOf = (alarming: number) => [
  ...WINDOW.slice(0, 4),
  ...FEATURES.flatMap((subject, i) => [
    of('drift', 'psi', subject, { verdict: i < alarming ? 'alarm' : 'ok' }),
    of('drift', 'ks', subject),
    of('drift', 'js_distance', subject),
    of('quality', 'missing_ratio', subject, { verdict: 'ok' }),
    of('quality', 'new_category_ratio', subject, { verdict: 'incomplete', value: null }),
  ]),
]

test.each([
  ['one model in ten alarms', (i: number) => (i % 10 === 0 ? 5 : 0), 0],
  ['every feature of every model alarms', () => 50, 1],
])(
  'a thousand models of 50 features and 5 versions stay in the budget where %s',
  async (_what, alarming, leastLeftOut) => {
    const metrics = createMetrics()
    const { PLUMBLINE_METRICS_SERIES_MAX: mostSeries } = readConfig(DriftConfig, {})
    const gauges = createGauges(metrics, { mostSeries })
    const [calm, loud] = [windowOf(0), windowOf(50)]
    const some = windowOf(5)
    for (let i = 0; i < MODELS; i++)
      for (const version of VERSIONS) {
        const n = alarming(i)
        gauges.show(key(1, version, `model-${i}`), n === 0 ? calm : n === 5 ? some : loud)
      }
    let pauses = 0
    const write = metricsWriter(metrics.registry, async () => void pauses++)
    const [text, same] = await Promise.all([write(), write()])
    expect(same).toBe(text)
    const series = text.split('\n').filter((line) => /^plumbline_(verdict|window_m)/.test(line))
    // Besides there are of each model at most its owner, two ages, three alarms and two counts.
    expect(series.length).toBeLessThanOrEqual(20_000 - 8 * MODELS)
    expect(series.length).toBeGreaterThan(9000)
    expect(new Set(series.map((line) => line.split(' ')[0])).size).toBe(series.length)
    const leftOut = Number(/^plumbline_series_left_out (\d+)$/m.exec(text)?.[1])
    expect(leftOut > 0).toBe(leastLeftOut > 0)
    // Other things happen at least once for each thousand lines.
    expect(pauses).toBeGreaterThanOrEqual(Math.floor(series.length / 1000))
  },
)

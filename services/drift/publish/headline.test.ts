/** One sentence a person would say. */
import { expect, test } from 'vitest'
import type { SaidAlarm } from '../../../lib/models/alarm-sentences.ts'
import { ALL } from '../data/cohort.ts'
import { metricResult } from '../data/metric-results.ts'
import { headlineOf, windowHeadline, type ModelFacts } from './headline.ts'

const SINCE = Date.UTC(2026, 10, 16)
const facts = (more: Partial<ModelFacts> = {}): ModelFacts => ({
  active: [],
  lastWindowEnd: SINCE,
  events: 500,
  lastEvent: SINCE,
  evaluated: 12,
  learning: '',
  driftShare: 0,
  features: 10,
  ...more,
})
const alarm = (family: string, metric: string, more: Partial<SaidAlarm> = {}): SaidAlarm => ({
  family,
  metric,
  subject: '',
  severity: 'alarm',
  value: null,
  baseline_value: null,
  since: new Date(SINCE).toISOString(),
  reason: '',
  slice_key: '',
  slice_value: '',
  ...more,
})
const auc = alarm('performance', 'roc_auc', { value: 0.671, baseline_value: 0.8634 })
const income = alarm('drift', 'psi', { subject: 'income', value: 1.2 })

test.each([
  ['healthy', {}, 'all 12 evaluated metrics as usual'],
  [
    'healthy',
    { active: [alarm('drift', 'psi', { severity: 'warning' })] },
    'all 12 evaluated metrics as usual, 1 warning',
  ],
  [
    'degraded',
    { active: [income, auc] },
    'AUC is down from 0.863 to 0.671; income has drifted (PSI 1.2), since 16 November 2026',
  ],
  [
    'degraded',
    {
      active: ['a', 'b', 'c', 'd'].map((subject, i) =>
        alarm('drift', 'psi', { subject, value: i + 0.3 }),
      ),
      driftShare: 0.4,
    },
    '4 of 10 features have drifted, d the most (40 %), since 16 November 2026',
  ],
  [
    'degraded',
    { active: [alarm('drift', 'skew', { subject: 'country', value: 0.31 })] },
    'country is unlike what the model was trained on (by 0.31), since 16 November 2026',
  ],
  [
    'silent',
    { events: 0, active: [alarm('operations', 'throughput_per_s', { reason: 'no event; …' })] },
    'silent since 2026-11-16 00:00 UTC',
  ],
  [
    'silent',
    { events: 0, active: [auc] },
    'silent since 2026-11-16 00:00 UTC; before, AUC is down from 0.863 to 0.671, since 16 November 2026',
  ],
  [
    'learning',
    { evaluated: 0, learning: 'learning, window 3 of 8' },
    'the baseline is learning, window 3 of 8; nothing is alarmed yet',
  ],
  [
    'unknown',
    { evaluated: 0 },
    'nothing could be evaluated in the window to 16 November 2026: too little data, labels or baseline',
  ],
  [
    'unknown',
    { lastWindowEnd: undefined },
    'no window is evaluated yet; the newest event is of 16 November 2026',
  ],
  ['unknown', { lastWindowEnd: undefined, lastEvent: undefined }, 'no event has come'],
] as [string, Partial<ModelFacts>, string][])('%s: %j', (health, more, headline) => {
  expect(headlineOf(facts(more))).toEqual({ health, headline })
})

test('what else is active is counted, the gravest is named', () => {
  const many = ['accuracy', 'f1', 'brier', 'recall', 'precision'].map((metric) =>
    alarm('performance', metric, { value: 0.5, baseline_value: 0.6 }),
  )
  expect(headlineOf(facts({ active: [income, ...many] })).headline).toMatch(
    /^accuracy is down from 0.6 to 0.5; F1 is down .*; brier is down .*; and 3 more, since /,
  )
})

test('the feature that explains most goes first, with the slice it moved most in', () => {
  const moved = (subject: string, alone: string, more: Partial<SaidAlarm> = {}) =>
    alarm('drift', 'psi', {
      subject,
      value: 1,
      reason: `values lie 2.10 standard deviations higher; more than the reference's own windows differ; alone it moves the score by ${alone} of +0.13`,
      ...more,
    })
  const active = [
    moved('age', '+0.01', { value: 9 }),
    moved('income', '+0.11'),
    moved('income', '+0.11', { slice_key: 'region', slice_value: 'south', value: 4 }),
    moved('elsewhere', '+0.5', { slice_key: 'region', slice_value: 'south' }),
    auc,
  ]
  expect(headlineOf(facts({ active })).headline).toBe(
    'AUC is down from 0.863 to 0.671; ' +
      'income has drifted in region=south: its values lie 2.10 standard deviations higher, which alone moves the score by +0.11 of +0.13; ' +
      'age has drifted: its values lie 2.10 standard deviations higher, which alone moves the score by +0.01 of +0.13, since 16 November 2026',
  )
  expect(headlineOf(facts({ active: active.slice(3, 4) }))).toEqual({
    health: 'healthy',
    headline: 'all 12 evaluated metrics as usual; 1 alarm in slices',
  })
})

test('a window says what it alarms of, versions left out', () => {
  const window = { start: SINCE - 1, end: SINCE }
  const fall = metricResult('performance', '', 'roc_auc', 0.671, {
    verdict: 'alarm',
    baseline_value: 0.8634,
  })
  const of = (modelVersion: string, results = [fall]) => ({
    cohort: { ...ALL, modelVersion },
    window,
    results,
  })
  expect(windowHeadline([of(''), of('2')])).toBe('AUC is down from 0.863 to 0.671')
  expect(windowHeadline([of('', []), of('2')])).toBe('')
})

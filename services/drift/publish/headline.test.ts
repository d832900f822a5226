/** One sentence a person would say. */
import { expect, test } from 'vitest'
import type { ActiveResult } from '../data/active-result.ts'
import { headlineOf, type ModelFacts } from './headline.ts'

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
const alarm = (family: string, metric: string, more: Partial<ActiveResult> = {}): ActiveResult => ({
  family,
  metric,
  subject: '',
  severity: 'alarm',
  value: null,
  baselineValue: null,
  since: SINCE,
  reason: '',
  ...more,
})
const auc = alarm('performance', 'roc_auc', { value: 0.671, baselineValue: 0.8634 })
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
    alarm('performance', metric, { value: 0.5, baselineValue: 0.6 }),
  )
  expect(headlineOf(facts({ active: [income, ...many] })).headline).toMatch(
    /^accuracy is down from 0.6 to 0.5; F1 is down .*; brier is down .*; and 3 more, since /,
  )
})

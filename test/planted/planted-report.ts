/** The report of a busy model, as the service would make it. */
import { fairnessOf } from '../../services/drift/report/chosen-values.ts'
import type { WindowMetric } from '../../schemas/http/metric-results.ts'
import { renderReport } from '../../services/drift/report/render-report.ts'
import type { ReportData, ReportValue } from '../../services/drift/report/report-data.ts'
import { FAIRNESS, windowsOf } from './planted-comparison.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 2, 2)
const at = (day: number) => new Date(START + day * DAY).toISOString()
const DAYS = 40

const seriesOf = (metric: string, baseline: number, fall: number): ReportValue[] =>
  (windowsOf('performance', metric) as unknown as ReportValue[]).map((row, i) => {
    const value = baseline + Math.sin(i * 1.7) / 110 - (i < 30 ? 0 : fall)
    const isYoung = i > 37
    return {
      ...row,
      ...{ value: isYoung ? null : value, baseline_value: baseline, computed_at: at(i + 1) },
      ...{ ci_low: isYoung ? null : value - 0.025, ci_high: isYoung ? null : value + 0.025 },
      verdict: isYoung ? 'incomplete' : i < 30 ? 'ok' : i < 32 ? 'warning' : 'alarm',
      reason: isYoung ? 'fewer labels than in the baseline' : '',
    }
  })

const feature = (subject: string, psi: number, verdict: 'alarm' | 'warning' | 'ok') => ({
  ...{ subject, verdict, metric: 'psi', psi, ks: psi / 3, missing_ratio: psi / 60 },
  ...{ p_adjusted: verdict === 'ok' ? 0.4 : 1e-7 },
  reason: verdict === 'ok' ? '' : 'values lie 2.1 standard deviations higher (median 190, was 90)',
  history: Array.from({ length: 30 }, (_, i) => (i < 22 ? 0.02 + (i % 4) / 200 : psi)),
})

/** A credit model that fell, was looked into, and is retrained. */
const REPORT: ReportData = {
  ...{ model_id: 'credit', task: 'binary', from: at(0), to: at(DAYS), as_of: null },
  ...{ made_at: at(DAYS + 1), made_for: 'ann', page: '/models/credit' },
  windows: {
    shown: Array.from({ length: DAYS }, (_, i) => ({
      ...{ window_start: at(i), window_end: at(i + 1), events: 4000 + 37 * (i % 7) },
      worst: i < 30 ? ('ok' as const) : ('alarm' as const),
      ...{
        labelled: i > 37 ? 0 : 3100,
        maturity: i > 35 ? (40 - i) / 5 : 1,
        revision: 1 + (i % 3),
      },
      ...{ completeness: i === 12 ? 0.987 : 1, policy_revision: i < 20 ? '5f0c21aa' : '9b1d0e44' },
      computed_at: at(i + 1.1),
    })),
    left_out: 0,
  },
  performance: [seriesOf('accuracy', 0.83, 0.07), seriesOf('roc_auc', 0.9, 0.05)],
  estimates: [
    { ...seriesOf('nowcast_accuracy', 0.76, 0)[39]!, value: 0.758, ci_low: 0.74, ci_high: 0.776 },
  ],
  features: {
    shown: [
      feature('amount', 1.84, 'alarm'),
      feature('income', 0.61, 'alarm'),
      feature('months_at_address', 0.12, 'warning'),
      ...['age', 'open_accounts', 'employer_code'].map((name) => feature(name, 0.02, 'ok')),
    ],
    left_out: 0,
  },
  fairness: fairnessOf(FAIRNESS as unknown as WindowMetric[]),
  episodes: {
    shown: [
      {
        ...{ episode_id: `credit/${at(31)}`, episode: at(31), since: at(31), until: at(40) },
        ...{ windows: 10, severity: 'alarm', ended: 'active' },
        alarms: ['amount', 'income', ''].map((subject) => ({
          ...{ family: 'drift', metric: subject === '' ? 'accuracy' : 'psi', subject },
        })),
        feedback: [
          {
            ...{ decision: 'snooze', actor: 'bob', comment: 'the new product; retraining' },
            ...{ until: at(45), decided_at: at(33), verdicts: '3' },
          },
        ],
      },
      {
        ...{ episode_id: `credit/${at(9)}`, episode: at(9), since: at(9), until: at(10) },
        ...{ windows: 2, severity: 'alarm', ended: 'dismissed', feedback: [] },
        alarms: [{ family: 'quality', metric: 'missing_ratio', subject: 'employer_code' }],
      },
    ],
    left_out: 0,
  },
  runs: {
    shown: ['succeeded', 'running', 'approved', 'requested'].map((state, i) => ({
      ...{ run_id: '5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9d', policy: 'on a fall' },
      ...{ reason: 'performance.accuracy < 0.78, for=2', sequence: 90 - i, at: at(35 - i / 9) },
      ...{ actor: i === 2 ? 'ann' : 'policy', action: `run.${state}` },
      hash: '4be0c6c7d1f04aa08be6fd0dbb4f8d6e',
    })),
    left_out: 0,
  },
  settings: {
    revision: '9b1d0e44',
    in_force: {
      ...{
        task: 'binary',
        threshold: 0.5,
        windows: { size: '1d', lateness: '1h', min_count: 200 },
      },
      references: { baseline: { kind: 'first', windows: 8, baseline: true } },
      ...{ false_alarms_per_week: 0.25, fairness: { attributes: ['sex'] } },
    },
    sha256: '9c56cc51b374c3ba189210d5b6d4bf57790d351c96c47c02190ecf1e430635ab',
    compared_with: 'The first 8 windows, 2 March 2026 to 10 March 2026',
    set_to: 'A quarter of a false alarm a week',
  },
}

/** That report as a page. */
export const REPORT_PAGE = renderReport(REPORT)

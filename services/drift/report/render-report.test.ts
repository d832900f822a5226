/** A report of any data is whole, holds its data, and shows hostile names as text. */
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { WindowMetric } from '../../../schemas/http/metric-results.ts'
import { estimatesOf, fairnessOf, performanceOf } from './chosen-values.ts'
import { reportHeadline } from './headline.ts'
import { lineChart, ticksOf } from './line-chart.ts'
import { missingOf } from './missing.ts'
import { renderReport } from './render-report.ts'
import type { ReportData, ReportValue, ReportWindow } from './report-data.ts'
import { REPORT_POLICY } from './style.ts'

const DAY = 86_400_000
const at = (day: number) => new Date(Date.UTC(2026, 0, 1) + day * DAY).toISOString()

const window = (day: number, more: Partial<ReportWindow> = {}): ReportWindow => ({
  ...{ window_start: at(day - 1), window_end: at(day), worst: 'ok', events: 400, labelled: 300 },
  ...{ maturity: 1, completeness: 1, policy_revision: 'a1', revision: 1, computed_at: at(day) },
  ...more,
})
const value = (day: number, more: Partial<ReportValue> = {}): ReportValue => ({
  ...{ window_end: at(day), metric: 'accuracy', subject: '', method: 'observed', value: 0.8 },
  ...{ ci_low: 0.75, ci_high: 0.85, ci_level: 0.95, baseline_value: 0.82, threshold: null },
  ...{ verdict: 'ok', reason: '', n_current: '400', n_labelled: '300', label_maturity: 1 },
  ...{ revision: 1, computed_at: at(day) },
  ...more,
})
const none = { shown: [], left_out: 0 }
const report = (more: Partial<ReportData> = {}): ReportData => ({
  ...{ model_id: 'credit', task: 'binary', from: at(0), to: at(3), as_of: null, made_at: at(9) },
  ...{ made_for: 'ann', page: 'https://plumbline.example.com/models/credit' },
  windows: { shown: [window(1), window(2), window(3)], left_out: 0 },
  performance: [[value(1), value(2), value(3, { value: 0.7, verdict: 'alarm' })]],
  estimates: [],
  ...{ features: none, fairness: none, episodes: none, runs: none },
  settings: {
    ...{ revision: 'a1', in_force: { threshold: 0.5 }, sha256: 'ff', compared_with: 'the first' },
    set_to: 'a quarter a week',
  },
  ...more,
})

const dataOf = (page: string) =>
  /<script type="application\/json" id="report-data">(.*?)<\/script>/s.exec(page)![1]!

const HOSTILE = '</script><img src=x onerror=alert(1)>"\'&\u0000\u2028\ud800'

test('names with markup are text wherever they stand, and the data comes back as it was', () => {
  const feature = {
    ...{ subject: HOSTILE, verdict: 'alarm' as const, metric: HOSTILE, reason: HOSTILE },
    ...{ psi: 0.3, ks: null, p_adjusted: 1e-9, missing_ratio: 0, history: [0.1, null, 0.3] },
  }
  const data = report({
    ...{ model_id: HOSTILE, made_for: HOSTILE, page: HOSTILE },
    features: { shown: [feature], left_out: 3 },
    fairness: {
      shown: [value(3, { subject: HOSTILE, reason: HOSTILE, value: null })],
      left_out: 0,
    },
    episodes: {
      shown: [
        {
          ...{ episode_id: HOSTILE, episode: at(3), since: at(3), until: at(3), windows: 1 },
          ...{ severity: 'alarm', ended: 'accepted' },
          alarms: [{ family: HOSTILE, metric: HOSTILE, subject: HOSTILE }],
          feedback: [
            {
              ...{ decision: 'accept', actor: HOSTILE, comment: HOSTILE, until: null },
              ...{ decided_at: at(4), verdicts: '1' },
            },
          ],
        },
      ],
      left_out: 0,
    },
    settings: { ...report().settings, in_force: { [HOSTILE]: HOSTILE }, compared_with: HOSTILE },
  })
  const page = renderReport(data)
  expect(page.match(/<script/g)).toHaveLength(1)
  expect(page.match(/<\/script>/g)).toHaveLength(1)
  expect(page).not.toContain('<img')
  expect(page).not.toContain('\u0000')
  expect(JSON.parse(dataOf(page))).toEqual(JSON.parse(JSON.stringify(data)))
})

test('the policy lets its own style in, and the sum it tells is that of the data', () => {
  const page = renderReport(report())
  const sha256 = (text: string) => createHash('sha256').update(text)
  const style = /<style>(.*?)<\/style>/s.exec(page)![1]!
  expect(REPORT_POLICY).toContain(`style-src 'sha256-${sha256(style).digest('base64')}'`)
  expect(page).toContain(sha256(dataOf(page)).digest('hex'))
})

test('the headline tells the newest judged number with its interval and what it rests on', () => {
  expect(reportHeadline(report())[0]).toBe(
    "Accuracy is 0.7 (0.75 to 0.85, 95 % interval), where the baseline's was 0.82, in the window to 2026-01-04 00:00 with 300 labels: alarm.",
  )
  const young = [[value(2), value(3, { verdict: 'incomplete', value: 0.1 })]]
  expect(reportHeadline(report({ performance: young }))[0]).toContain('Accuracy is 0.8')
  expect(reportHeadline(report({ performance: [] }))[0]).toContain('is not known')
})

test('what is missing is said, and nothing where nothing is', () => {
  const whole = report({ fairness: { shown: [value(3)], left_out: 0 } })
  expect(missingOf(whole)).toEqual([])
  const said = missingOf(
    report({
      as_of: at(5),
      performance: [],
      windows: {
        shown: [
          window(1, { events: 0, completeness: null, labelled: 0 }),
          window(2, { completeness: 0.9, maturity: 0.5 }),
          window(3, { worst: 'incomplete' }),
        ],
        left_out: 7,
      },
    }),
  ).join('\n')
  for (const part of [
    '7 older windows',
    '1 window held no event',
    '1 window could not be evaluated',
    'how many were lost is not known',
    '90 % came',
    'No ground truth',
    'younger than the label horizon',
    'No group was compared',
    'Settings are those of the day',
  ])
    expect(said).toContain(part)
  expect(missingOf(report({ windows: none }))[0]).toContain('No window between')
})

test('a report has the gravest groups and the newest windows of six metrics, each once', () => {
  const row = (more: Partial<WindowMetric>) =>
    ({ ...value(1), convention: 'plumbline', reference: 'baseline', ...more }) as WindowMetric
  const groups = Array.from({ length: 70 }, (_, i) =>
    row({ subject: `sex=${i}`, verdict: i === 69 ? 'alarm' : 'ok' }),
  )
  const fairness = fairnessOf(groups)
  expect([fairness.shown.length, fairness.left_out]).toEqual([60, 10])
  expect(fairness.shown[0]!.subject).toBe('sex=69')
  const metrics = ['accuracy', 'roc_auc', 'pr_auc', 'f1', 'precision', 'recall', 'log_loss']
  const rows = Array.from({ length: 1100 }, (_, day) =>
    metrics.flatMap((metric) => [
      row({ metric, window_end: at(day) }),
      row({ metric, window_end: at(day), reference: 'recent', value: 0.1 }),
      row({ metric, window_end: at(day), reference: 'version 7', value: 0.9 }),
    ]),
  ).flat()
  const series = performanceOf(rows, 'binary', 'baseline')
  expect(series.map((one) => [one[0]!.metric, one.length])).toEqual(
    metrics.slice(0, 6).map((metric) => [metric, 1000]),
  )
  expect(series[0]!.at(-1)).toMatchObject({ window_end: at(1099), value: 0.9 })
  // Estimates are no measurement.
  expect(performanceOf([row({ method: 'cbpe' })], 'binary', 'baseline')).toEqual([])
  expect(estimatesOf([row({ metric: 'nowcast_accuracy', method: 'nowcast' })])).toHaveLength(1)
})

test('a line breaks where a window has no value, and a lone interval is a whisker', () => {
  const points = [0.8, null, 0.7, 0.72].map((value, i) => ({
    ...{ at: at(i), value, baseline: 0.8, verdict: 'ok' as const },
    ...{ low: value && value - 0.1, high: value && value + 0.1 },
  }))
  const { source } = lineChart(points, 'accuracy')
  expect(source.match(/polyline class="value"/g)).toHaveLength(2)
  expect(source.match(/class="whisker"/g)).toHaveLength(1)
  expect(source.match(/class="band"/g)).toHaveLength(1)
  expect(source.match(/<circle class="ok"/g)).toHaveLength(3)
  expect(lineChart([], 'nothing').source).toContain('No window')
  expect(lineChart([{ ...points[0]!, low: null, high: null }], 'one').source).not.toContain('NaN')
})

test('ticks are round and lie within the ends', () => {
  expect(ticksOf(0.63, 0.87).map((tick) => Number(tick.toFixed(6)))).toEqual([0.7, 0.8])
  expect(ticksOf(0, 97)).toEqual([0, 50])
  expect(ticksOf(5, 5)).toEqual([5])
})

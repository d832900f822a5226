/** Answers about a busy model with cohorts, groups and a canary, as the API would give them. */
import type { Static } from 'typebox'
import { wilson } from '../../lib/stats/intervals/proportions.ts'
import { differenceInterval } from '../../lib/stats/intervals/difference.ts'
import type { CanaryAnswer } from '../../schemas/http/canary.ts'
import type { Cell, CohortsAnswer } from '../../schemas/http/cohorts.ts'
import type { BothSides, FeatureBeside, SideBySideAnswer } from '../../schemas/http/side-by-side.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 2, 2)
const at = (day: number) => new Date(START + day * DAY).toISOString()
const LAST = 40

export const MODEL = {
  ...{ model_id: 'credit', health: 'degraded', headline: 'accuracy is down', task: 'binary' },
  ...{ watermark: at(LAST), idle: false, windows: { size: '1d' }, retrain: [] },
  references: [
    { name: 'baseline', kind: 'first', baseline: true },
    { name: 'spring', kind: 'fixed' },
  ],
  alarms: { episodes: 3, refuted: 1, weeks: 8, refuted_per_week: 0.125, budget_per_week: 0.25 },
}

/** One number of the model by day. */
export const windowsOf = (family: string, metric: string) =>
  Array.from({ length: LAST }, (_, i) => ({
    ...{ model_id: 'credit', model_version: '', variant: '', slice_key: '', slice_value: '' },
    ...{ window_start: at(i), window_end: at(i + 1), family, metric, subject: '' },
    ...{ convention: 'plumbline', method: 'observed', precision: 'exact', reference: 'baseline' },
    ...{ value: (i < 30 ? 0.83 : 0.76) + (i % 5) / 200, ci_low: i < 30 ? 0.8 : 0.73 },
    ...{ ci_high: i < 30 ? 0.87 : 0.8, ci_level: 0.95, baseline_value: 0.83, threshold: null },
    ...{ verdict: i < 30 ? 'ok' : 'alarm', episode_id: '', p_adjusted: null, reason: '' },
    ...{ label_maturity: 1, completeness: 0.998, n_current: '4000', n_labelled: '3100' },
    ...{ n_reference: '90000', revision: 2 },
  }))

const share = (successes: number, n: number) => {
  const { low, high } = wilson(successes, n, 0.95)
  return { value: successes / n, ci_low: low, ci_high: high, n }
}

function bothShares(metric: string, worse: -1 | 1, a: number, b: number, n: number): BothSides {
  const [before, now] = [share(Math.round(a * n), n), share(Math.round(b * n), n)]
  const ends = differenceInterval(
    { value: now.value, low: now.ci_low, high: now.ci_high },
    { value: before.value, low: before.ci_low, high: before.ci_high },
  )
  const difference = now.value - before.value
  return {
    ...{ family: metric === 'error_ratio' ? 'operations' : 'performance', metric, worse },
    ...{ a: before, b: now, difference, difference_low: ends.low, difference_high: ends.high },
    rests_on: 'interval',
    standing:
      ends.low <= 0 && ends.high >= 0
        ? 'alike'
        : Math.sign(difference) === worse
          ? 'worse'
          : 'better',
    reason: '',
  }
}

/** A hump whose middle and width are given, in 24 bars. */
const hump = (middle: number, width: number) => {
  const heights = Array.from({ length: 24 }, (_, i) => Math.exp(-(((i - middle) / width) ** 2)))
  const sum = heights.reduce((total, height) => total + height, 0)
  return heights.map((height) => height / sum)
}

export function featureBeside(subject: string, psi: number | null, shift: number): FeatureBeside {
  const [before, now] = [hump(9, 5), hump(9 + shift, 5)]
  const distance = (value: number | null, open = 0) => ({
    ...{ value, low: value === null ? null : value - open },
    ...{ high: value === null ? null : value + open, precision: 'bounded' as const },
  })
  return {
    subject,
    psi: distance(psi),
    ks: psi === null ? null : distance(psi / 3, psi / 90),
    js_distance: psi === null ? null : distance(psi / 2),
    ...{ n_a: psi === null ? 0 : 32_000, n_b: 4000, missing_a: psi === null ? 1 : 0.01 },
    missing_b: 0.01 + Math.abs(shift) / 200,
    reason: psi === null ? 'no number in the reference' : '10 bins of equal mass in the reference',
    shown: {
      ...{ kind: 'numeric', scale: 'linear', median: { current: 90 + 10 * shift, reference: 90 } },
      bars: now.map((current, i) => ({
        ...{ low: 10 * i, high: 10 * i + 10, category: null, current, reference: before[i]! },
      })),
      missing: { current: 0.02, reference: 0.01 },
      other: { current: 0, reference: 0, categories: 0 },
    },
  }
}

export const BESIDE: SideBySideAnswer = {
  model_id: 'credit',
  a: {
    ...{ reference: 'baseline', span_count: 8, events: 32_000, labelled: 30_100 },
    spans: [{ from: at(0), to: at(8) }],
  },
  b: {
    ...{ reference: null, span_count: 1, events: 4000, labelled: 3600 },
    spans: [{ from: at(LAST - 1), to: at(LAST) }],
  },
  shared: false,
  metrics: [
    bothShares('accuracy', -1, 0.831, 0.764, 3600),
    bothShares('precision', -1, 0.79, 0.775, 1700),
    bothShares('recall', -1, 0.74, 0.69, 1800),
    bothShares('macro_f1', -1, 0.82, 0.75, 3600),
    bothShares('label_coverage', -1, 0.94, 0.9, 4000),
    bothShares('error_ratio', 1, 0.012, 0.004, 4000),
    {
      ...{ family: 'operations', metric: 'latency_p95_ms', worse: 1, rests_on: 'bounds' },
      ...{ a: { value: 41, ci_low: 40.7, ci_high: 41.4, n: 32_000 }, difference: 3.2 },
      ...{ b: { value: 44.2, ci_low: 44, ci_high: 44.6, n: 4000 }, difference_low: 2.6 },
      ...{ difference_high: 3.9, standing: 'worse', reason: '' },
    },
    {
      ...{ family: 'operations', metric: 'cost_usd', worse: 0, rests_on: 'nothing' },
      ...{ a: { value: 320, ci_low: null, ci_high: null, n: 32_000 }, difference: -278 },
      ...{ b: { value: 42, ci_low: null, ci_high: null, n: 4000 }, difference_low: null },
      ...{ difference_high: null, standing: 'unknown', reason: '' },
    },
  ],
  features: [
    featureBeside('employer_code', null, 0),
    featureBeside('amount', 1.84, 6),
    featureBeside('income', 0.61, -4),
    featureBeside('@score', 0.32, 3),
    featureBeside('age', 0.09, 1),
    featureBeside('months_at_address', 0.012, 0.3),
    featureBeside('open_accounts', 0.004, 0.1),
  ],
  left_out: 0,
}

const METRICS = ['accuracy', 'precision', 'recall', 'error_ratio'] as const
const WHOLE = [0.81, 0.79, 0.75, 0.008]

function cellsOf(n: number, fall: number): Cell[] {
  return METRICS.map((metric, i): Cell => {
    const cases = Math.round(n / (i === 0 || i === 3 ? 1 : 2))
    const value = metric === 'error_ratio' ? WHOLE[i]! : WHOLE[i]! - fall
    const { ci_low, ci_high } = share(value * cases, cases)
    const standing =
      cases < 100
        ? 'too_few'
        : ci_high < WHOLE[i]!
          ? 'worse'
          : ci_low > WHOLE[i]!
            ? metric === 'error_ratio'
              ? 'worse'
              : 'better'
            : 'alike'
    return {
      ...{ value, ci_low, ci_high, baseline_value: WHOLE[i]!, n: cases, standing },
      ...{ verdict: standing === 'worse' ? 'alarm' : cases < 100 ? 'incomplete' : 'ok' },
      reason: `${value.toFixed(3)} against ${WHOLE[i]!}`,
    }
  })
}

export const cohort = (
  slice_key: string,
  slice_value: string,
  n: number,
  fall = 0,
  more: object = {},
) => ({
  ...{ model_version: '', variant: '', slice_key, slice_value },
  ...{ events: n, labelled: Math.round(0.9 * n), cells: cellsOf(0.9 * n, fall) },
  ...more,
})

const pair = (region: string, channel: string, n: number, fall = 0) =>
  cohort('region&channel', `region=${region}&channel=${channel}`, n, fall)

export const COHORTS: CohortsAnswer = {
  ...{ model_id: 'credit', window_start: at(LAST - 1), window_end: at(LAST), min_count: 100 },
  windows: Array.from({ length: 20 }, (_, i) => at(LAST - i)),
  metrics: METRICS.map((metric) => ({
    ...{ metric, family: metric === 'error_ratio' ? 'operations' : 'performance', tested: 12 },
    worse: metric === 'error_ratio' ? 1 : -1,
  })),
  cohorts: [
    cohort('', '', 4000),
    cohort('', '', 2000, 0.01, { model_version: '7' }),
    cohort('', '', 2000, 0.06, { model_version: '8' }),
    cohort('large', 'true', 410, 0.02),
    cohort('region', 'west', 1500, -0.06),
    cohort('region', 'north', 1220, 0.19),
    cohort('region', 'south', 1180, 0.005),
    cohort('region', 'islands', 60, 0),
    ...['north', 'south', 'west', 'islands'].flatMap((region) => [
      pair(region, 'web', region === 'islands' ? 31 : 620, region === 'north' ? 0.26 : -0.02),
      pair(region, 'app', region === 'islands' ? 19 : 420, region === 'north' ? 0.14 : 0),
      pair(region, 'branch', region === 'islands' ? 10 : 170, 0.01),
    ]),
  ],
  left_out: 0,
  searched: {
    ...{ is_asked: true, verdict: 'alarm', p_adjusted: 3e-7 },
    reason:
      'region=north: accuracy 0.620 of 1098 labelled, 0.872 elsewhere; in the baseline accuracy 0.829 of 8800 labelled, 0.833 elsewhere; the surest of 41 cohorts searched',
    worst: [
      {
        ...{ name: 'region=north', gap: 0.252, ci_low: 0.19, ci_high: 0.31, baseline_gap: 0.004 },
        ...{ n: 1098, reason: 'accuracy 0.620 of 1098 labelled, 0.872 elsewhere' },
      },
      {
        ...{ name: 'amount>=120 and <180', gap: 0.09, ci_low: 0.02, ci_high: 0.16 },
        ...{
          baseline_gap: -0.01,
          n: 370,
          reason: 'accuracy 0.741 of 370 labelled, 0.831 elsewhere',
        },
      },
    ],
  },
}

const group = (
  subject: string,
  metric: string,
  value: number,
  [ci_low, ci_high]: readonly [number, number] | readonly [null, null],
  more: object = {},
) => ({
  ...windowsOf('fairness', metric).at(-1)!,
  ...{ subject, value, ci_low, ci_high, threshold: 0.1, verdict: 'none', n_current: '1900' },
  ...{ n_reference: '2100', reference: '', reason: '' },
  ...more,
})

export const FAIRNESS = ['sex=1', 'sex=2', 'race=a', 'race=b', 'race=c', 'sex=2&race=b'].flatMap(
  (subject, i) => {
    const gap = [0, -0.17, 0, -0.04, -0.13, -0.21][i]!
    const half = i === 4 ? 0.16 : 0.035
    const isPrivileged = i === 0 || i === 2
    const verdict = i === 4 ? 'incomplete' : gap < -0.14 ? 'alarm' : 'ok'
    const n = i === 4 ? '24' : '1900'
    const reason =
      i === 4 ? 'the interval reaches beyond the limit, from a group of 24, below 30' : ''
    const more = { verdict, n_current: n, reason }
    return [
      group(subject, 'selection_rate', 0.51 + gap, [0.49 + gap, 0.53 + gap], { n_current: n }),
      group(subject, 'true_positive_rate', 0.7 + gap, [0.66 + gap, 0.74 + gap], { n_current: n }),
      group(subject, 'label_coverage', 0.93 + gap / 3, [0.91 + gap / 3, 0.95 + gap / 3]),
      group(subject, 'review_exposure', 0.04 + gap / 9, [0.02 + gap / 9, 0.05 + gap / 9]),
      group(subject, 'label_delay_p50_s', 86_400 * (1 - 8 * gap), [null, null]),
      ...(isPrivileged
        ? []
        : [
            group(subject, 'statistical_parity_difference', gap, [gap - half, gap + half], more),
            group(subject, 'disparate_impact_ratio', 1 + gap / 0.51, [0.6, 1.02 + gap], {
              ...more,
              threshold: 0.8,
            }),
            group(subject, 'label_coverage_difference', gap / 3, [gap / 3 - 0.03, gap / 3 + 0.03]),
            group(subject, 'review_exposure_difference', gap / 9, [gap / 9 - 0.02, gap / 9 + 0.02]),
            group(subject, 'label_delay_p50_s_difference', -8 * 86_400 * gap, [null, null]),
          ]),
    ]
  },
)

type Canary = Static<typeof CanaryAnswer>
const LOOKS = 24

const CHAMPION: Record<string, number> = {
  business_value: 3.1,
  error_ratio: 0.009,
  latency_p95_ms: 47,
}

function canaryMetric(metric: string, difference: number, reach: number, isLess: boolean) {
  const champion = CHAMPION[metric] ?? 0.82
  const beyond = Math.abs(difference) > reach
  const good = isLess ? difference < 0 : difference > 0
  const decided = good ? ('better' as const) : ('worse' as const)
  return {
    ...{ metric, champion, candidate: champion + difference, difference, ci_level: 0.9875 },
    ...{ ci_low: difference - reach, ci_high: difference + reach, n_champion: 9100 },
    ...{ n_candidate: 3000, decision: beyond ? decided : ('undecided' as const) },
    units_to_decide: beyond ? null : Math.ceil(3000 * (reach / difference) ** 2),
  }
}

const CANARY_METRICS = [
  ['accuracy', -0.034, 0.021, false],
  ['business_value', -0.4, 0.9, false],
  ['error_ratio', 0.0008, 0.006, true],
  ['latency_p95_ms', -6.1, 3.9, true],
] as const

export const CANARY: Canary = {
  ...{ model_id: 'credit', by: 'model_version', paired: false, champion: '7', candidate: '8' },
  ...{ from: at(20), to: at(34), alpha: 0.05, decision: 'worse' },
  ...{ reason: 'worse: accuracy, better: latency_p95_ms', sample_ratio_p: null },
  units: { champion: 9100, candidate: 3000, crossed: 41 },
  metrics: CANARY_METRICS.map(([metric, difference, reach, isLess]) =>
    canaryMetric(metric, difference, reach, isLess),
  ),
  looks: Array.from({ length: LOOKS }, (_, i) => {
    const part = (i + 1) / LOOKS
    return {
      at: at(20 + 14 * part),
      ...{ n_champion: Math.round(9100 * part), n_candidate: Math.round(3000 * part) },
      metrics: CANARY_METRICS.map(([metric, difference, reach, isLess]) => {
        const now = difference + (Math.sin(3 * i) * reach) / (4 + i)
        const found = canaryMetric(metric, now, reach / Math.sqrt(part), isLess)
        const { ci_low, ci_high, decision } = found
        return { metric, difference: now, ci_low, ci_high, decision }
      }),
    }
  }),
}

/** Models, one model's windows, alarms and features, as the API of a team of ten models gives them. */
import type { Static } from 'typebox'
import type { FeaturesAnswer } from '../../../schemas/http/console.ts'
import { featureBeside, MODEL } from '../../planted/planted-comparison.ts'

const DAY = 86_400_000
const TODAY = Math.floor(Date.now() / DAY) * DAY
/** So many days before today, RFC 3339. */
const before = (days: number) => new Date(TODAY - days * DAY).toISOString()
const WINDOWS = 60
/** Windows since which the model is wrong more often. */
const FALLEN = 11

const ALARM = {
  ...{ model_id: 'credit', model_version: '', variant: '', slice_key: '', slice_value: '' },
  ...{ reference: 'baseline', severity: 'alarm', window_start: before(1), window_end: before(0) },
  ...{ baseline_value: null, threshold: null, is_snoozed: false, snoozed_until: null },
  ...{ since: before(FALLEN), episode_id: `credit/${before(FALLEN)}` },
}
const alarm = (metric: string, subject: string, value: number, more: object = {}) => ({
  ...ALARM,
  ...{ family: subject === '' ? 'performance' : 'drift', metric, subject, value },
  ...{ reason: 'its values lie 2.1 standard deviations higher', verdict_id: `${metric}${subject}` },
  ...more,
})

/** What is active of the model, and of others. */
export const ALARMS = [
  alarm('psi', 'amount', 1.84),
  alarm('accuracy', '', 0.704, { baseline_value: 0.831 }),
  alarm('psi', 'income', 0.61),
  alarm('missing_ratio', 'employer_code', 0.12, { family: 'quality', severity: 'warning' }),
  alarm('psi', 'basket', 0.4, { model_id: 'demand-forecast', since: before(2) }),
]

const summary = (id: string, health: string, headline: string, more: object = {}) => ({
  ...{ model_id: id, health, headline, task: 'binary', windows: '60', incomplete: '0' },
  ...{ last_window_end: before(0), alarms: '0', warnings: '0' },
  ...more,
})
const CALM = 'all 34 evaluated metrics as usual'

/** Ten models, of which some are wrong, silent or still learning. */
export const MODELS = [
  summary(
    'credit',
    'degraded',
    'accuracy is down from 0.831 to 0.704; amount has drifted (PSI 1.84), which alone moves the score by +0.18 of +0.22',
    { alarms: '3', warnings: '1' },
  ),
  summary('demand-forecast', 'degraded', 'basket has drifted (PSI 0.4)', {
    ...{ task: 'regression', alarms: '1' },
  }),
  summary('card-fraud', 'silent', 'no event for 3 hours; 41 an hour are usual', {
    last_window_end: before(1),
  }),
  summary('support-answers', 'learning', 'its baseline is being learned, window 5 of 8', {
    ...{ task: 'llm', windows: '5' },
  }),
  summary('search-ranking', 'healthy', CALM, { task: 'ranking', warnings: '1' }),
  ...['churn', 'delivery-time', 'insurance-claims', 'loan-approval', 'returns'].map((id, i) =>
    summary(id, 'healthy', CALM, { task: i % 2 === 1 ? 'regression' : 'binary' }),
  ),
]

/** The model whose page is shown. */
export const ABOUT = {
  ...MODEL,
  headline: MODELS[0]!.headline,
  watermark: before(0),
  label_horizon: { horizon_ms: 2 * DAY, source: 'learned', says: 'Labels are waited for 2 d' },
}

/** One number of the model by day; the newest windows await their labels. */
export const windowsOf = (family: string, metric: string) =>
  Array.from({ length: WINDOWS }, (_, i) => {
    const isFallen = i >= WINDOWS - FALLEN
    const isYoung = i >= WINDOWS - 2
    const value = (isFallen ? 0.71 : 0.83) + Math.sin(i * 1.7) / 60
    return {
      ...ALARM,
      ...{ window_start: before(WINDOWS - i), window_end: before(WINDOWS - 1 - i), family, metric },
      ...{ subject: '', convention: 'plumbline', method: 'observed', precision: 'exact' },
      ...{ value, ci_low: value - 0.03, ci_high: value + 0.03, ci_level: 0.95, reason: '' },
      ...{ baseline_value: 0.831, p_adjusted: isFallen ? 1e-6 : 0.4 },
      verdict: isYoung ? 'incomplete' : isFallen ? 'alarm' : 'ok',
      episode_id: isFallen && !isYoung ? ALARM.episode_id : '',
      ...{ label_maturity: isYoung ? 0.4 : 1, completeness: 0.998, revision: 2 },
      ...{ n_current: '4000', n_labelled: isYoung ? '1200' : '3600', n_reference: '32000' },
    }
  })

/** What drifted of a feature, by day, or in its newest window. */
export const driftOf = (subject: string, metric: string | undefined) => {
  const rows = windowsOf('drift', metric ?? 'psi').map((row, i) => {
    const isFallen = i >= WINDOWS - FALLEN
    return {
      ...row,
      ...{ subject, value: (isFallen ? 1.7 : 0.03) + Math.sin(i * 1.7) / 50, ci_low: null },
      ...{ ci_high: null, ci_level: null, baseline_value: null, label_maturity: null },
      ...{ verdict: isFallen ? 'alarm' : 'ok', threshold: isFallen ? 0.11 : null },
    }
  })
  if (metric !== undefined) return rows
  const numbers = [
    ['psi', 1.84, 'alarm'],
    ['ks', 0.61, 'none'],
    ['location_shift', 2.1, 'alarm'],
    ['scale_shift', 1.02, 'ok'],
    ['missing_ratio', 0.02, 'ok'],
  ] as const
  return numbers.map(([name, value, verdict]) => ({
    ...rows.at(-1)!,
    metric: name,
    value,
    verdict,
  }))
}

const NAMES =
  'amount income @score employer_code age months_at_address open_accounts country channel device term'.split(
    ' ',
  )

/** Every feature of the model in its newest window. */
export const FEATURES: Static<typeof FeaturesAnswer> = {
  ...{ model_id: 'credit', window_start: before(1), window_end: before(0) },
  ends: Array.from({ length: 30 }, (_, i) => before(29 - i)),
  features: NAMES.map((subject, i) => ({
    ...{ subject, verdict: i < 2 ? 'alarm' : i < 4 ? 'warning' : 'ok', metric: 'psi' },
    ...{ reason: 'its values lie higher', psi: 1.84 / (i * i + 1), ks: 0.5 / (i + 1) },
    ...{ p_adjusted: i < 4 ? 1e-6 * (i + 1) : 1, missing_ratio: i === 3 ? 0.12 : 0.01 },
    history: Array.from({ length: 30 }, (_, k) =>
      k < 30 - FALLEN || i > 3 ? 0.02 + 0.01 * Math.sin(k + i) : 1.84 / (i * i + 1),
    ),
  })),
}

/** The values of a feature in a window over those of the baseline. */
export const DISTRIBUTION = {
  ...featureBeside('amount', 1.84, 6).shown,
  ...{ model_id: 'credit', subject: 'amount', reference: 'baseline', n_current: 4000 },
  ...{ n_reference: 32_000, reference_spans: [{ from: before(68), to: before(60) }] },
}

/** What a period of a model says in a few sentences. Pure. */
import type { ReportData, ReportEpisode } from './report-data.ts'
import { metricName, minute, number, plural } from './words.ts'

function ofPerformance({ performance }: ReportData): string {
  const [series = []] = performance
  const newest =
    series.findLast(({ value, verdict }) => value !== null && verdict !== 'incomplete') ??
    series.findLast(({ value }) => value !== null)
  if (!newest) return 'Performance is not known: no window of the period has ground truth.'
  const {
    metric,
    value,
    ci_low: low,
    ci_high: high,
    ci_level: level,
    baseline_value: before,
  } = newest
  const interval =
    low === null || high === null
      ? ''
      : ` (${number(low)} to ${number(high)}, ${number((level ?? 0.95) * 100)} % interval)`
  const beside = before === null ? '' : `, where the baseline's was ${number(before)}`
  return `${metricName(metric)} is ${number(value)}${interval}${beside}, in the window to ${minute(newest.window_end)} with ${plural(Number(newest.n_labelled), 'label')}: ${newest.verdict === 'none' ? 'not judged' : newest.verdict}.`
}

function ofEpisodes({ shown, left_out: leftOut }: ReportData['episodes']): string {
  const all = shown.length + leftOut
  if (all === 0) return 'No alert episode.'
  const of = (ended: ReportEpisode['ended']) => shown.filter((one) => one.ended === ended).length
  const told = (['active', 'accepted', 'dismissed', 'by itself'] as const).flatMap((ended) =>
    of(ended) > 0 ? [`${of(ended)} ${ended === 'by itself' ? 'ended by themselves' : ended}`] : [],
  )
  return `${plural(all, 'alert episode')}: ${told.join(', ')}${leftOut > 0 ? `, ${leftOut} older` : ''}.`
}

function ofFeatures({ features: { shown, left_out: leftOut } }: ReportData): string {
  const moved = shown.filter(({ verdict }) => verdict === 'alarm')
  const all = shown.length + leftOut
  if (all === 0) return 'No feature was compared.'
  if (moved.length === 0) return `None of ${plural(all, 'feature')} alarms in the newest window.`
  const names = moved.slice(0, 3).map(({ subject }) => subject)
  return `${moved.length} of ${plural(all, 'feature')} ${moved.length === 1 ? 'alarms' : 'alarm'} in the newest window, first ${names.join(', ')}.`
}

function ofFairness({ fairness: { shown } }: ReportData): string {
  const beyond = shown.filter(({ verdict }) => verdict === 'alarm' || verdict === 'warning')
  return beyond.length === 0
    ? ''
    : `${plural(beyond.length, 'number')} of fairness ${beyond.length === 1 ? 'is' : 'are'} beyond the limit.`
}

/** Sentences, what costs most first. */
export const reportHeadline = (data: ReportData): string[] =>
  [ofPerformance(data), ofEpisodes(data.episodes), ofFeatures(data), ofFairness(data)].filter(
    (sentence) => sentence !== '',
  )

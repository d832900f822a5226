/** What a report cannot say, in plain sentences. Pure. */
import type { ReportData } from './report-data.ts'
import { minute, percent, plural } from './words.ts'

/** Reasons that are told of windows that could not be evaluated. */
const MAX_REASONS = 5

const isAre = (n: number) => (n === 1 ? 'is' : 'are')

function ofWindows({ windows: { shown, left_out: leftOut }, from, to }: ReportData): string[] {
  if (shown.length === 0)
    return [`No window between ${minute(from)} and ${minute(to)} UTC had been evaluated.`]
  const empty = shown.filter(({ events }) => events === 0).length
  const incomplete = shown.filter(({ worst }) => worst === 'incomplete').length
  const unnumbered = shown.filter(({ completeness }) => completeness === null).length
  const lossy = shown.filter(({ completeness }) => completeness !== null && completeness < 1)
  const least = lossy.reduce((low, { completeness }) => Math.min(low, completeness!), 1)
  return [
    ...(leftOut > 0
      ? [
          `${plural(leftOut, 'older window')} of the period ${isAre(leftOut)} not in this report: it tells the newest ${shown.length}.`,
        ]
      : []),
    ...(empty > 0 ? [`${plural(empty, 'window')} held no event.`] : []),
    ...(incomplete > 0 ? [`${plural(incomplete, 'window')} could not be evaluated at all.`] : []),
    ...(unnumbered > 0
      ? [
          `In ${plural(unnumbered, 'window')} producers did not number their events: how many were lost is not known.`,
        ]
      : []),
    ...(lossy.length > 0
      ? [
          `In ${plural(lossy.length, 'window')} events were lost on the way; in the worst of them ${percent(least)} came.`,
        ]
      : []),
  ]
}

function ofLabels({ windows: { shown }, performance, estimates }: ReportData): string[] {
  if (shown.length === 0) return []
  const unlabelled = shown.filter(({ labelled }) => labelled === 0).length
  const young = shown.filter(({ maturity }) => maturity < 1).length
  return [
    ...(performance.length === 0
      ? ['No ground truth: performance is not known in any window.']
      : []),
    ...(performance.length > 0 && unlabelled > 0
      ? [`${plural(unlabelled, 'window')} had no label yet: performance is not known there.`]
      : []),
    ...(young > 0
      ? [
          `Labels of ${plural(young, 'window')} were younger than the label horizon: their performance may change as labels come.`,
        ]
      : []),
    ...(estimates.length > 0
      ? ['Numbers under "Before labels are in" are estimates and no measurement.']
      : []),
  ]
}

/** Why numbers of the newest windows are unknown, the most frequent reasons first. */
function ofNumbers({ performance, fairness }: ReportData): string[] {
  const rows = [...performance.flatMap((series) => series.slice(-1)), ...fairness.shown]
  const unknown = rows.filter(({ value, verdict }) => value === null || verdict === 'incomplete')
  const reasons = [...Map.groupBy(unknown, ({ reason }) => reason)]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .slice(0, MAX_REASONS)
  return reasons.map(
    ([reason, own]) =>
      `${plural(own.length, 'number')} could not be judged: ${reason === '' ? 'no reason was kept' : reason}.`,
  )
}

function ofLists({
  features,
  fairness,
  episodes,
  runs,
  as_of: asOf,
  settings,
}: ReportData): string[] {
  const cut = (n: number, what: string) =>
    n > 0 ? [`${plural(n, what)} ${isAre(n)} not in this report; the API has them.`] : []
  return [
    ...cut(features.left_out, 'further feature'),
    ...cut(fairness.left_out, 'further fairness number'),
    ...cut(episodes.left_out, 'older alert episode'),
    ...cut(runs.left_out, 'older run step'),
    ...(fairness.shown.length === 0
      ? ['No group was compared: no attribute is declared, or none was sent.']
      : []),
    ...(asOf !== null
      ? [
          `Settings are those of the day the report was made (revision ${settings.revision}); windows tell the revision that each was evaluated by.`,
        ]
      : []),
  ]
}

/** Sentences on what is not known, not measured or not shown; none where nothing is missing. */
export const missingOf = (data: ReportData): string[] => [
  ...ofWindows(data),
  ...ofLabels(data),
  ...ofNumbers(data),
  ...ofLists(data),
]

/** How labels are taken, what windows are compared with, and by what they alarm, in words. Pure. */
import type { Model } from '../../../../lib/models/model-files.ts'
import { count, list, percent, type Said } from './said.ts'

/** How labels are taken. */
export function labelsOf({ labels }: Model): Said[] {
  const { horizon, isHorizonDeclared, absent_means: absent, evaluate_at: at } = labels
  return [
    [
      'labels.horizon',
      isHorizonDeclared ? horizon : null,
      isHorizonDeclared
        ? `Labels are expected within ${horizon} of a prediction.`
        : 'How long labels take is learned from those that came.',
    ],
    [
      'labels.absent_means',
      absent,
      absent === 'unknown'
        ? 'A prediction without a label says nothing of what was true.'
        : `A prediction without a label counts as ${absent} once it is older than the horizon.`,
    ],
    [
      'labels.evaluate_at',
      at,
      at.length === 1
        ? 'Performance is evaluated once the horizon is over, and again when labels come later.'
        : `Performance is evaluated when ${list(at.map(percent))} of the horizon have passed.`,
    ],
    [
      'labels.precedence',
      labels.precedence,
      `Of several sources ${labels.precedence[0] ?? 'the newest'} decides; others count where it says nothing.`,
    ],
    [
      'labels.resolve',
      labels.resolve,
      labels.resolve === 'majority'
        ? 'Most of several people of one source decide; the newest does where they are equal.'
        : 'The newest label of several people of one source decides.',
    ],
    [
      'labels.compare',
      labels.compare,
      labels.compare === 'exact'
        ? 'A label is right when it is spelled as the prediction is.'
        : 'A label may differ from the prediction in spaces, case and the way numbers are written.',
    ],
  ]
}

/** Says by what windows alarm. */
export function alarmsOf({ hasFixedLines, falseAlarmsPerWeek, overrides }: Model): Said[] {
  const own = Object.keys(overrides)
  return [
    [
      'alarms.kind',
      hasFixedLines ? 'fixed' : 'budget',
      hasFixedLines
        ? 'Fixed lines decide, however much windows differ by themselves.'
        : 'A window alarms when it differs from the baseline by more than windows differ by themselves.',
    ],
    [
      'alarms.false_alarms_per_week',
      falseAlarmsPerWeek,
      hasFixedLines
        ? 'It holds for nothing while fixed lines decide.'
        : `All metrics together may cost ${falseAlarmsPerWeek} false alarms a week.`,
    ],
    [
      'alarms.overrides',
      overrides,
      own.length === 0
        ? 'No metric has a line of its own.'
        : `${count(own.length, 'metric has a line', 'metrics have lines')} of its owner: ${list(own)}.`,
    ],
  ]
}

const KINDS = {
  fixed: 'a fixed span of time',
  trailing: 'the last windows',
  first: 'the first windows',
  previous: 'the window before',
  season: 'the same phase of the last seasons',
  version: 'all predictions of a version',
  since_promotion: 'the first windows since a version took over',
  table: 'a table',
} as const

/** What windows are compared with. */
export const referencesOf = ({ references }: Model): Said[] =>
  Object.entries(references).map(([name, reference]) => [
    `references.${name}`,
    reference,
    `${name} is ${KINDS[reference.kind]}; ${
      reference.baseline === true
        ? 'verdicts come from it.'
        : 'it informs, and nothing alarms by it.'
    }`,
  ])

/** What a model answers and how it is cut into windows, in words. Pure. */
import type { Model } from '../../../../lib/models/model-files.ts'
import { count, percent, type Said } from './said.ts'

/** What the model answers, and how an answer is read. */
export function answersOf(model: Model): Said[] {
  const { task, positiveClass, classes, threshold, scoreKind, outputKind } = model
  const isBinary = task === undefined || task === 'binary'
  return [
    [
      'task',
      task ?? null,
      task === undefined
        ? 'No task is declared: what its predictions look like decides which metrics there are.'
        : `It is evaluated by the metrics of ${task} models.`,
    ],
    ...(isBinary
      ? ([
          [
            'positive_class',
            positiveClass,
            `${positiveClass} is the class that precision, recall and the score are about.`,
          ],
          ['threshold', threshold, `Scores from ${threshold} on are the positive class.`],
        ] as Said[])
      : []),
    [
      'score_kind',
      scoreKind,
      scoreKind === 'margin'
        ? 'Scores are margins: there are no losses of them, no calibration and no estimates.'
        : 'Scores are probabilities: losses, calibration and estimates before labels are made of them.',
    ],
    [
      'classes',
      classes,
      classes.length === 0
        ? 'No classes are declared: a label may be anything.'
        : `Reviewers choose among ${count(classes.length, 'class', 'classes')}.`,
    ],
    [
      'output.kind',
      outputKind ?? null,
      outputKind === undefined
        ? 'A number alone that a model server answers is told by what it looks like.'
        : `A number alone that a model server answers is a ${outputKind}.`,
    ],
  ]
}

/** How the model is cut into windows. */
export function windowsOf({ windows }: Model): Said[] {
  const { size, slide, timezone, season, lateness, idle } = windows
  const isCount = size.endsWith('events')
  return [
    [
      'windows.size',
      size,
      `A window covers ${isCount ? size : `one ${/^\d/.test(size) ? `span of ${size}` : size}`}.`,
    ],
    [
      'windows.slide',
      slide ?? null,
      slide === undefined
        ? 'A window begins where the one before it ends.'
        : `A window begins every ${slide}.`,
    ],
    ['windows.timezone', timezone, `Days begin by the clock of ${timezone}.`],
    [
      'windows.season',
      season ?? null,
      season === undefined
        ? 'No season is declared: no window is compared with its own phase.'
        : `What is usual repeats every ${season}.`,
    ],
    [
      'windows.lateness',
      lateness,
      `An event may come ${lateness} late and still be on time; one that comes later restates its window.`,
    ],
    [
      'windows.idle',
      idle,
      `After ${idle} of silence a partition of the log no longer holds windows back.`,
    ],
    [
      'windows.min_count',
      windows.min_count,
      `Below ${count(windows.min_count, 'event')} a window is incomplete: its numbers are kept, and none alarms.`,
    ],
    [
      'windows.min_completeness',
      windows.min_completeness,
      `A window is incomplete when less than ${percent(windows.min_completeness)} of what producers emitted has come.`,
    ],
    [
      'windows.min_labelled',
      windows.min_labelled,
      `Performance is incomplete when less than ${percent(windows.min_labelled)} of the predictions have labels.`,
    ],
  ]
}

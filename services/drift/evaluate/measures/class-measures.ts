/** Measures of performance that a confusion matrix gives. Pure. */
import {
  averageOfClasses,
  cellsAt,
  cellsOf,
  precisionRecall,
  type Cells,
  type Confusion,
} from '../../../../lib/stats/estimators/confusion.ts'
import { countsStandardError } from '../../../../lib/stats/intervals/delta-method.ts'
import type { BusinessValue } from '../../../../schemas/model.ts'
import type { Measure, MeasureRules } from './measure.ts'

/** The most frequent classes, which have measures of their own. */
const MAX_SHOWN_CLASSES = 20

/**
 * Accuracy, and precision, recall and F1: of the positive class where there are two classes,
 * averaged over classes and of each class otherwise. Empty where no case has a predicted class.
 */
export function classMeasures(confusion: Confusion, rules: MeasureRules): Measure[] {
  const { n, allRight } = confusion
  if (n === 0) return []
  const accuracy: Measure = { metric: 'accuracy', value: allRight / n, n, successes: allRight }
  if (!rules.binary) return [accuracy, ...averages(confusion), ...perClass(confusion)]
  return confusion.classes.includes(rules.positiveClass)
    ? [accuracy, ...oneClass(cellsOf(confusion, rules.positiveClass))]
    : [accuracy]
}

/** Precision, recall and F1 of one class against all others, where they are defined. */
function oneClass(cells: Cells): Measure[] {
  const { precision, recall, f1 } = precisionRecall(cells)
  const predicted = cells.tp + cells.fp
  const truly = cells.tp + cells.fn
  const f1Of = ([tp, others]: readonly number[]) => (2 * tp!) / (2 * tp! + others!)
  return [
    ...(precision === undefined
      ? []
      : [{ metric: 'precision', value: precision, n: predicted, successes: cells.tp }]),
    ...(recall === undefined
      ? []
      : [{ metric: 'recall', value: recall, n: truly, successes: cells.tp }]),
    ...(f1 === undefined
      ? []
      : [
          {
            metric: 'f1',
            value: f1,
            n: predicted + truly,
            standardError: countsStandardError(f1Of, [cells.tp, cells.fp + cells.fn]),
          },
        ]),
  ]
}

/**
 * Measures of the most frequent classes: shown only, for what moves them moves the averages too.
 */
function perClass(confusion: Confusion): Measure[] {
  return confusion.classes
    .map((name, i) => ({ name, i, n: confusion.truly[i]! }))
    .toSorted((a, b) => b.n - a.n)
    .slice(0, MAX_SHOWN_CLASSES)
    .flatMap(({ name, i }) =>
      oneClass(cellsAt(confusion, i)).map((measure) => ({
        ...measure,
        subject: `class=${name}`,
        informs: true,
      })),
    )
}

/**
 * Averages over classes: even (`macro_…`) and weighted by cases (`weighted_…`). None where some
 * class is not known.
 */
function averages(confusion: Confusion): Measure[] {
  if (!confusion.allClasses) return []
  return (['precision', 'recall', 'f1'] as const).flatMap((which) =>
    [false, true].map((weighted) => ({
      metric: `${weighted ? 'weighted' : 'macro'}_${which}`,
      ...averageOfClasses(confusion, which, weighted),
      n: confusion.n,
      // Macro F1 alone is evaluated, so that one fall is one alarm and not six.
      informs: weighted || which !== 'f1',
      ...(!confusion.allCells && {
        note: 'too many pairs of classes: the interval is as wide as the counts per class allow',
      }),
    })),
  )
}

/** The mean worth of a prediction, in the unit of the model file. */
export function businessValue(
  confusion: Confusion,
  positive: string,
  worth: BusinessValue,
): Measure {
  const cells = confusion.classes.includes(positive)
    ? cellsOf(confusion, positive)
    : { tp: 0, fp: 0, fn: 0, tn: confusion.n }
  const kinds = ['tp', 'fp', 'fn', 'tn'] as const
  const n = kinds.reduce((sum, kind) => sum + cells[kind], 0)
  const mean = kinds.reduce((sum, kind) => sum + cells[kind] * worth[kind], 0) / n
  const variance = kinds.reduce((sum, kind) => sum + cells[kind] * (worth[kind] - mean) ** 2, 0) / n
  return {
    metric: 'business_value',
    value: mean,
    n,
    standardError: Math.sqrt(variance / n),
    informs: true,
  }
}

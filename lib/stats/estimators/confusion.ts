/**
 * How often each class was predicted for each true class: what classification measures are made of.
 */
export interface Confusion {
  /** Names of the classes, each once. */
  classes: readonly string[]
  /** Cases of each class that were predicted as it. */
  right: readonly number[]
  /** Cases that were predicted as each class. */
  predicted: readonly number[]
  /** Cases of each class. */
  truly: readonly number[]
  /** All cases, those of classes that are not listed too. */
  n: number
  /** All cases whose class was predicted right. */
  allRight: number
  /**
   * Cases by true and predicted class, as indexes of `classes`; those that occur, the diagonal too.
   */
  cells: readonly ConfusionCell[]
  /** `cells` are all there are; otherwise the most frequent ones. */
  allCells: boolean
  /** `classes` are all there are; otherwise the most frequent ones. */
  allClasses: boolean
}

/** How many labelled events have this pair of classes. */
export interface ConfusionCell {
  truth: number
  predicted: number
  /** How many, or the weight of as many; ≥ 0. */
  n: number
}

/** Counts of one class against all others. */
export interface Cells {
  tp: number
  fp: number
  fn: number
  tn: number
}

/**
 * The 2 × 2 cells of one class against all others. O(1) beside finding the class.
 *
 * @throws {RangeError} when the class is not in the matrix
 * @example cellsOf(confusionOf([{ label: '0', predicted: '0', n: 5 }, { label: '0', predicted: '1', n: 1 }, { label: '1', predicted: '0', n: 2 }, { label: '1', predicted: '1', n: 4 }]), '1') // => { tp: 4, fp: 1, fn: 2, tn: 5 }
 */
export function cellsOf(confusion: Confusion, name: string): Cells {
  const c = confusion.classes.indexOf(name)
  if (c === -1) throw new RangeError(`cellsOf requires a class of the matrix, not ${name}`)
  return cellsAt(confusion, c)
}

/** As `cellsOf`, of the class at an index. */
export function cellsAt({ right, predicted, truly, n }: Confusion, c: number): Cells {
  const tp = right[c]!
  return { tp, fp: predicted[c]! - tp, fn: truly[c]! - tp, tn: n - predicted[c]! - truly[c]! + tp }
}

/**
 * The confusion matrix of all its cells.
 *
 * @param cells each pair of classes at most once; `n` ≥ 0. Classes come out in the order of their
 *   names
 * @param factor multiplies every count, such as what one weighted case is worth
 */
export function confusionOf(
  cells: readonly { label: string; predicted: string; n: number }[],
  factor = 1,
): Confusion {
  const names = new Set<string>()
  for (const { label, predicted } of cells) names.add(label).add(predicted)
  const classes = [...names].sort()
  const indexes = new Map(classes.map((name, i) => [name, i]))
  const [right, predicted, truly] = [zeros(classes), zeros(classes), zeros(classes)]
  const known = cells.map((cell) => ({
    truth: indexes.get(cell.label)!,
    predicted: indexes.get(cell.predicted)!,
    n: cell.n * factor,
  }))
  // Order of the cells must not matter: in any order they are one matrix.
  known.sort((a, b) => a.truth - b.truth || a.predicted - b.predicted)
  for (const cell of known) {
    truly[cell.truth]! += cell.n
    predicted[cell.predicted]! += cell.n
    if (cell.truth === cell.predicted) right[cell.truth]! += cell.n
  }
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)
  return {
    classes,
    right,
    predicted,
    truly,
    n: sum(truly),
    allRight: sum(right),
    cells: known,
    allCells: true,
    allClasses: true,
  }
}

const zeros = (classes: readonly string[]) => classes.map(() => 0)

/**
 * Precision, recall and F1 of 2 × 2 cells.
 *
 * @returns each in [0, 1]; undefined where its denominator is 0 (nothing predicted, nothing true)
 * @see van Rijsbergen (1979), Information Retrieval, chapter 7
 * @example precisionRecall({ tp: 4, fp: 1, fn: 2, tn: 5 }) // => { precision: 0.8, recall: 0.6666666667, f1: 0.7272727273 }
 */
export function precisionRecall({ tp, fp, fn }: Pick<Cells, 'tp' | 'fp' | 'fn'>): {
  precision: number | undefined
  recall: number | undefined
  f1: number | undefined
} {
  const ratio = (a: number, b: number) => (b > 0 ? a / b : undefined)
  return {
    precision: ratio(tp, tp + fp),
    recall: ratio(tp, tp + fn),
    f1: ratio(2 * tp, 2 * tp + fp + fn),
  }
}

/** A measure of how one class is recognised. */
export type ClassMeasure = 'precision' | 'recall' | 'f1'

/**
 * A measure of each class, averaged: evenly (macro), or by how many cases each class has
 * (weighted). A class for which it is undefined counts as 0, as in scikit-learn.
 *
 * The standard error is the delta method's, with derivatives in closed form: a case of true class
 * i, predicted as j, moves the average by what its predicted class j and its true class i feel of
 * it. O(classes + cells).
 *
 * @returns the value in [0, 1] and its standard error; where not all cells are known, the largest
 *   that the counts per class
 *   allow. Both 0 of no cases
 * @see Takahashi, Yamamoto, Kuchiba and Koyama (2022), Confidence interval for micro-averaged F1
 *   and macro-averaged F1
 */
export function averageOfClasses(
  confusion: Confusion,
  which: ClassMeasure,
  weighted: boolean,
): { value: number; standardError: number } {
  const { classes, right, predicted, truly, n, cells, allCells } = confusion
  if (n === 0) return { value: 0, standardError: 0 }
  let value = 0
  /**
   * Influence of one case more of each class: one that is right, one that is predicted as it, one
   * that is truly of it.
   */
  const [byRight, byPredicted, byTruth] = [zeros(classes), zeros(classes), zeros(classes)]
  for (let c = 0; c < classes.length; c++) {
    const share = weighted ? truly[c]! / n : 1 / classes.length
    const one = derivatives(which, right[c]!, predicted[c]!, truly[c]!)
    value += share * one.value
    byRight[c] = share * one.byRight
    byPredicted[c] = share * one.byPredicted
    // Weights move with it: what all of them lose alike is no variance, and is left out.
    byTruth[c] = share * one.byTruth + (weighted ? one.value / n : 0)
  }
  let mean = 0
  let ofPredicted = 0
  let ofTruth = 0
  let ofRight = 0
  for (let c = 0; c < classes.length; c++) {
    const both = byPredicted[c]! + byTruth[c]!
    mean += right[c]! * byRight[c]! + predicted[c]! * byPredicted[c]! + truly[c]! * byTruth[c]!
    ofPredicted += predicted[c]! * byPredicted[c]! ** 2
    ofTruth += truly[c]! * byTruth[c]! ** 2
    ofRight += right[c]! * ((both + byRight[c]!) ** 2 - both ** 2)
  }
  // Between true and predicted class, from the cells; where these are not all, as large as it can
  // be.
  const between = allCells
    ? cells.reduce(
        (sum, cell) => sum + cell.n * byPredicted[cell.predicted]! * byTruth[cell.truth]!,
        0,
      )
    : Math.sqrt(ofPredicted * ofTruth)
  const squares = ofPredicted + ofTruth + 2 * between + ofRight
  return { value, standardError: Math.sqrt(Math.max(0, squares - mean ** 2 / n)) }
}

/**
 * A measure of one class, and its derivatives by the counts of cases right, predicted, and truly of
 * the class.
 */
function derivatives(which: ClassMeasure, right: number, predicted: number, truly: number) {
  const over =
    which === 'precision' ? predicted : which === 'recall' ? truly : (predicted + truly) / 2
  if (over === 0) return { value: 0, byRight: 0, byPredicted: 0, byTruth: 0 }
  const value = right / over
  const down = -value / over
  return {
    value,
    byRight: 1 / over,
    byPredicted: which === 'precision' ? down : which === 'f1' ? down / 2 : 0,
    byTruth: which === 'recall' ? down : which === 'f1' ? down / 2 : 0,
  }
}

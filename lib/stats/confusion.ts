/** Counts of predicted against true class: `counts[truth][predicted]`. */
export interface Confusion {
  classes: readonly string[]
  counts: readonly (readonly number[])[]
}

/** Counts of one class against all others. */
export interface Cells {
  tp: number
  fp: number
  fn: number
  tn: number
}

/**
 * The 2 × 2 cells of one class of a confusion matrix.
 *
 * @throws {RangeError} when the class is not in the matrix. O(k²) time.
 * @example cellsOf({ classes: ['0', '1'], counts: [[5, 1], [2, 4]] }, '1') // => { tp: 4, fp: 1, fn: 2, tn: 5 }
 */
export function cellsOf(confusion: Confusion, name: string): Cells {
  const c = confusion.classes.indexOf(name)
  if (c === -1) throw new RangeError(`cellsOf requires a class of the matrix, not ${name}`)
  const cells = { tp: 0, fp: 0, fn: 0, tn: 0 }
  for (const [truth, row] of confusion.counts.entries()) {
    for (const [predicted, count] of row.entries()) {
      if (truth === c) cells[predicted === c ? 'tp' : 'fn'] += count
      else cells[predicted === c ? 'fp' : 'tn'] += count
    }
  }
  return cells
}

/**
 * Precision, recall and F1 of 2 × 2 cells.
 *
 * @returns each in [0, 1]; undefined where its denominator is 0 (nothing predicted, nothing true)
 * @see van Rijsbergen (1979), Information Retrieval, chapter 7
 * @example precisionRecall({ tp: 4, fp: 1, fn: 2, tn: 5 }) // => { precision: 0.8, recall: 0.6666666667, f1: 0.7272727273 }
 */
export function precisionRecall({ tp, fp, fn }: Cells): {
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

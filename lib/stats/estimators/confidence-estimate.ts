import type { ScoreBin } from './calibration.ts'
import { isotonic } from './isotonic.ts'

/**
 * P(positive) per bin of the score, learnt from labelled events: rates of positives, made
 * nondecreasing. Bins without events take the rate of the nearest lower bin with some.
 *
 * @param labelled bins of a grid of `parts` parts
 * @returns `parts` probabilities, nondecreasing; undefined without events. O(parts) time.
 * @example calibratedRates([{ bin: 1, asPositive: true, n: 4, positives: 3, scores: 3 }], 2) // => [0.75, 0.75]
 */
export function calibratedRates(
  labelled: readonly ScoreBin[],
  parts: number,
): number[] | undefined {
  const n = Array.from({ length: parts }, () => 0)
  const positives = Array.from({ length: parts }, () => 0)
  for (const bin of labelled) {
    n[bin.bin]! += bin.n
    positives[bin.bin]! += bin.positives
  }
  const used = n.flatMap((count, bin) => (count > 0 ? [bin] : []))
  if (used.length === 0) return undefined
  const fitted = isotonic(
    used.map((bin) => positives[bin]! / n[bin]!),
    used.map((bin) => n[bin]!),
  )
  const rates: number[] = []
  let at = 0
  for (let bin = 0; bin < parts; bin++) {
    while (at + 1 < used.length && used[at + 1]! <= bin) at++
    rates.push(fitted[at]!)
  }
  return rates
}

/** An estimate and its standard error. */
export interface Estimate {
  value: number
  /** Standard error of drawing as many events with these probabilities. */
  standardError: number
}

/**
 * Accuracy before any ground truth is known: the mean probability of being right (confidence-based
 * performance estimation). Blind to concept drift: it takes the calibration of the reference to
 * hold.
 *
 * @param predicted bins of all events
 * @param rates of {@link calibratedRates}
 * @returns undefined without events. O(k) time.
 * @see NannyML's CBPE; Garg et al. (2022), ICLR
 * @example estimatedAccuracy([{ bin: 0, asPositive: false, n: 10, positives: 0, scores: 0 }], [0.2, 0.9]) // => { value: 0.8, standardError: 0.1264911064 }
 */
export function estimatedAccuracy(
  predicted: readonly ScoreBin[],
  rates: readonly number[],
): Estimate | undefined {
  let total = 0
  let right = 0
  let variance = 0
  for (const { bin, asPositive, n } of predicted) {
    const p = rates[bin]!
    total += n
    right += n * (asPositive ? p : 1 - p)
    variance += n * p * (1 - p)
  }
  return total > 0
    ? { value: right / total, standardError: Math.sqrt(variance) / total }
    : undefined
}

/** Cells of a confusion matrix that is expected rather than known. */
export interface ExpectedCells {
  tp: number
  fp: number
  fn: number
  tn: number
  /** Variance of the positives among the predicted positives, and among the predicted negatives. */
  ofPredicted: number
  ofOthers: number
}

/**
 * The confusion matrix before any ground truth is known: each event counts with its probability of
 * being positive.
 *
 * @param predicted bins of all events
 * @param rates of {@link calibratedRates}
 * @returns cells that sum to the number of events. O(k) time.
 * @see NannyML's CBPE
 * @example expectedCells([{ bin: 0, asPositive: false, n: 10, positives: 0, scores: 0 }, { bin: 1, asPositive: true, n: 10, positives: 0, scores: 0 }], [0.2, 0.9]).tp // => 9
 */
export function expectedCells(
  predicted: readonly ScoreBin[],
  rates: readonly number[],
): ExpectedCells {
  const cells = { tp: 0, fp: 0, fn: 0, tn: 0, ofPredicted: 0, ofOthers: 0 }
  for (const { bin, asPositive, n } of predicted) {
    const p = rates[bin]!
    if (asPositive) {
      cells.tp += n * p
      cells.fp += n * (1 - p)
      cells.ofPredicted += n * p * (1 - p)
    } else {
      cells.fn += n * p
      cells.tn += n * (1 - p)
      cells.ofOthers += n * p * (1 - p)
    }
  }
  return cells
}

/**
 * Precision, recall and F1 of expected cells; none where their divisor is 0. Standard errors are
 * those of drawing as many events with these probabilities, by the delta method.
 *
 * @example estimatedRates({ tp: 9, fp: 1, fn: 2, tn: 8, ofPredicted: 0.9, ofOthers: 1.6 }).precision?.value // => 0.9
 */
export function estimatedRates({
  tp,
  fp,
  fn,
  ofPredicted,
  ofOthers,
}: ExpectedCells): Partial<Record<'precision' | 'recall' | 'f1', Estimate>> {
  const [chosen, truly] = [tp + fp, tp + fn]
  return {
    ...(chosen > 0 && {
      precision: { value: tp / chosen, standardError: Math.sqrt(ofPredicted) / chosen },
    }),
    ...(truly > 0 && {
      recall: {
        value: tp / truly,
        standardError: Math.sqrt(fn ** 2 * ofPredicted + tp ** 2 * ofOthers) / truly ** 2,
      },
    }),
    ...(chosen + truly > 0 && {
      f1: {
        value: (2 * tp) / (chosen + truly),
        // 2 tp / (chosen + tp + fn): what each kind of positive changes of it.
        standardError:
          (2 * Math.sqrt((chosen + fn) ** 2 * ofPredicted + tp ** 2 * ofOthers)) /
          (chosen + truly) ** 2,
      },
    }),
  }
}

/**
 * Area under the ROC curve before any ground truth is known; events of one bin tie.
 *
 * @returns in [0, 1]; undefined where one class is expected not to occur. O(k log k) time.
 * @example estimatedAuc([{ bin: 0, asPositive: false, n: 10, positives: 0, scores: 0 }, { bin: 1, asPositive: true, n: 10, positives: 0, scores: 0 }], [0, 1]) // => 1
 */
export function estimatedAuc(
  predicted: readonly ScoreBin[],
  rates: readonly number[],
): number | undefined {
  let below = 0
  let above = 0
  let positives = 0
  for (const [bin, members] of [...Map.groupBy(predicted, ({ bin }) => bin)].toSorted(
    ([a], [b]) => a - b,
  )) {
    const n = members.reduce((sum, member) => sum + member.n, 0)
    const own = n * rates[bin]!
    above += own * (below + (n - own) / 2)
    below += n - own
    positives += own
  }
  return positives > 0 && below > 0 ? above / (positives * below) : undefined
}

/** An estimate from labelled events, weighted by how many predictions each cell has. */
export interface Poststratified extends Estimate {
  /** Share of the predictions in cells without a label. */
  gap: number
  /** What the value would be if all of the gap were wrong, and right. */
  low: number
  high: number
}

/**
 * Accuracy of all predictions from those that are labelled, when what gets a label depends on score
 * and prediction: rates of cells (part of the score × predicted class), weighted by all predictions
 * of the cell.
 *
 * @param predicted bins of all events
 * @param labelled bins of those with ground truth
 * @param width bins that form one cell
 * @returns undefined where no cell has a label. O(k) time.
 * @see Holt & Smith (1979), J. R. Statist. Soc. A 142, 33–46; Manski (1990) for the bounds
 * @example poststratifiedAccuracy([{ bin: 0, asPositive: false, n: 10, positives: 0, scores: 0 }, { bin: 9, asPositive: true, n: 90, positives: 0, scores: 90 }], [{ bin: 0, asPositive: false, n: 4, positives: 0, scores: 0 }, { bin: 9, asPositive: true, n: 4, positives: 2, scores: 4 }], 5) // => { value: 0.55, standardError: 0.2257702864, gap: 0, low: 0.55, high: 0.55 }
 */
export function poststratifiedAccuracy(
  predicted: readonly ScoreBin[],
  labelled: readonly ScoreBin[],
  width: number,
): Poststratified | undefined {
  const cellOf = ({ bin, asPositive }: ScoreBin) =>
    2 * Math.floor(bin / width) + (asPositive ? 1 : 0)
  const known = new Map(
    [...Map.groupBy(labelled, cellOf)].map(([cell, members]) => {
      const n = members.reduce((sum, member) => sum + member.n, 0)
      const right = members.reduce(
        (sum, { asPositive, n: all, positives }) =>
          sum + (asPositive ? positives : all - positives),
        0,
      )
      return [cell, { n, rate: right / n }]
    }),
  )
  let total = 0
  let covered = 0
  let right = 0
  let variance = 0
  for (const [cell, members] of Map.groupBy(predicted, cellOf)) {
    const n = members.reduce((sum, member) => sum + member.n, 0)
    total += n
    const rates = known.get(cell)
    if (!rates) continue
    covered += n
    right += n * rates.rate
    // One right and one wrong more: a cell in which all labels agree is not sure.
    const p = (rates.rate * rates.n + 1) / (rates.n + 2)
    variance += (n * n * p * (1 - p)) / rates.n
  }
  if (covered === 0) return undefined
  return {
    value: right / covered,
    standardError: Math.sqrt(variance) / covered,
    gap: 1 - covered / total,
    low: right / total,
    high: (right + total - covered) / total,
  }
}

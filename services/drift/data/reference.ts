/** What a window is compared with, and what is learned from it. */
import type { ScoreBin } from '../../../lib/stats/estimators/calibration.ts'
import type { Season } from '../../../lib/stats/window-tests/window-noise.ts'
import type { NumericReference } from '../../../lib/stats/window-tests/window-reference.ts'
import type { Window } from '../../../lib/models/windows.ts'
import type { Features } from './feature-matrix.ts'
import type { OutcomeCounts, WindowCounts } from './window-data.ts'

/** With fewer windows the noise between them cannot be told: a baseline learns from as many. */
export const MIN_WINDOWS = 8

export interface ReferenceData {
  name: string
  baseline: boolean
  spans: readonly Window[]
  counts: WindowCounts
  outcomes: OutcomeCounts | undefined
  /** Scores by bin; undefined where the reference does not evaluate. */
  scores?: ScoreCounts | undefined
  /** What errors depended on, of a regression. */
  losses?: LossModel | undefined
  /** Rows of it, where a classifier is asked. */
  multivariate?: MultivariateReference | undefined
  /** Window by window, where it has enough of them to tell their noise. */
  windows?: ReferenceWindows | undefined
}

/** Whether a window is part of a reference: it is no news beside itself. */
export const covers = (spans: readonly Window[], window: Window) =>
  spans.some((span) => span.start <= window.start && span.end >= window.end)

export interface Share {
  count: number
  size: number
}

/** What the windows of a reference say of a subject's categories. */
export interface CategoryReference {
  /** Categories of all windows but the oldest, so that a new window has as many before it as those of the reference had. */
  known: ReadonlySet<string>
  /** Every window keeps the categories with a hash up to this. */
  keptBelow: number
  /** Categories that hold much of the values. */
  frequent: ReadonlySet<string>
  /** Per category that is frequent enough, its share of each window. */
  shares: readonly { category: string; windows: readonly Share[] }[]
  /** What was new in each window, seen from the others. */
  fresh: readonly Share[]
}

export interface ReferenceWindows {
  windows: readonly Window[]
  /** Events per window, by what they are worth. */
  events: readonly number[]
  numeric: ReadonlyMap<string, NumericReference>
  categories: ReadonlyMap<string, CategoryReference>
  /** Per feature and window, events without a value. */
  missing: ReadonlyMap<string, readonly number[]>
  /** Where one is declared and the reference covers it twice. */
  season: Season | undefined
  /** Which phase a window begins in; 0 without a season. */
  phaseOf: (start: number) => number
}

/** One prediction of those that were drawn. */
export interface Drawn {
  features: Features
  /** Empty where it has none. */
  embedding: readonly number[]
}

export interface MultivariateReference {
  rows: readonly Drawn[]
  /** Per statistic, of each window of the reference against the others; empty where they are too few. */
  own: readonly (readonly number[])[]
}

/** Scores by bin. */
export interface ScoreCounts {
  /** All predictions of the span with a score in [0, 1]. */
  predicted: readonly ScoreBin[]
  /** Those of them whose truth is known. */
  labelled: readonly ScoreBin[]
  /** Share of the predictions' scores outside [0, 1]. */
  improbable: number
}

/** One prediction of a regression. */
export interface ScoredRow {
  features: Features
  prediction: number
  /** Absolute error; null where the truth is not known. */
  loss: number | null
}

/** What is learned from a reference. */
export interface LossModel {
  of: (scored: ScoredRow) => number
  /** Rows it has learned from. */
  n: number
  /** Standard deviation of the loss about its estimate, of rows that were not learned from. */
  residual: number
}

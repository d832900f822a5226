/** What a window is compared with, and what is learned from it. */
import type { ScoreBin } from '../../../lib/stats/estimators/calibration.ts'
import type { Season } from '../../../lib/stats/window-tests/window-noise.ts'
import type { NumericReference } from '../../../lib/stats/window-tests/window-reference.ts'
import type { Window } from '../../../lib/models/windows.ts'
import type { Features } from './feature-matrix.ts'
import type { OutcomeCounts, WindowCounts } from './window-data.ts'

/** Windows that a baseline learns from: the noise between fewer cannot be told. */
export const MIN_WINDOWS = 8

/** Everything that is read of a reference; the baseline alone has what verdicts need. */
export interface ReferenceData {
  name: string
  baseline: boolean
  /** It is the table that production is held against: verdicts of skew come from it. */
  isTrainedOn?: boolean
  spans: readonly Window[]
  counts: WindowCounts
  outcomes: OutcomeCounts | undefined
  /** Scores by bin; undefined where the reference is not the baseline. */
  scores?: ScoreCounts | undefined
  /** What the errors of a regression depend on. */
  losses?: LossModel | undefined
  /** Rows of it, where multivariate drift is evaluated. */
  multivariate?: MultivariateReference | undefined
  /** Counts window by window, where it has enough windows to estimate their noise. */
  windows?: ReferenceWindows | undefined
  /**
   * While they are too few: shorter windows, counted one by one, that tell the noise of drift and
   * data quality meanwhile.
   */
  shorter?: ShorterSeries | undefined
}

/** Windows shorter than those of the model, and their size, such as `1d`. */
export interface ShorterSeries {
  size: string
  windows: ReferenceWindows
}

/** Whether a window is part of a reference. */
export const covers = (spans: readonly Window[], window: Window) =>
  spans.some((span) => span.start <= window.start && span.end >= window.end)

/** A share as a count of a size; `size` is 0 where there are no values. */
export interface Share {
  count: number
  size: number
}

/** Categories of a subject in the windows of a reference. */
export interface CategoryReference {
  /**
   * Categories of all windows but the oldest, so that a new window has as many before it as those
   * of the reference had.
   */
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

/** The windows of a reference one by one; all arrays follow the order of `windows`. */
export interface ReferenceWindows {
  windows: readonly Window[]
  /** Independent events of each window. */
  events: readonly number[]
  numeric: ReadonlyMap<string, NumericReference>
  categories: ReadonlyMap<string, CategoryReference>
  /** Per feature and window, events without a value. */
  missing: ReadonlyMap<string, readonly number[]>
  /** The season, where one is declared and the reference covers it twice. */
  season: Season | undefined
  /** Why a declared season is not followed, a part of a sentence; absent where it is. */
  seasonProblem?: string | undefined
  /** The phase of the season in which a window begins; 0 without a season. */
  phaseOf: (start: number) => number
}

/** One prediction of those that were drawn. */
export interface Drawn {
  predictionId: string
  modelVersion: string
  predictedAt: string
  features: Features
  /** Empty where it has none. */
  embedding: readonly number[]
}

/** Rows of a reference, and how its own windows differ from each other. */
export interface MultivariateReference {
  rows: readonly Drawn[]
  /**
   * Per statistic, of each window of the reference against the others; empty where they are too
   * few.
   */
  own: readonly (readonly number[])[]
}

/** Scores by bin. */
export interface ScoreCounts {
  /** All predictions of the span with a score in [0, 1]. */
  predicted: readonly ScoreBin[]
  /** Predictions among them that are labelled, as many as labels drawn for review stand for. */
  labelled: readonly ScoreBin[]
  /** Share of the predictions' scores outside [0, 1]. */
  improbable: number
  /** How many of these labels carry an inclusion probability; absent where none does. */
  drawn?: number
}

/** One prediction of a regression. */
export interface ScoredRow {
  features: Features
  prediction: number
  /** Absolute error; null without a label. */
  loss: number | null
}

/** What is learned from a reference. */
export interface LossModel {
  of: (scored: ScoredRow) => number
  /** Rows that it has learned from. */
  n: number
  /** Standard deviation of the loss about its estimate, of rows that were not learned from. */
  residual: number
  /** Likewise of the squared loss. */
  squared: { of: (scored: ScoredRow) => number; residual: number }
}

/**
 * Counts of a span of time, never raw rows: `services/drift/queries` reads and
 * `services/drift/evaluate` evaluates them.
 */
import { categoryTotal, type CategoryCounts } from '../../../lib/sink/counts/category-counts.ts'
import { sampleSize, type BinnedSample } from '../../../lib/stats/samples/binned-sample.ts'
import type { Confusion } from '../../../lib/stats/estimators/confusion.ts'

/** Counts of the events of a span. */
export interface WindowCounts {
  events: number
  /**
   * How many independent events there are, which the counts below count; `events` where nothing was
   * sampled.
   */
  effective?: number
  /** How many events of the stream they represent; `events` where nothing was sampled. */
  weight?: number
  errors: number
  /** How many errors of the stream they represent; `errors` where nothing was sampled. */
  errorWeight?: number
  /** Events that came again, with an id that was stored before. */
  duplicates: number
  numeric: ReadonlyMap<string, BinnedSample>
  categories: ReadonlyMap<string, CategoryCounts>
  /** Features that events name and none gives a value; of slices and raw rows they are not known. */
  empty?: ReadonlySet<string>
  /** Whether there are more features than are read: those with the most values. */
  leavesFeaturesOut?: boolean
}

/** Joined ground truth of a span. */
export interface OutcomeCounts {
  /** Predictions in the span, and those of them that are labelled. */
  predictions: number
  labelled: number
  /**
   * How many independent labelled cases there are, which everything below counts; set where events
   * were sampled.
   */
  effective?: number
  /**
   * How many labels carry an inclusion probability, by which everything below is weighted; absent
   * where none does.
   */
  drawn?: number
  /** Median of label arrival minus `predicted_at`, in seconds. */
  delayP50Seconds: number | null
  /** Undefined for regression. */
  confusion: Confusion | undefined
  /** Set where outcomes have a score of the positive class. */
  scored: ScoredOutcomes | undefined
  /** Set where predictions and labels are numbers. */
  errors: ErrorMoments | undefined
  /** Set where predictions give quantiles. */
  forecasts?: ForecastCounts | undefined
  /** Set where the model ranks. */
  ranking?: RankingCounts | undefined
  /** Metrics of the model file. */
  custom: readonly CustomValue[]
}

/** Ground truth of a span, before the number of its predictions is known. */
export type KnownTruth = Omit<OutcomeCounts, 'predictions'>

/** The outcomes of a span without any label. */
export const noOutcomes = (predictions: number): OutcomeCounts => ({
  predictions,
  labelled: 0,
  delayP50Seconds: null,
  confusion: undefined,
  scored: undefined,
  errors: undefined,
  custom: [],
})

/** How scores of the positive class rank the labelled cases; null where a class has no case. */
export interface ScoredOutcomes {
  positives: number
  negatives: number
  auc: number | null
  averagePrecision: number | null
  /** The tenth with the highest scores. */
  top: { n: number; positives: number }
  /** Losses of the scores in [0, 1]; undefined for margins, and where no score is a probability. */
  losses: { n: number; logLoss: Mean; brier: Mean } | undefined
  /** Share of the scores outside [0, 1]; 0 for margins. */
  improbable: number
}

/** Outcomes of forecasts that give quantiles. */
export interface ForecastCounts {
  n: number
  /** Pinball loss, of each forecast the mean over its quantiles. */
  pinball: Mean
  /** Labels between the lowest and the highest quantile. */
  within: number
  /** How many should be, as a share; null where forecasts differ in it. */
  nominal: number | null
}

/** Outcomes of rankings with at least one relevant item. */
export interface RankingCounts {
  n: number
  ndcg: Mean
  /** Rankings with a relevant item among the first ten. */
  hits: number
  reciprocalRank: Mean
}

/** A metric of the model file. */
export interface CustomValue {
  name: string
  /** Why there is no value, or ''. */
  problem: string
  value: number
  standardError: number
  n: number
}

/** Moments of the errors of a regression, in the unit of the label. */
export interface ErrorMoments {
  n: number
  absolute: Mean
  squared: Mean
  /** Mean square of the labels about their mean. */
  labelVariance: number
  /** Prediction minus label. */
  bias: Mean
  /** Error over label, where the label is not 0; undefined where none is. */
  relative: Mean | undefined
  nonzero: number
  /** Mean size of the labels. */
  meanLabel: number
}

/** A mean, and the standard deviation of the single values. */
export interface Mean {
  mean: number
  standardDeviation: number
}

/** The group of events without the attribute. */
export const MISSING_GROUP = '(missing)'

/** One group of a protected attribute. */
export interface GroupCounts {
  group: string
  predictions: number
  /** Predictions of the favourable class. */
  favorable: number
  /** Predictions whose predicted class is known, by the class or the score. */
  decided: number
  /** Events whose label is the favourable class. */
  favorableLabels: number
  /** Events of those that were predicted so. */
  favorableHits: number
  /** Predicted against true, of the model's positive class, as performance counts it. */
  tp: number
  fp: number
  fn: number
  tn: number
  /**
   * How many of its labels carry an inclusion probability, by which these four are weighted; absent
   * where none does.
   */
  drawn?: number
  /** How much of its ground truth is known. */
  feedback?: {
    labelled: number
    /** Labelled by people who review. */
    reviewed: number
    /** Median of label arrival minus `predicted_at`, in seconds; null where no label came. */
    delayP50Seconds: number | null
  }
}

/** How many independent events a window is worth; `events` where nothing was sampled. */
export const effectiveOf = ({ effective, events }: WindowCounts) => effective ?? events

/** How many values a subject has of each kind. */
export function valuesOf({ numeric, categories }: WindowCounts, subject: string) {
  const sample = numeric.get(subject)
  return {
    numbers: sample ? sampleSize(sample) : 0,
    texts: categoryTotal(categories.get(subject)),
  }
}

/** Events of a window without a value of a feature. */
export function missingOf(counts: WindowCounts, feature: string): number {
  const { numbers, texts } = valuesOf(counts, feature)
  return Math.max(0, effectiveOf(counts) - numbers - texts)
}

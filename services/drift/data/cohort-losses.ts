/** How wrong a model was in each of many cohorts of some windows. Pure. */

/** Losses of labelled predictions, weighted by how many each stands for. */
export interface LossSums {
  /** Sum of weights, and of their squares. */
  weight: number
  squares: number
  /** Weighted sums of the losses and of their squares. */
  loss: number
  lossSquares: number
}

/** Losses of one cohort in one span. */
export interface CohortLoss extends LossSums {
  /** Index of the span, from 0. */
  span: number
  /** An attribute or a feature. */
  name: string
  /** A text, or for a number the index of its part among {@link CohortLosses.edges}, from 1. */
  part: string
}

/** Losses of some spans: of all their labelled predictions, and cohort by cohort. */
export interface CohortLosses {
  /** Sums by span; a span without labels has sums of 0. */
  totals: readonly LossSums[]
  cohorts: readonly CohortLoss[]
  /** Edges between the parts of each numeric name, ascending. */
  edges: ReadonlyMap<string, readonly number[]>
}

/** What a loss is: 1 for a wrong class, or the size of a numeric error. */
export type LossKind = 'class' | 'number'

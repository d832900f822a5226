/**
 * Labels with a name of their own (thumbs, stars, groundedness), summed up per name: what the
 * family `feedback` is made of; and labels that are texts, which answers are scored beside.
 */

/** One class of a name's labels, by weighted sums. */
export interface NamedClass {
  name: string
  n: number
  weight: number
  squares: number
}

/** The labels of one name in a cohort of a window. */
export interface NamedLabels {
  name: string
  labels: number
  /** Labels that carry an inclusion probability. */
  drawn: number
  weight: number
  squares: number
  /** The labels that are finite numbers. */
  numbers: {
    n: number
    /** Numbers that are neither 0 nor 1. */
    otherThanBits: number
    weight: number
    squares: number
    total: number
    squaredTotal: number
    squaredSquares: number
  }
  /**
   * The most frequent classes, descending; numbers that are no small whole number are one class.
   */
  classes: readonly NamedClass[]
  /** How many classes there are. */
  classCount: number
}

/** The named labels of a cohort: those of the names with the most labels. */
export interface NamedLabelsOfCohort {
  /** How many names the cohort has labels of. */
  names: number
  read: readonly NamedLabels[]
}

/** An answer and one text that came as its label. */
export interface ReferenceText {
  prediction_id: string
  /** Name of the label. */
  name: string
  /** Null where the prediction has none, or it or the label is too long to be scored. */
  answer: string | null
  reference: string | null
  isTooLong: boolean
  /** Whether the label carries an inclusion probability. */
  isDrawn: boolean
  /** How many predictions the label stands for. */
  weight: number
  /** Keys of the cohorts without a slice that the prediction is part of. */
  parts: string[]
}

/** What was read of a window. */
export interface ReferenceTexts {
  /** Labels of each of the names, with texts that were read and others. */
  labelled: ReadonlyMap<string, number>
  /** In the order of the draw, so that the first ones are a draw too. */
  read: readonly ReferenceText[]
}

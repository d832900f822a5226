/** Questions to judges, as they are kept. */

/** A version of a judge of a model. */
export interface JudgeVersion {
  modelId: string
  judge: string
  version: string
}

/** A prediction that a judge is to be asked about. */
export interface NewQuestion {
  questionId: string
  predictionId: string
  /** Probability in (0, 1] with which the prediction was drawn. */
  inclusionProbability: number
}

/** A question that nobody else asks while the claim lasts. */
export interface ClaimedQuestion extends JudgeVersion {
  questionId: string
  predictionId: string
  claim: string
  /** How often it was asked before. */
  attempts: number
}

/** How a question ended; `reason` is '' where it has a label. */
export type QuestionEnd =
  | { state: 'answered'; label: string | number; comment: string }
  | { state: 'invalid' | 'failed' | 'unasked'; reason: string }

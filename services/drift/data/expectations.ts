/** What violates the expectations of a model file, as it is read of a window. */
import type { Cohort } from './cohort.ts'

/** Most examples of one rule, or of the unusual events, of one window. */
export const MAX_EXAMPLES = 5

/** Counts of one rule. */
export interface RuleCounts {
  /** Events that the rule could be asked of. */
  asked: number
  violated: number
  /** How many events of the stream these stand for, where it was sampled. */
  askedWeight: number
  violatedWeight: number
  /** Events that were refused for it; they are among the others. */
  refused: number
}

/** Counts of every rule, by name, over the events of one version and variant. */
export interface ViolationsOfCohort {
  version: string
  variant: string
  shadow: boolean
  rules: Map<string, RuleCounts>
}

/** One event that is kept because it violates a rule, or is unusual. */
export interface RuleExample {
  /** The name of the rule. */
  subject: string
  predictionId: string
  modelVersion: string
  predictedAt: string
  /** How unusual it is; null of a rule. */
  score: number | null
  /** Its values, as JSON. */
  detail: string
}

/** No event. */
export const NO_COUNTS: RuleCounts = {
  asked: 0,
  violated: 0,
  askedWeight: 0,
  violatedWeight: 0,
  refused: 0,
}

/** The sum of two counts. */
export const addedCounts = (a: RuleCounts, b: RuleCounts): RuleCounts => ({
  asked: a.asked + b.asked,
  violated: a.violated + b.violated,
  askedWeight: a.askedWeight + b.askedWeight,
  violatedWeight: a.violatedWeight + b.violatedWeight,
  refused: a.refused + b.refused,
})

/** The counts of a cohort without a slice, by the name of the rule. */
export function countsOfCohort(
  found: readonly ViolationsOfCohort[],
  { modelVersion, variant }: Cohort,
): Map<string, RuleCounts> {
  const sums = new Map<string, RuleCounts>()
  for (const one of found) {
    const isIn = modelVersion === '' ? !one.shadow : one.version === modelVersion
    if (!isIn || (variant !== '' && one.variant !== variant)) continue
    for (const [name, counts] of one.rules)
      sums.set(name, addedCounts(sums.get(name) ?? NO_COUNTS, counts))
  }
  return sums
}

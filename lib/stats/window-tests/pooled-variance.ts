import { digamma, trigamma, trigammaInverse } from '../distributions/polygamma.ts'

/** The common distribution of the variances of many features, by empirical Bayes. */
export interface VariancePrior {
  /** The variance towards which those of single features are drawn. */
  variance: number
  /**
   * How many observations it weighs; Infinity when the variances differ no more than chance lets
   * them, 0 for no pooling.
   */
  degrees: number
}

/**
 * What the variances of many features say about each one: a scaled inverse chi-squared prior,
 * fitted to their logarithms by moments (empirical Bayes, as limma's `fitFDist`).
 *
 * @param variances of F features, each ≥ 0, from `degrees` degrees of freedom
 * @param degrees > 0
 * @returns no pooling (`degrees: 0`) for fewer than three features. O(F) time.
 * @see Smyth (2004), Stat. Appl. Genet. Mol. Biol. 3(1), article 3, section 6.2
 * @example variancePrior([1, 1, 1, 1], 10) // => { variance: 1, degrees: Infinity }
 */
export function variancePrior(variances: readonly number[], degrees: number): VariancePrior {
  const count = variances.length
  if (count < 3) return { variance: 0, degrees: 0 }
  const logs = variances.map(
    (v) => Math.log(Math.max(v, 1e-12)) - digamma(degrees / 2) + Math.log(degrees / 2),
  )
  const center = logs.reduce((sum, x) => sum + x, 0) / count
  const excess =
    logs.reduce((sum, x) => sum + (x - center) ** 2, 0) / (count - 1) - trigamma(degrees / 2)
  if (excess <= 0)
    return { variance: variances.reduce((sum, v) => sum + v, 0) / count, degrees: Infinity }
  const prior = 2 * trigammaInverse(excess)
  return {
    variance: Math.exp(center + digamma(prior / 2) - Math.log(prior / 2)),
    degrees: prior,
  }
}

/**
 * A feature's variance, drawn towards the prior.
 *
 * @param cap most degrees the prior may weigh: features that move together say less than their
 *   number
 * @returns the variance and the degrees of freedom it then has
 * @example moderated(3, 10, { variance: 1, degrees: 10 }, 1000) // => { variance: 2, degrees: 20 }
 */
export function moderated(
  variance: number,
  degrees: number,
  prior: VariancePrior,
  cap: number,
): { variance: number; degrees: number } {
  const weight = Math.min(prior.degrees, Math.max(0, cap))
  if (!(weight > 0)) return { variance, degrees }
  return {
    variance: (weight * prior.variance + degrees * variance) / (weight + degrees),
    degrees: degrees + weight,
  }
}

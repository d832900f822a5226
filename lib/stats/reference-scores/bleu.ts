/** BLEU of an answer beside one reference, or of many together. Pure. */
import { sharedRuns, type SharedRuns } from './ngram-counts.ts'
import { mtevalTokens } from './text-tokens.ts'

/** Longest runs of words that are compared. */
const ORDER = 4

/**
 * What BLEU is computed of, for runs of 1 to 4 words; of many answers it is the sum of those of each.
 *
 * @example bleuCounts('a b', 'a c')[0] // => { answer: 2, reference: 2, matched: 1 }
 */
export const bleuCounts = (answer: string, reference: string): SharedRuns[] =>
  sharedRuns(mtevalTokens(answer), mtevalTokens(reference), ORDER)

/**
 * BLEU, 0 to 1, smoothed exponentially: the nth precision without a match is 1 / (2ⁿ · runs).
 * Without any match, and of an empty answer, it is 0. It equals sacreBLEU's with tokenizer `13a`,
 * divided by 100.
 *
 * @param ofOne the counts are of a single answer: lengths of runs that it has no run of are left
 *   out, as sacreBLEU's `effective_order`
 * @see Papineni et al. (2002), ACL, 311–318; Post (2018), WMT, 186–191
 * @example bleuOf(bleuCounts('The cat sat.', 'The cat sat.'), true) // => 1
 */
export function bleuOf(counts: readonly SharedRuns[], ofOne: boolean): number {
  if (!counts.some(({ matched }) => matched > 0)) return 0
  const { answer, reference } = counts[0]!
  const brevity = answer < reference ? Math.exp(1 - reference / answer) : 1
  const known = counts.filter((runs) => runs.answer > 0)
  if (!ofOne && known.length < counts.length) return 0
  let halving = 1
  let logarithms = 0
  for (const runs of known) {
    if (runs.matched === 0) halving *= 2
    logarithms += Math.log((runs.matched || 1 / halving) / runs.answer)
  }
  return brevity * Math.exp(logarithms / known.length)
}

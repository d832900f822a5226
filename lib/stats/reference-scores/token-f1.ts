/** Exact match and F1 of words, as SQuAD's evaluation has them. Pure. */
import { sharedRuns } from './ngram-counts.ts'
import { squadTokens } from './text-tokens.ts'

/**
 * Exact match: 1 where an answer is its reference, case, punctuation, white space and English
 * articles aside, else 0. Two texts without words match.
 *
 * @see Rajpurkar et al. (2016), EMNLP, 2383–2392
 * @example exactMatch('The Eiffel Tower.', 'Eiffel tower') // => 1
 */
export const exactMatch = (answer: string, reference: string): number =>
  squadTokens(answer).join(' ') === squadTokens(reference).join(' ') ? 1 : 0

/**
 * F1 of the words that an answer and its reference share, 0 to 1, each word as often as both have
 * it. Where either has none it is 1 if neither has, else 0.
 *
 * @see Rajpurkar et al. (2018), ACL, 784–789
 * @example tokenF1('in the year 1969', '1969') // => 0.5
 */
export function tokenF1(answer: string, reference: string): number {
  const [said, wanted] = [squadTokens(answer), squadTokens(reference)]
  if (said.length === 0 || wanted.length === 0) return said.length === wanted.length ? 1 : 0
  const [words] = sharedRuns(said, wanted, 1)
  return (2 * words!.matched) / (said.length + wanted.length)
}

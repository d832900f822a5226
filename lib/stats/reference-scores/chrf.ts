/** chrF of an answer beside one reference, or of many together. Pure. */
import { sharedRuns, type SharedRuns } from './ngram-counts.ts'

/** Longest runs of characters that are compared. */
const ORDER = 6
/** How many times as much as precision recall counts. */
const BETA = 2

/**
 * What chrF is computed of, for runs of 1 to 6 code points without white space; of many answers it
 * is the sum of those of each.
 *
 * @example chrfCounts('ab', 'a b c')[0] // => { answer: 2, reference: 3, matched: 2 }
 */
export const chrfCounts = (answer: string, reference: string): SharedRuns[] =>
  sharedRuns(charactersOf(answer), charactersOf(reference), ORDER).map((runs) =>
    // Where the reference has no run so long, those of the answer are no mistakes.
    runs.reference === 0 ? { ...runs, answer: 0 } : runs,
  )

const charactersOf = (text: string): string[] =>
  Array.from(text.normalize('NFC').replaceAll(/\s+/gu, ''))

/**
 * chrF2, 0 to 1: the F score, β = 2, of mean precision and mean recall over the lengths of runs that
 * both have. 0 where they share no such length, as of an empty text. It equals sacreBLEU's, divided
 * by 100.
 *
 * @see Popović (2015), WMT, 392–395
 * @example chrfOf(chrfCounts('cat', 'cat')) // => 1
 */
export function chrfOf(counts: readonly SharedRuns[]): number {
  const known = counts.filter(({ answer, reference }) => answer > 0 && reference > 0)
  if (known.length === 0) return 0
  let precision = 0
  let recall = 0
  for (const { answer, reference, matched } of known) {
    precision += matched / answer / known.length
    recall += matched / reference / known.length
  }
  if (precision + recall === 0) return 0
  return ((1 + BETA ** 2) * precision * recall) / (BETA ** 2 * precision + recall)
}

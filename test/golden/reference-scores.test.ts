/**
 * Scores of answers beside sacrebleu, rouge-score and SQuAD's evaluation:
 * `scripts/golden/reference_scores.py` made the values and names the versions.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { bleuCounts, bleuOf } from '../../lib/stats/reference-scores/bleu.ts'
import { chrfCounts, chrfOf } from '../../lib/stats/reference-scores/chrf.ts'
import type { SharedRuns } from '../../lib/stats/reference-scores/ngram-counts.ts'
import { rougeL } from '../../lib/stats/reference-scores/rouge-l.ts'
import { exactMatch, tokenF1 } from '../../lib/stats/reference-scores/token-f1.ts'

interface Scored {
  answer: string
  reference: string
  bleu: number
  chrf: number
  rouge_l: number
  exact_match?: number
  token_f1?: number
}
interface Corpus {
  bleu: number
  chrf: number
}
const golden = JSON.parse(
  readFileSync(new URL('reference-scores.json', import.meta.url), 'utf8'),
) as {
  pairs: Scored[]
  chinese: Scored[]
  corpus: Corpus
  corpus_chinese: Corpus
  corpus_short: Corpus
}

const all = [...golden.pairs, ...golden.chinese]

test('there are many pairs', () => expect(golden.pairs.length).toBeGreaterThan(60))

test.each(all)('$answer | $reference', ({ answer, reference, ...by }) => {
  expect(bleuOf(bleuCounts(answer, reference), true)).toBeCloseTo(by.bleu, 12)
  expect(chrfOf(chrfCounts(answer, reference))).toBeCloseTo(by.chrf, 12)
  expect(rougeL(answer, reference)).toBeCloseTo(by.rouge_l, 12)
  if (by.exact_match !== undefined) expect(exactMatch(answer, reference)).toBe(by.exact_match)
  if (by.token_f1 !== undefined) expect(tokenF1(answer, reference)).toBeCloseTo(by.token_f1, 12)
})

const summed = (counts: SharedRuns[][]): SharedRuns[] =>
  counts.reduce((sums, own) =>
    sums.map((sum, i) => ({
      answer: sum.answer + own[i]!.answer,
      reference: sum.reference + own[i]!.reference,
      matched: sum.matched + own[i]!.matched,
    })),
  )

test.each([
  ['many answers', golden.pairs, golden.corpus],
  ['Chinese', golden.chinese, golden.corpus_chinese],
  [
    'shorter than four words',
    [
      { answer: 'a b', reference: 'a b' },
      { answer: 'c', reference: 'c d' },
    ],
    golden.corpus_short,
  ],
])('of %s together', (_, pairs, by) => {
  const bleu = summed(pairs.map(({ answer, reference }) => bleuCounts(answer, reference)))
  const chrf = summed(pairs.map(({ answer, reference }) => chrfCounts(answer, reference)))
  expect(bleuOf(bleu, false)).toBeCloseTo(by.bleu, 12)
  expect(chrfOf(chrf)).toBeCloseTo(by.chrf, 12)
})

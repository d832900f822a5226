/** The interval of a corpus score holds the score of the population as often as it says. */
import { expect, test } from 'vitest'
import { uniforms } from '../../../../lib/stats/distributions/random.ts'
import { bleuCounts, bleuOf } from '../../../../lib/stats/reference-scores/bleu.ts'
import { chrfCounts, chrfOf } from '../../../../lib/stats/reference-scores/chrf.ts'
import type { SharedRuns } from '../../../../lib/stats/reference-scores/ngram-counts.ts'
import { metricResult } from '../../data/metric-results.ts'
import { corpusResults } from './corpus-scores.ts'
import { scoreSubject, type ScoredAnswer } from './reference-scores.ts'

const PAIRS = 2000
const DRAWN = 100
const DRAWS = 400

/** Texts of 5 to 24 words, of which each stays in the answer with a probability of the pair's own. */
function population(): readonly [answer: string, reference: string][] {
  const uniform = uniforms(7)
  const word = () => `w${Math.floor(60 * uniform() ** 2)}`
  return Array.from({ length: PAIRS }, () => {
    const keeps = 0.4 + 0.6 * uniform()
    const reference = Array.from({ length: 5 + Math.floor(20 * uniform()) }, word)
    const answer = reference.map((own) => (uniform() < keeps ? own : word()))
    return [answer.join(' '), reference.join(' ')]
  })
}

test.each([
  ['bleu', bleuCounts, (counts: readonly SharedRuns[]) => bleuOf(counts, false)],
  ['chrf', chrfCounts, chrfOf],
] as const)(
  '%s of a corpus is covered by 95 %% intervals in 93 to 97 of 100',
  (score, count, of) => {
    const counted = population().map(([answer, reference]) => count(answer, reference))
    const all = counted.reduce((sums, own) =>
      own.map(({ answer, reference, matched }, i) => ({
        answer: answer + sums[i]!.answer,
        reference: reference + sums[i]!.reference,
        matched: matched + sums[i]!.matched,
      })),
    )
    const truth = of(all)
    const subject = scoreSubject(score)
    const mean = metricResult('feedback', subject, 'mean', 0.5, {})
    const uniform = uniforms(11)
    let covered = 0
    for (let draw = 0; draw < DRAWS; draw++) {
      const scored = Array.from({ length: DRAWN }, () => ({
        subject,
        weight: 1,
        counts: counted[Math.floor(PAIRS * uniform())]!,
      })) as unknown as ScoredAnswer[]
      const [result] = corpusResults([mean], scored)
      if (result!.ci_low! <= truth && truth <= result!.ci_high!) covered++
    }
    expect(covered / DRAWS).toBeGreaterThan(0.93)
    expect(covered / DRAWS).toBeLessThan(0.97)
  },
)

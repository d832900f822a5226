/** BLEU and chrF of all answers of a cohort together, as of a corpus. Pure. */
import { studentQuantile } from '../../../../lib/stats/distributions/student-t.ts'
import { bleuOf } from '../../../../lib/stats/reference-scores/bleu.ts'
import { chrfOf } from '../../../../lib/stats/reference-scores/chrf.ts'
import type { SharedRuns } from '../../../../lib/stats/reference-scores/ngram-counts.ts'
import { metricResult, type MetricResult } from '../../data/metric-results.ts'
import { scoreSubject, type ScoredAnswer } from './reference-scores.ts'

const OF_CORPUS = new Map<string, (counts: readonly SharedRuns[]) => number>([
  [scoreSubject('bleu'), (counts) => bleuOf(counts, false)],
  [scoreSubject('chrf'), chrfOf],
])
/** Parts of the answers, each left out once: how much the score moves tells its standard error. */
const PARTS = 20
const CI_LEVEL = 0.95

/**
 * A score of the corpus beside each mean of BLEU and chrF, without a verdict; weighted as the mean
 * is. Its interval is that of the jackknife of 20 parts, by Student's t of one degree less.
 */
export function corpusResults(
  means: readonly MetricResult[],
  scored: readonly ScoredAnswer[],
): MetricResult[] {
  return means.flatMap((mean) => {
    const score = OF_CORPUS.get(mean.subject)
    const own = scored.filter(({ subject }) => subject === mean.subject)
    if (!score || mean.metric !== 'mean' || own.length === 0) return []
    const { n_current, n_labelled, n_effective, label_maturity, completeness, method } = mean
    const { value, halfWidth } = jackknifed(own, score)
    return [
      metricResult('feedback', mean.subject, 'corpus', value, {
        n_current,
        n_labelled,
        n_effective,
        label_maturity,
        completeness,
        method,
        ci_low: halfWidth === null ? null : Math.max(0, value - halfWidth),
        ci_high: halfWidth === null ? null : Math.min(1, value + halfWidth),
        ci_level: halfWidth === null ? null : CI_LEVEL,
        reason: halfWidth === null ? 'one answer has no interval' : '',
      }),
    ]
  })
}

/** A score of all, and half the width of its interval; null of one answer alone. */
function jackknifed(
  scored: readonly ScoredAnswer[],
  score: (counts: readonly SharedRuns[]) => number,
): { value: number; halfWidth: number | null } {
  const parts = Math.min(PARTS, scored.length)
  const sums = Array.from({ length: parts }, (_, part) =>
    summed(scored.filter((__, i) => i % parts === part).map((own) => ({ ...own, by: own.weight }))),
  )
  const all = sums.map((counts) => ({ counts, by: 1 }))
  const value = score(summed(all))
  if (parts < 2) return { value, halfWidth: null }
  const without = all.map((_, part) => score(summed(all.filter((__, i) => i !== part))))
  const mean = without.reduce((a, b) => a + b, 0) / parts
  const spread = without.reduce((sum, x) => sum + (x - mean) ** 2, 0)
  const standardError = Math.sqrt(((parts - 1) / parts) * spread)
  return { value, halfWidth: studentQuantile((1 + CI_LEVEL) / 2, parts - 1) * standardError }
}

function summed(all: readonly { counts: readonly SharedRuns[]; by: number }[]): SharedRuns[] {
  const sums: SharedRuns[] = []
  for (const { counts, by } of all)
    for (const [i, { answer, reference, matched }] of counts.entries()) {
      const sum = (sums[i] ??= { answer: 0, reference: 0, matched: 0 })
      sum.answer += by * answer
      sum.reference += by * reference
      sum.matched += by * matched
    }
  return sums
}

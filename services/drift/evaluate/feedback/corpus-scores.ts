/** BLEU and chrF of all answers of a cohort together, as of a corpus. Pure. */
import { normalInterval } from '../../../../lib/stats/intervals/normal-interval.ts'
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
 * is. Its interval is that of the jackknife of 20 parts.
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
    const { value, standardError } = jackknifed(own, score)
    const interval = standardError === null ? null : normalInterval(value, standardError, CI_LEVEL)
    return [
      metricResult('feedback', mean.subject, 'corpus', value, {
        n_current,
        n_labelled,
        n_effective,
        label_maturity,
        completeness,
        method,
        ci_low: interval && Math.max(0, interval.low),
        ci_high: interval && Math.min(1, interval.high),
        ci_level: interval && CI_LEVEL,
        reason: interval ? '' : 'one answer has no interval',
      }),
    ]
  })
}

/** A score of all, and its standard error; null of one answer alone. */
function jackknifed(
  scored: readonly ScoredAnswer[],
  score: (counts: readonly SharedRuns[]) => number,
): { value: number; standardError: number | null } {
  const parts = Math.min(PARTS, scored.length)
  const sums = Array.from({ length: parts }, (_, part) =>
    summed(scored.filter((__, i) => i % parts === part).map((own) => ({ ...own, by: own.weight }))),
  )
  const all = sums.map((counts) => ({ counts, by: 1 }))
  const value = score(summed(all))
  if (parts < 2) return { value, standardError: null }
  const without = all.map((_, part) => score(summed(all.filter((__, i) => i !== part))))
  const mean = without.reduce((a, b) => a + b, 0) / parts
  const spread = without.reduce((sum, x) => sum + (x - mean) ** 2, 0)
  return { value, standardError: Math.sqrt(((parts - 1) / parts) * spread) }
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

/** Scores of answers beside reference texts, as the family `feedback` reads labels. Pure. */
import {
  REFERENCE_SCORES,
  type ReferenceScore,
} from '../../../../schemas/language-models/reference-scores.ts'
import { overlapOf } from '../../../../lib/events/texts/text-measures.ts'
import { bleuCounts, bleuOf } from '../../../../lib/stats/reference-scores/bleu.ts'
import { chrfCounts, chrfOf } from '../../../../lib/stats/reference-scores/chrf.ts'
import type { SharedRuns } from '../../../../lib/stats/reference-scores/ngram-counts.ts'
import { rougeL } from '../../../../lib/stats/reference-scores/rouge-l.ts'
import { exactMatch, tokenF1 } from '../../../../lib/stats/reference-scores/token-f1.ts'
import type { NamedLabels, ReferenceText } from '../../data/named-labels.ts'

/** A score, and what it was computed of where that of a corpus is computed of their sums. */
type Scored = Pick<ScoredAnswer, 'counts'> & { value: number | null }
type Scorer = (answer: string, reference: string) => Scored

const plain =
  (score: (answer: string, reference: string) => number | null): Scorer =>
  (answer, reference) => ({ value: score(answer, reference), counts: [] })
const counted =
  (
    countsOf: (answer: string, reference: string) => SharedRuns[],
    score: (counts: SharedRuns[]) => number,
  ): Scorer =>
  (answer, reference) => {
    const counts = countsOf(answer, reference)
    return { value: score(counts), counts }
  }

const SCORERS: Readonly<Record<ReferenceScore, Scorer>> = {
  exact_match: plain(exactMatch),
  token_f1: plain(tokenF1),
  bleu: counted(bleuCounts, (counts) => bleuOf(counts, true)),
  rouge_l: plain(rougeL),
  chrf: counted(chrfCounts, chrfOf),
  context_overlap: plain((answer, context) => overlapOf(context, answer)),
}

/** The subject of a score. */
export const scoreSubject = (score: ReferenceScore): string => `output_text.${score}`

const SUBJECTS: ReadonlySet<string> = new Set(REFERENCE_SCORES.map(scoreSubject))
/** A subject of family `feedback` that is a score, which is worse where it falls. */
export const isReferenceScore = (subject: string): boolean => SUBJECTS.has(subject)

/** One score of one answer, 0 to 1. */
export interface ScoredAnswer extends Pick<
  ReferenceText,
  'prediction_id' | 'isDrawn' | 'weight' | 'parts'
> {
  subject: string
  value: number
  /** Runs that both texts share, of BLEU and chrF; empty of others. */
  counts: readonly SharedRuns[]
}

/**
 * Scores of an answer beside one text; none where either is missing, or a score cannot be known of
 * it.
 */
export function scoresOf(
  { answer, reference, prediction_id, isDrawn, weight, parts }: ReferenceText,
  scores: readonly ReferenceScore[],
): ScoredAnswer[] {
  if (answer === null || reference === null) return []
  return scores.flatMap((score) => {
    const { value, counts } = SCORERS[score](answer, reference)
    return value === null
      ? []
      : [{ prediction_id, isDrawn, weight, parts, subject: scoreSubject(score), value, counts }]
  })
}

/** Sums of the scores of a cohort, by subject, as those of labels that are numbers. */
export function summedScores(scored: readonly ScoredAnswer[]): NamedLabels[] {
  return [...Map.groupBy(scored, ({ subject }) => subject)].map(([name, own]) => {
    const sums = { weight: 0, squares: 0, total: 0, squaredTotal: 0, squaredSquares: 0 }
    for (const { weight: w, value: x } of own) {
      sums.weight += w
      sums.squares += w * w
      sums.total += w * x
      sums.squaredTotal += w * w * x
      sums.squaredSquares += w * w * x * x
    }
    return {
      name,
      labels: own.length,
      drawn: own.filter(({ isDrawn }) => isDrawn).length,
      weight: sums.weight,
      squares: sums.squares,
      numbers: {
        n: own.length,
        otherThanBits: own.filter(({ value }) => value !== 0 && value !== 1).length,
        ...sums,
      },
      classes: [],
      classCount: 0,
    }
  })
}

/** Events of a window whose embeddings lie where the baseline has none. Pure. */
import { novelty, representatives } from '../../../../lib/stats/distances/novelty.ts'
import type { RuleExample } from '../../data/expectations.ts'
import type { Drawn } from '../../data/reference.ts'
import { comparedNeighbours } from '../multivariate-drift.ts'

/** Events that are kept of a window. */
const KEPT = 5

/**
 * Some of the events that `novelty` counts, which stand for the others. Their score is how much of their distance lies beyond the line, in (0, 1].
 */
export function novelExamples(
  reference: readonly Drawn[],
  current: readonly Drawn[],
): RuleExample[] {
  const sides = comparedNeighbours(reference, current)
  if (!sides) return []
  const [baseline, window] = sides.map((rows) => rows.map(({ embedding }) => embedding)) as [
    (readonly number[])[],
    (readonly number[])[],
  ]
  const { line, distances } = novelty(baseline, window)
  const beyond = sides[1].flatMap((row, i) =>
    distances[i]! > line ? [{ row, distance: distances[i]! }] : [],
  )
  const picked = representatives(
    beyond.map(({ row }) => row.embedding),
    KEPT,
  )
  return picked.map((at) => {
    const { row, distance } = beyond[at]!
    return {
      subject: '@embedding',
      predictionId: row.predictionId,
      modelVersion: row.modelVersion,
      predictedAt: row.predictedAt,
      score: 1 - line / distance,
      detail: '{}',
    }
  })
}

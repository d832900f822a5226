/**
 * How much of the score's movement one drifted feature explains: what the mean score would have
 * done if that feature alone had moved, and the model scored each of its values as in the
 * reference. Pure.
 */
import { scoreMoveText } from '../../../lib/models/alarm-sentences.ts'
import { featureOf, isFeature } from '../../../lib/events/subjects.ts'
import { momentsOf } from '../../../lib/stats/samples/moments.ts'
import type { MetricResult } from '../data/metric-results.ts'
import type { Features } from '../data/feature-matrix.ts'

/** One prediction with a score, or with the number that was predicted. */
export interface Scored {
  features: Features
  score: number
}

/** Rows that are drawn of the reference and of the window. */
export const MAX_SCORED = 2000
/** Below this many rows no attribution is published. */
const MIN_SCORED = 50
const PARTS = 10

/** Features whose PSI alarms: those that are explained. */
export const alarmedFeatures = (results: readonly MetricResult[]): string[] =>
  results
    .filter(
      ({ family, metric, subject, verdict }) =>
        family === 'drift' && metric === 'psi' && verdict === 'alarm' && isFeature(subject),
    )
    .map(({ subject }) => subject)

/** Adds to the reason of each alarm of a feature what that feature does to the mean score. */
export function withScoreAttribution(
  results: readonly MetricResult[],
  reference: readonly Scored[],
  current: readonly Scored[],
): MetricResult[] {
  if (Math.min(reference.length, current.length) < MIN_SCORED) return [...results]
  const alarmed = new Set(alarmedFeatures(results))
  const all = meanScore(current) - meanScore(reference)
  return results.map((result) => {
    if (result.metric !== 'psi' || !alarmed.has(result.subject)) return result
    const alone = scoreAttribution(featureOf(result.subject), reference, current)
    return {
      ...result,
      reason: `${result.reason}; ${scoreMoveText({ alone, all })}`,
    }
  })
}

const meanScore = (rows: readonly Scored[]) => momentsOf(rows.map(({ score }) => score)).mean

/**
 * Σ (share now − share in the reference) · mean score in the reference, over parts of the feature:
 * tenths of its numbers, each text, and missing values. Values unseen in the reference get its mean
 * score. The unit is that of the score.
 */
export function scoreAttribution(
  name: string,
  reference: readonly Scored[],
  current: readonly Scored[],
): number {
  const edges = tenths(
    reference.flatMap(({ features }) => {
      const value = features[name]
      return typeof value === 'number' ? [value] : []
    }),
  )
  const partOf = ({ features }: Scored): string => {
    const value = features[name]
    // A missing value is a part by itself, whether it is null or absent.
    if (typeof value !== 'number') return JSON.stringify(value ?? null)
    return `part ${edges.filter((edge) => value >= edge).length}`
  }
  const then = Map.groupBy(reference, partOf)
  const now = Map.groupBy(current, partOf)
  const whole = meanScore(reference)
  let moved = 0
  for (const part of new Set([...then.keys(), ...now.keys()])) {
    const before = then.get(part) ?? []
    const share = (now.get(part)?.length ?? 0) / current.length - before.length / reference.length
    moved += share * (before.length > 0 ? meanScore(before) : whole)
  }
  return moved
}

function tenths(values: readonly number[]): number[] {
  const ordered = values.toSorted((a, b) => a - b)
  const edges = Array.from(
    { length: PARTS - 1 },
    (_, i) => ordered[Math.floor(((i + 1) * ordered.length) / PARTS)]!,
  )
  return values.length === 0 ? [] : [...new Set(edges)]
}

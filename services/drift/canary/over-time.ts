/** What was known of a candidate at each of some times, by the units that had come by then. */
import { setImmediate } from 'node:timers/promises'
import type { Arms, Reached } from './canary-queries.ts'
import {
  comparer,
  type Arm,
  type CanaryMetric,
  type CanaryOptions,
} from '../../../lib/stats/canary/compare-arms.ts'

/** Units times looks that are evaluated: of large arms every second look is left out, and so on. */
const MAX_WORK = 2_000_000

/** One look: the numbers of the units that had come by then. */
export interface CanaryLook {
  at: string
  n_champion: number
  n_candidate: number
  metrics: Pick<CanaryMetric, 'metric' | 'difference' | 'ci_low' | 'ci_high' | 'decision'>[]
}

/**
 * Every look with the metrics and the level of the whole, so that the last one says what the answer
 * says. Other requests go on between two looks.
 */
export async function evaluateOverTime(
  { champion, candidate, looks }: Arms,
  options: CanaryOptions,
): Promise<CanaryLook[]> {
  const compare = comparer(champion, candidate, options)
  const every = Math.ceil((looks.length * Math.max(champion.units, candidate.units)) / MAX_WORK)
  const kept = looks.filter((_, i) => (looks.length - 1 - i) % Math.max(1, every) === 0)
  const found: CanaryLook[] = []
  for (const look of kept) {
    await setImmediate()
    found.push({
      at: new Date(look.at).toISOString(),
      n_champion: look.champion.units,
      n_candidate: look.candidate.units,
      metrics: compare(firstOf(champion, look.champion), firstOf(candidate, look.candidate)).map(
        ({ metric, difference, ci_low, ci_high, decision }) => ({
          metric,
          difference,
          ci_low,
          ci_high,
          decision,
        }),
      ),
    })
  }
  return found
}

/** An arm as it was when so many of its values had come. */
const firstOf = (arm: Arm, reached: Reached): Arm => ({
  units: reached.units,
  correct: arm.correct.slice(0, reached.correct),
  absoluteErrors: arm.absoluteErrors.slice(0, reached.errors),
  worth: arm.worth.slice(0, reached.worth),
  failed: arm.failed.slice(0, reached.failed),
  latencies: arm.latencies.slice(0, reached.latencies),
  firstTokens: arm.firstTokens.slice(0, reached.firstTokens),
  costs: arm.costs.slice(0, reached.costs),
})

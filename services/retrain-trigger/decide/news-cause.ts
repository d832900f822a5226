/** What is new to a policy as the cause of a decision. */
import type { SeenCanary } from './condition-tests.ts'

/** How far a policy's counts had come at its last run, whatever became of that run. */
export interface Position {
  labels: number
  predictions: number
}

/**
 * Names what is new since a position as the cause of a decision: once a policy has launched from
 * there, its counts begin at the position of that run.
 *
 * @param silentSince when the newest event came, epoch milliseconds: each silence is a cause of its
 *   own
 * @param canary of a test that is true: each decision at each step of each candidate is a cause
 */
export function newsCause(
  { labels, predictions }: Position,
  silentSince?: number,
  canary?: SeenCanary,
): string {
  const silence =
    silentSince === undefined ? '' : `, silent since ${new Date(silentSince).toISOString()}`
  const known = canary ? `, canary ${canary.run_id} ${canary.decision} at step ${canary.place}` : ''
  return `new:labels ${labels}, predictions ${predictions}${silence}${known}`
}

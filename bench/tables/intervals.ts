/** Shares of streams as tables print them. */
import { wilson } from '../../lib/stats/intervals/proportions.ts'

/**
 * A share and its 95 % interval.
 *
 * @example shareOf(9, 10) // => '0.90 [0.60, 0.98]'
 */
export function shareOf(hits: number, streams: number): string {
  const { low, high } = wilson(hits, streams, 0.95)
  return `${(hits / streams).toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`
}

/**
 * 95 % interval of the share of windows in alarm, from their numbers by stream: windows of one
 * stream share a reference, and alarm together.
 *
 * @param windows of each stream
 */
export function clusteredInterval(hits: readonly number[], windows: number): string {
  const n = hits.length
  const mean = hits.reduce((sum, x) => sum + x, 0) / n
  const variance = hits.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1)
  // Windows that one independent window is worth, at least 1.
  const effect = mean > 0 ? Math.max(1, variance / (mean * (1 - mean / windows))) : 1
  const size = (n * windows) / effect
  const { low, high } = wilson((mean / windows) * size, size, 0.95)
  return `[${low.toFixed(3)}, ${high.toFixed(3)}]`
}

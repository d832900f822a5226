/** When the traffic of a candidate is looked at next. */
import { durationMs } from '../../../lib/runtime/durations.ts'
import type { Rollout } from '../../../schemas/http/runs/rollout.ts'

/** While a launch is under way nothing is read but its state. */
const SOON_MS = 2000
/** The shortest and the longest pause while a step is watched, milliseconds. */
const LEAST_MS = 30_000
const MOST_MS = 900_000
/** The part of the time that a step is served for which it is left alone. */
const PART = 20

/**
 * How long a rollout is left alone after a look at `at`, epoch milliseconds. A look reads all units
 * of both versions since the step is served, so the pause grows with that time: what follows on a
 * step comes a twentieth of it late at most, and the units that are read grow with the logarithm of
 * the step's looks and not with its square. A moment at which something may follow is not passed.
 *
 * @param atLeast least time at a step, such as `1h`
 */
export function pauseAfter(
  { state, served_at: servedAt, until }: Pick<Rollout, 'state' | 'served_at' | 'until'>,
  atLeast: string,
  at: number,
): number {
  if (state === 'moving' || state === 'going_back') return SOON_MS
  if (servedAt === null) return LEAST_MS
  const served = Date.parse(servedAt)
  const pause = Math.min(MOST_MS, Math.max(LEAST_MS, (at - served) / PART))
  const moments = [served + durationMs(atLeast), until === null ? at : Date.parse(until)]
  const ahead = moments.map((moment) => moment - at).filter((ms) => ms > 0)
  return Math.max(SOON_MS, Math.min(pause, ...ahead))
}

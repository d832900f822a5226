/** No event is accepted that a nearly full disk could not keep. */
import type { DiskProblem } from '../disk/free-space.ts'
import { Problem } from '../runtime/errors.ts'
import type { EventLog } from './port.ts'

const RETRY_AFTER_S = '30'

/**
 * A log that refuses messages of these topics while a disk is nearly full, with 503 and
 * `Retry-After`, rather than accept what it cannot keep. Messages of other topics pass: what was
 * accepted before ends by them.
 */
export function refusingWhenFull(
  log: EventLog,
  topics: readonly string[],
  problem: DiskProblem,
): EventLog {
  const refused = new Set(topics)
  return {
    ...log,
    append: async (topic, messages) => {
      const full = refused.has(topic) ? await problem() : undefined
      if (full) throw new Problem(503, 'disk_full', full, { 'retry-after': RETRY_AFTER_S })
      await log.append(topic, messages)
    },
  }
}

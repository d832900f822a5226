/** Joins what has arrived, soon when woken, and wakes drift for the models that changed. */
import type { WakeUps } from '../../../lib/event-log/wake-ups.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { Logger } from '../../../lib/runtime/log.ts'
import { pollLoop, type PollLoop, type Progress } from '../../../lib/runtime/poll-loop.ts'

/** One of the joins: of labels, or of attributes, with predictions. */
export interface Resolvable {
  /**
   * @returns the models whose outcomes changed, whether there is more to do at once, and whether
   *   something waits for what no
   *   wake-up announces
   */
  resolve: () => Promise<{ models: string[]; more: boolean; waits?: boolean }>
}

/** What a join loop needs besides its join. */
export interface JoinLoopDeps {
  wakeUps: Pick<WakeUps, 'send'>
  log: Pick<Logger, 'warn'>
}

const POLL_MS = 500
const LONGEST_REST_MS = 10_000
/**
 * While labels wait: their predictions may be stored by another process, which wakes no join of
 * this one.
 */
const WAITING_MS = 2000
/**
 * While nothing waits: what is stored here wakes the join, which looks unasked for what a killed
 * process has left.
 */
const LONGEST_IDLE_MS = 10_000

/**
 * Repeats a join; a failed round is logged and tried again. While nothing changes, the pause
 * doubles from 500 ms up to 2 s where something waits, up to 10 s where nothing does.
 */
export function joinLoop(name: string, join: Resolvable, deps: JoinLoopDeps): PollLoop {
  return pollLoop({
    name,
    everyMs: POLL_MS,
    longestIdleMs: LONGEST_IDLE_MS,
    longestRestMs: LONGEST_REST_MS,
    step: () => joinRound(join, deps.wakeUps),
    onError: (error) =>
      deps.log.warn({ join: name, error: messageOf(error) }, 'not joined, trying again'),
  })
}

async function joinRound(join: Resolvable, wakeUps: Pick<WakeUps, 'send'>): Promise<Progress> {
  const { models, more, waits } = await join.resolve()
  wakeUps.send(models)
  const isIdle = models.length === 0
  return waits ? { more, isIdle, longestIdleMs: WAITING_MS } : { more, isIdle }
}

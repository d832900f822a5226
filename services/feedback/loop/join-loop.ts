/** Joins what has arrived, soon when woken, and wakes drift for the models that changed. */
import type { WakeUps } from '../../../lib/event-log/wake-ups.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { Logger } from '../../../lib/runtime/log.ts'
import { pollLoop, type PollLoop, type Progress } from '../../../lib/runtime/poll-loop.ts'

/** One of the joins: of labels, or of attributes, with predictions. */
export interface Resolvable {
  /** @returns the models whose outcomes changed, and whether there is more to do at once */
  resolve: () => Promise<{ models: string[]; more: boolean }>
}

/** What a join loop needs besides its join. */
export interface JoinLoopDeps {
  wakeUps: Pick<WakeUps, 'send'>
  log: Pick<Logger, 'warn'>
}

const POLL_MS = 500
const LONGEST_REST_MS = 10_000

/**
 * Repeats a join; a failed round is logged and tried again.
 *
 * @param longestIdleMs while nothing changes, the pause doubles from 500 ms up to this; 500 unless given
 */
export function joinLoop(
  name: string,
  join: Resolvable,
  deps: JoinLoopDeps,
  longestIdleMs = POLL_MS,
): PollLoop {
  return pollLoop({
    name,
    everyMs: POLL_MS,
    longestIdleMs,
    longestRestMs: LONGEST_REST_MS,
    step: () => joinRound(join, deps.wakeUps),
    onError: (error) =>
      deps.log.warn({ join: name, error: messageOf(error) }, 'not joined, trying again'),
  })
}

async function joinRound(join: Resolvable, wakeUps: Pick<WakeUps, 'send'>): Promise<Progress> {
  const { models, more } = await join.resolve()
  wakeUps.send(models)
  return { more, isIdle: models.length === 0 }
}

/** The one poll loop: a step repeated for as long as the process lives, sooner when it is woken. */
import { sleep } from './clock.ts'
import type { Module } from './modules.ts'

/**
 * What a step says about the round it ends; a step that says nothing is followed after `everyMs`.
 */
export interface Progress {
  /** More work is there: the next step begins at once, without a rest. */
  more?: boolean
  /** Nothing was found: the pause doubles, up to `longestIdleMs`. */
  isIdle?: boolean
  /** Upper bound of the pause that follows this idle step, where it is another than the loop's. */
  longestIdleMs?: number
  /** A part of the work failed and was reported: the next step begins after `retryMs`. */
  retry?: boolean
}

/** How a loop repeats its step. All times are milliseconds. */
export interface PollLoopOptions {
  /** Names the module. */
  name: string
  /** Distance from the end of a step to the begin of the next one. */
  everyMs: number
  /**
   * A wake-up during a step is kept until the step ends, so a step need not look again for late
   * arrivals.
   */
  step: () => Promise<Progress | void>
  /** Receives what a step throws; the loop goes on after `retryMs`. */
  onError: (error: unknown) => void
  /** Greatest pause while steps are idle; `everyMs` unless given. */
  longestIdleMs?: number
  /** Pause after a failure; `everyMs` unless given. */
  retryMs?: number
  /**
   * Rest after a step, as a multiple of the time the step took; 3 unless given. A wake-up does not
   * shorten the rest: what arrives meanwhile is done together.
   */
  rest?: number
  /** Upper bound of the rest; none unless given. */
  longestRestMs?: number
}

/** A loop as a part of the process. */
export interface PollLoop {
  module: Module
  /** Ends the present pause, or omits the next one where a step is at work; never throws. */
  wake: () => void
}

interface LoopState {
  /** Aborts when somebody wakes the loop in this round. */
  woken: AbortController
  idleMs: number
}

const REST = 3

/**
 * Makes a loop that repeats a step until the process ends; it begins with a step.
 *
 * A wake-up may come from anywhere and at any time: none is lost, and several within one round
 * count as one.
 *
 * @example
 * const { module, wake } = pollLoop({ name: 'x', everyMs: 500, step: look, onError: log.warn })
 */
export function pollLoop(options: PollLoopOptions): PollLoop {
  const state: LoopState = { woken: new AbortController(), idleMs: options.everyMs }
  return {
    module: { name: options.name, run: (signal) => repeat(options, state, signal) },
    wake: () => state.woken.abort(),
  }
}

async function repeat(
  options: PollLoopOptions,
  state: LoopState,
  signal: AbortSignal,
): Promise<void> {
  const { everyMs, retryMs = everyMs } = options
  const { rest = REST, longestRestMs = Infinity } = options
  while (!signal.aborted) {
    const woken = new AbortController()
    state.woken = woken
    const begun = performance.now()
    const progress = await attempt(options)
    const { more, retry } = progress
    const restMs = Math.min((performance.now() - begun) * rest, longestRestMs)
    state.idleMs = pauseAfter(options, progress, state.idleMs)
    if (more) continue
    if (restMs > 0) await sleep(restMs, signal)
    const pauseMs = (retry ? retryMs : state.idleMs) - restMs
    if (pauseMs > 0) await sleep(pauseMs, AbortSignal.any([signal, woken.signal]))
    if (woken.signal.aborted) state.idleMs = everyMs
  }
}

/** The pause after a step, when the one before it was followed by `lastMs`. */
function pauseAfter({ everyMs, ...loop }: PollLoopOptions, progress: Progress, lastMs: number) {
  const { isIdle, longestIdleMs = loop.longestIdleMs ?? everyMs } = progress
  return isIdle ? Math.max(everyMs, Math.min(lastMs * 2, longestIdleMs)) : everyMs
}

async function attempt({ step, onError }: PollLoopOptions): Promise<Progress> {
  try {
    return (await step()) ?? {}
  } catch (error) {
    onError(error)
    return { retry: true }
  }
}

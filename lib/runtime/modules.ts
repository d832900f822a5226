import { messageOf } from './errors.ts'
import type { Logger } from './log.ts'

/** One long-lived part of the process. Each function is called at most once, in this order. */
export interface Module {
  readonly name: string
  /** Resolves once the module can serve. */
  start?: () => Promise<void>
  /** Ends only when the signal aborts; ending earlier, or throwing, stops the whole process. */
  run?: (signal: AbortSignal) => Promise<void>
  /**
   * Gives back what `start` took; called in reverse order of start, also after a failed start of a
   * later module.
   */
  stop?: () => Promise<void>
}

/** What `/health/ready` asks. */
export interface Readiness {
  started: boolean
  stopping: boolean
}

/** What {@link runModules} reports its state to, and how long it waits. */
export interface RunOptions {
  readiness?: Readiness
  /**
   * How long a module may take to end once it was asked to: its start, its run and its stop, each.
   * 20 s unless given.
   */
  patienceMs?: number
}

/** Below the 30 s after which orchestrators kill, so that the process still says what kept it. */
const PATIENCE_MS = 20_000

/**
 * Starts modules in order, runs them together and stops them in reverse order.
 *
 * 1. A failed start stops what had started, and rejects.
 * 2. The first module whose `run` ends or throws, or the outer signal, ends all others.
 * 3. Every failure met on the way is in one AggregateError; none hides another.
 * 4. A module that does not end in time is a failure, and waited for no longer: whoever called ends
 *    the process.
 */
export async function runModules(
  modules: readonly Module[],
  outer: AbortSignal,
  log: Logger,
  { readiness = { started: false, stopping: false }, patienceMs = PATIENCE_MS }: RunOptions = {},
): Promise<void> {
  const started: Module[] = []
  const failures: Error[] = []
  const fail = (what: string, cause: unknown) => {
    log.error({ module: what, error: messageOf(cause) }, 'module failed')
    failures.push(new Error(what, { cause }))
  }
  const inner = new AbortController()
  const stopAll = () => {
    readiness.stopping = true
    inner.abort()
  }
  outer.addEventListener('abort', stopAll, { once: true })

  try {
    for (const module of modules) {
      if (outer.aborted) break
      try {
        await inTime(module.start?.(), inner.signal, patienceMs)
        started.push(module)
      } catch (error) {
        fail(`${module.name} did not start`, error)
        break
      }
    }
    if (failures.length === 0 && !outer.aborted) {
      readiness.started = true
      const stopped = new Promise<void>((resolve) =>
        inner.signal.addEventListener('abort', () => resolve()),
      )
      const runs = started.map(async (module) => {
        if (!module.run) return
        try {
          await inTime(module.run(inner.signal), inner.signal, patienceMs)
          if (!inner.signal.aborted)
            fail(`${module.name} ended by itself`, new Error('unexpected end'))
        } catch (error) {
          fail(`${module.name} failed`, error)
        }
        stopAll()
      })
      await Promise.all([stopped, ...runs])
    }
  } finally {
    stopAll()
    outer.removeEventListener('abort', stopAll)
    for (const module of started.toReversed()) {
      try {
        await inTime(module.stop?.(), inner.signal, patienceMs)
      } catch (error) {
        fail(`${module.name} did not stop`, error)
      }
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'stopped by a failure')
}

/**
 * What `ending` resolves to; rejects once it has not ended `patienceMs` after the signal aborted,
 * or after now if it has.
 */
async function inTime(
  ending: Promise<void> | undefined,
  signal: AbortSignal,
  patienceMs: number,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  let wait = () => {}
  const late = new Promise<never>((_, reject) => {
    wait = () => {
      timer = setTimeout(
        () => reject(new Error(`it has not ended ${patienceMs / 1000} s after it was told to`)),
        patienceMs,
      )
    }
  })
  if (signal.aborted) wait()
  else signal.addEventListener('abort', wait, { once: true })
  try {
    await Promise.race([ending, late])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', wait)
  }
}

/** Calls `reload` at each SIGHUP; that of a terminal which closes ends its process as ever. */
export function onHangUp(reload: () => void): void {
  if (!process.stdin.isTTY) process.on('SIGHUP', reload)
}

/** Aborts at the first of the named signals; a second one ends the process at once. */
export function onSignals(...names: NodeJS.Signals[]): AbortSignal {
  const controller = new AbortController()
  for (const name of names) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130)
      controller.abort()
    })
  }
  return controller.signal
}

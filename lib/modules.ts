import { messageOf } from './errors.ts'
import type { Logger } from './log.ts'

/** One long-lived part of the process. Each function is called at most once, in this order. */
export interface Module {
  readonly name: string
  /** Resolves once the module can serve. */
  start?: () => Promise<void>
  /** Ends only when the signal aborts; ending earlier, or throwing, stops the whole process. */
  run?: (signal: AbortSignal) => Promise<void>
  /** Gives back what `start` took; called in reverse order of start, also after a failed start of a later module. */
  stop?: () => Promise<void>
}

/** What `/health/ready` asks. */
export interface Readiness {
  started: boolean
  stopping: boolean
}

/**
 * Starts modules in order, runs them together and stops them in reverse order.
 *
 * 1. A failed start stops what had started, and rejects.
 * 2. The first module whose `run` ends or throws, or the outer signal, ends all others.
 * 3. Every failure met on the way is in one AggregateError; none hides another.
 */
export async function runModules(
  modules: readonly Module[],
  outer: AbortSignal,
  log: Logger,
  readiness: Readiness = { started: false, stopping: false },
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
        await module.start?.()
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
          await module.run(inner.signal)
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
        await module.stop?.()
      } catch (error) {
        fail(`${module.name} did not stop`, error)
      }
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'stopped by a failure')
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

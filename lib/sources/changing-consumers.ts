/** Consumers of the sources in force: those of a source that has changed end, and begin anew. */
import type { Module } from '../runtime/modules.ts'
import type { LiveSources } from './live-sources.ts'
import type { Source } from './source-files.ts'

/** What consumes one source, until the source is another. */
export interface Consuming {
  /** Differs where the consumer must be another. */
  key: string
  make: () => Module
}

interface Running {
  /** Asks it to end, and resolves once it has. */
  end: () => Promise<void>
}

/**
 * A module that runs the consumers of the sources in force. A source that goes, or whose file is
 * another, has its consumer ended before the next one begins: a range that is cut off is completed
 * by the mapping that began it, as after a restart. A consumer that fails ends the module.
 *
 * @param consumersOf the consumers that there are to be, each key once
 */
export function changingConsumers(
  name: string,
  live: Pick<LiveSources, 'inForce' | 'onChange'>,
  consumersOf: (sources: readonly Source[]) => readonly Consuming[],
): Module {
  let wake = () => {}
  live.onChange(() => wake())
  return {
    name,
    run: async (signal) => {
      const running = new Map<string, Running>()
      const failed = Promise.withResolvers<never>()
      // Heard below in each round, and perhaps never.
      failed.promise.catch(() => {})
      const aborted = new Promise<void>((resolve) => {
        if (signal.aborted) resolve()
        else signal.addEventListener('abort', () => resolve(), { once: true })
      })
      try {
        while (!signal.aborted) {
          const changed = new Promise<void>((resolve) => (wake = resolve))
          await Promise.race([
            changeOver(running, consumersOf(live.inForce().sources), failed.reject),
            failed.promise,
          ])
          await Promise.race([changed, aborted, failed.promise])
        }
      } finally {
        await Promise.allSettled([...running.values()].map(({ end }) => end()))
      }
    },
  }
}

/** Ends what is not wanted any more, then begins what is. */
async function changeOver(
  running: Map<string, Running>,
  wanted: readonly Consuming[],
  failed: (error: unknown) => void,
): Promise<void> {
  const keys = new Set(wanted.map(({ key }) => key))
  const gone = [...running].filter(([key]) => !keys.has(key))
  await Promise.all(gone.map(([, { end }]) => end()))
  for (const [key] of gone) running.delete(key)
  for (const { key, make } of wanted) if (!running.has(key)) running.set(key, begin(make(), failed))
}

function begin(module: Module, failed: (error: unknown) => void): Running {
  const controller = new AbortController()
  const ended = runToEnd(module, controller.signal).catch(failed)
  return {
    end: async () => {
      controller.abort()
      await ended
    },
  }
}

/** @throws what the module throws, and where it ends by itself */
async function runToEnd(module: Module, signal: AbortSignal): Promise<void> {
  await module.start?.()
  try {
    await module.run?.(signal)
    if (module.run && !signal.aborted) throw new Error(`${module.name} ended by itself`)
  } finally {
    await module.stop?.()
  }
}

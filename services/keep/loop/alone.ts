/** Work that one process at a time may do. */
import { randomUUID } from 'node:crypto'
import type { Postgres } from '../../../lib/postgres/port.ts'
import { claimWork, releaseWork } from '../queries/control-store.ts'

/** What work is called, and for how long a process that dies keeps it, in milliseconds. */
interface Work {
  name: string
  forMs: number
}

/**
 * Runs a piece of work while no other process does; its claim is renewed for as long as it takes, so
 * that nobody begins beside it.
 *
 * @returns what the work gives; undefined where another process is at it
 */
export async function alone<T>(
  { postgres, now }: { postgres: Postgres; now: () => number },
  { name, forMs }: Work,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const holder = randomUUID()
  const claim = () => claimWork(postgres, { name, holder, now: now(), forMs })
  if (!(await claim())) return undefined
  // A renewal that fails is made up for by the next one.
  const renewal = setInterval(() => void claim().catch(() => {}), forMs / 4)
  let isDone = false
  try {
    const result = await work()
    isDone = true
    return result
  } finally {
    clearInterval(renewal)
    await releaseWork(postgres, { name, holder, now: now(), isDone })
  }
}

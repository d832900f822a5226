/** The end of a process that was started here. */
import type { ChildProcess } from 'node:child_process'

/** Ends a process, and resolves with its exit code once it has gone. */
export function ended(
  child: ChildProcess,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<number | null> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve(child.exitCode)
    child.once('exit', resolve)
    child.kill(signal)
  })
}

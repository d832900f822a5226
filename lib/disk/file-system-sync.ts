/**
 * Power loss: makes what was written to a file system durable. The embedded stores write dozens of
 * files for a batch, their directories and their logs of inserts among them, so the whole file
 * system is synced (`syncfs`), once for all who wait.
 */
import { execFile, execFileSync } from 'node:child_process'

const TIMEOUT_MS = 60_000

/**
 * Returns a function that resolves once all that was written below `directory` before its call
 * survives power loss.
 *
 * @throws Error where the system has no `sync -f` (coreutils, busybox), with the sentence what to
 *   do
 */
export function fileSystemSync(directory: string): () => Promise<void> {
  try {
    execFileSync('sync', ['-f', directory], { timeout: TIMEOUT_MS, stdio: 'pipe' })
  } catch (cause) {
    throw new Error(
      'PLUMBLINE_DURABLE=fsync needs the command "sync -f" (coreutils): install it, or set PLUMBLINE_DURABLE=process',
      { cause },
    )
  }
  const sync = () =>
    new Promise<void>((resolve, reject) => {
      execFile('sync', ['-f', directory], { timeout: TIMEOUT_MS }, (error) =>
        error
          ? reject(new Error('the file system could not be synced', { cause: error }))
          : resolve(),
      )
    })
  return sharedRuns(sync)
}

/**
 * Callers that come while a run is under way share the next one: the run under way may have begun
 * before their writes.
 */
export function sharedRuns(run: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | undefined
  let next: Promise<void> | undefined
  const begin = () => {
    current = run().finally(() => (current = undefined))
    return current
  }
  return () => {
    if (!current) return begin()
    next ??= current
      .catch(() => {})
      .then(() => {
        next = undefined
        return begin()
      })
    return next
  }
}

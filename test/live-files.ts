import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Paths of the files under a folder whose bytes hold the text. The folder may belong to a running
 * engine: a part that is merged or renamed during the walk is left out, as one that is gone.
 */
export function filesHolding(folder: string, text: string): string[] {
  const entries = orGone(() => readdirSync(folder, { withFileTypes: true })) ?? []
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return filesHolding(path, text)
    return entry.isFile() && orGone(() => readFileSync(path))?.includes(text) ? [path] : []
  })
}

function orGone<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

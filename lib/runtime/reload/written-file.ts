/** Files that people write, read within bounds. */
import { readFileSync, statSync } from 'node:fs'

const MAX_BYTES = 1 << 20

/**
 * The text of a file.
 *
 * @throws {Error} where there is none, or it is larger than 1 MiB
 */
export function writtenText(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found?.isFile()) throw new Error('is no file')
  if (found.size > MAX_BYTES) throw new Error(`is larger than ${MAX_BYTES} bytes`)
  return readFileSync(path, 'utf8')
}

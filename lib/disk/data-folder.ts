/** The data folder of an installation, and its secrets: for its owner alone. */
import { randomBytes } from 'node:crypto'
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Makes the folder, for its owner alone, where it is missing; a folder that is there keeps its
 * mode.
 */
export function makeDataFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
}

/**
 * A secret of this installation: made once, readable by its owner alone. A file without one, as a
 * full disk or a power loss leaves it, counts as missing: an empty password would let everybody in.
 */
export function secretIn(folder: string, name: string, make: () => string): string {
  const path = join(folder, name)
  const found = readText(path)
  if (found === '') replaceFile(path, make())
  chmodSync(path, 0o600)
  return found || readText(path)
}

/** Writes a file for its owner alone, whole or not at all: it takes the place of the one before. */
export function replaceFile(path: string, text: string): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  const file = openSync(draft, 'wx', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(draft, path)
}

/** @throws Error where the file is there and cannot be read */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').replaceAll('\0', '').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

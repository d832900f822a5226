/**
 * How far each file was imported, kept in a file: one that is written whole or not at all, so that an
 * import that was killed goes on where everything before it was taken.
 */
import { createHash } from 'node:crypto'
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** How far one file was imported. */
export interface FilePosition {
  /** As it was called when it was imported last. */
  file: string
  /** Messages that were taken, refused or left out by filters. */
  rows: number
  isDone: boolean
}

/** Positions by the content of files: one that was moved is the same. */
export interface Positions {
  of: (content: string) => FilePosition | undefined
  /** Keeps a position; it is on the disk when this returns. */
  keep: (content: string, position: FilePosition) => void
}

/**
 * Reads the positions of a source.
 *
 * @throws Error where the file holds something else
 */
export function filePositions(path: string): Positions {
  const known = new Map(existsSync(path) ? entriesOf(path) : [])
  mkdirSync(dirname(path), { recursive: true })
  return {
    of: (content) => known.get(content),
    keep: (content, position) => {
      known.set(content, position)
      const draft = `${path}.${process.pid}.new`
      writeFileSync(draft, JSON.stringify(Object.fromEntries(known)), { mode: 0o600 })
      renameSync(draft, path)
    },
  }
}

function entriesOf(path: string): [string, FilePosition][] {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new Error(`${path} holds no positions of an import: remove it to begin anew`, { cause })
  }
  const entries = Object.entries((value ?? {}) as Record<string, FilePosition>)
  if (!entries.every(([, { rows }]) => Number.isSafeInteger(rows)))
    throw new Error(`${path} holds no positions of an import: remove it to begin anew`)
  return entries
}

/** Names the content of a file: SHA-256 of all of it, as hexadecimal. */
export async function contentOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }))
    hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** Which code decides: a hash of the source files that read policies and decide by them. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOMS = ['../decide/', '../../../lib/models/']

let known: string | undefined

/** SHA-256 of the names and the bytes of these files, tests left out; 64 hex digits, read once. */
export function codeSha256(): string {
  known ??= digestOf(ROOMS.map((room) => fileURLToPath(new URL(room, import.meta.url))))
  return known
}

function digestOf(folders: readonly string[]): string {
  const hash = createHash('sha256')
  for (const [i, folder] of folders.entries()) {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    const sources = names.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    for (const name of sources.map((one) => one.replaceAll('\\', '/')).toSorted())
      hash
        .update(`${i}/${name}\0`)
        .update(readFileSync(folder + name))
        .update('\0')
  }
  return hash.digest('hex')
}

/** When each key was used last, in a file of the data folder that is written once a minute at most. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '../../disk/data-folder.ts'

const FILE = 'key-uses.json'
const EVERY_MS = 60_000
/** Names in the file; the oldest uses leave. */
const MOST = 10_000

/** Last uses, in epoch milliseconds, by the name of the key. */
export type Uses = ReadonlyMap<string, number>

/** What a folder says of uses; nothing where it says nothing, or nothing that can be read. */
export function readUses(folder: string): Uses {
  try {
    const found = JSON.parse(readFileSync(join(folder, FILE), 'utf8')) as Record<string, unknown>
    return new Map(
      Object.entries(found).flatMap(([name, at]): [string, number][] => {
        const ms = typeof at === 'string' ? Date.parse(at) : Number.NaN
        return Number.isNaN(ms) ? [] : [[name, ms]]
      }),
    )
  } catch {
    return new Map()
  }
}

/**
 * Notes uses: the first is written at once, later ones together, a minute after the last writing.
 * What a killed process had not written is lost: a use is then told up to a minute too early.
 *
 * @param now epoch milliseconds
 * @param failed told why when the file cannot be written; requests go on
 */
export function useRecorder(
  folder: string,
  now: () => number,
  failed: (error: unknown) => void,
): (name: string) => void {
  const noted = new Map<string, number>()
  let written = -Infinity
  let timer: NodeJS.Timeout | undefined
  const write = () => {
    timer = undefined
    written = now()
    try {
      writeUses(folder, noted)
    } catch (error) {
      failed(error)
    }
    noted.clear()
  }
  return (name) => {
    noted.set(name, now())
    if (now() - written >= EVERY_MS && !timer) write()
    else timer ??= setTimeout(write, EVERY_MS).unref()
  }
}

/** Other processes of the folder may have noted later ones. */
function writeUses(folder: string, noted: Uses): void {
  const uses = new Map(readUses(folder))
  for (const [name, at] of noted) uses.set(name, Math.max(at, uses.get(name) ?? 0))
  const newest = [...uses].toSorted(([, a], [, b]) => b - a).slice(0, MOST)
  const told = newest.map(([name, at]) => [name, new Date(at).toISOString()])
  replaceFile(join(folder, FILE), JSON.stringify(Object.fromEntries(told)))
}

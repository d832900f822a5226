/**
 * The range that the in-process log is storing, on disk: killed in the middle, the process that
 * comes next stores the same range again under the same identity, which completes what is missing.
 * Kafka needs no journal; it is one.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
} from 'node:fs'
import { renameSync, rmSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../runtime/errors.ts'
import type { OffsetRange } from './port.ts'

/** A range that an earlier process left. */
export interface LeftRange {
  range: OffsetRange
  /** It is stored. */
  forget: () => void
  /** It cannot be stored: the file stays under another name, for people. Returns that name. */
  setAside: () => string
}

/** The messages of the in-process log that are not stored yet, on disk. */
export interface Journal {
  /** Resolves once the range is on disk; the returned function forgets it. */
  keep: (range: OffsetRange) => Promise<() => Promise<void>>
  /**
   * What an earlier process left, oldest first; files that cannot be read are set aside and
   * reported.
   */
  left: () => LeftRange[]
}

/** Where the journal is, and what its entries must survive. */
export interface JournalOptions {
  directory: string
  /** `fsync`: the range survives power loss too */
  durable: 'process' | 'fsync'
  /** A file was set aside because it holds no range: the path that it has now, and why. */
  onUnreadable: (path: string, reason: string) => void
}

const SUFFIX = '.range.json'
const SET_ASIDE = '.set-aside'

/** Opens a journal; its folder is made where it is missing. */
export function createJournal({ directory, durable, onUnreadable }: JournalOptions): Journal {
  mkdirSync(directory, { recursive: true })
  if (durable === 'fsync') syncDirectory(join(directory, '..'))
  let next = Date.now()
  const setAside = (path: string) => {
    renameSync(path, `${path}${SET_ASIDE}`)
    return `${path}${SET_ASIDE}`
  }
  async function writeWhole(path: string, range: OffsetRange) {
    const file = await open(path, 'w', 0o600)
    try {
      await file.writeFile(encoded(range))
      if (durable === 'fsync') await file.sync()
    } finally {
      await file.close()
    }
  }
  return {
    keep: async (range) => {
      const path = join(directory, `${String(next++).padStart(16, '0')}${SUFFIX}`)
      const draft = `${path}.part`
      try {
        await writeWhole(draft, range)
        await rename(draft, path)
      } catch (error) {
        // A full disk fails one try after another: what each has written must not fill it further.
        await rm(draft, { force: true }).catch(() => {})
        throw error
      }
      // The name is in the directory: without this a power loss takes the file with it.
      if (durable === 'fsync') syncDirectory(directory)
      return () => rm(path, { force: true })
    },
    left: () => {
      const files = readdirSync(directory)
      // No answer has said that these are kept.
      for (const file of files.filter((name) => name.endsWith('.part')))
        rmSync(join(directory, file), { force: true, recursive: true })
      const found: LeftRange[] = []
      for (const name of files.filter((file) => file.endsWith(SUFFIX)).toSorted()) {
        const path = join(directory, name)
        // A clock that was set back must not make new files older than these.
        next = Math.max(next, Number(name.slice(0, 16)) + 1 || 0)
        try {
          const range = decoded(readFileSync(path, 'utf8'))
          found.push({
            range,
            forget: () => rmSync(path, { force: true }),
            setAside: () => setAside(path),
          })
        } catch (error) {
          onUnreadable(setAside(path), messageOf(error))
        }
      }
      return found
    },
  }
}

/**
 * Removes files that were set aside and hold a message of which this is true: nothing reads them
 * again but people.
 *
 * @param isAbout of the text of a key, a value or headers
 * @returns how many files
 */
export function eraseSetAside(directory: string, isAbout: (text: string) => boolean): number {
  if (!existsSync(directory)) return 0
  let erased = 0
  for (const name of readdirSync(directory).filter((file) => file.endsWith(SET_ASIDE))) {
    const path = join(directory, name)
    if (!textsOf(readFileSync(path, 'utf8')).some(isAbout)) continue
    rmSync(path, { force: true })
    erased++
  }
  return erased
}

/** The texts of a file, decoded; of one that is no range, the file as it is. */
function textsOf(file: string): string[] {
  try {
    return decoded(file).messages.flatMap(({ key, value, headers }) => [
      key.toString(),
      value.toString(),
      JSON.stringify(headers ?? {}),
    ])
  } catch {
    return [file]
  }
}

function syncDirectory(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

const encoded = (range: OffsetRange) =>
  JSON.stringify({
    ...range,
    messages: range.messages.map(({ offset, timestampMs, key, value, headers }) => ({
      offset,
      timestampMs,
      key: key.toString('base64'),
      value: value.toString('base64'),
      headers,
    })),
  })

interface Encoded extends Omit<OffsetRange, 'messages'> {
  messages: {
    offset: number
    timestampMs: number
    key: string
    value: string
    headers?: Record<string, string>
  }[]
}

/** @throws Error where the text is no range, naming what is wrong */
function decoded(text: string): OffsetRange {
  const range = JSON.parse(text) as Encoded
  const isText = (value: unknown) => typeof value === 'string'
  const texts = [range.logEpoch, range.topic, range.partition, range.first, range.last]
  if (![...texts, range.mapping].every(isText) || !Array.isArray(range.messages))
    throw new Error('it lacks a field of a range')
  if (range.messages.length === 0) throw new Error('it holds no message')
  return {
    ...range,
    messages: range.messages.map((message) => {
      const { offset, timestampMs, key, value } = message
      if (
        !Number.isSafeInteger(offset) ||
        !Number.isFinite(timestampMs) ||
        !isText(key) ||
        !isText(value)
      )
        throw new Error('one of its messages lacks a field')
      return { ...message, key: Buffer.from(key, 'base64'), value: Buffer.from(value, 'base64') }
    }),
  }
}

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
          const range = decoded(readFileSync(path))
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
    if (!textsOf(readFileSync(path)).some(isAbout)) continue
    rmSync(path, { force: true })
    erased++
  }
  return erased
}

/** The texts of a file, decoded; of one that is no range, the file as it is. */
function textsOf(file: Buffer): string[] {
  try {
    return decoded(file).messages.flatMap(({ key, value, headers }) => [
      key.toString(),
      value.toString(),
      JSON.stringify(headers ?? {}),
    ])
  } catch {
    return [file.toString()]
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

/**
 * A line of JSON with what is known of the range and of each of its messages, then the bytes of all
 * keys and values, one behind the other.
 */
function encoded({ messages, ...range }: OffsetRange): Buffer {
  const known: Known[] = messages.map(({ offset, timestampMs, key, value, headers }) =>
    headers
      ? [offset, timestampMs, key.length, value.length, headers]
      : [offset, timestampMs, key.length, value.length],
  )
  const head = Buffer.from(`${JSON.stringify({ ...range, messages: known })}\n`)
  const sizes = messages.reduce((sum, { key, value }) => sum + key.length + value.length, 0)
  const bytes = Buffer.allocUnsafe(head.length + sizes)
  let at = head.copy(bytes)
  for (const { key, value } of messages) {
    at += key.copy(bytes, at)
    at += value.copy(bytes, at)
  }
  return bytes
}

/** Offset, time in epoch milliseconds, bytes of the key and of the value, headers. */
type Known = [number, number, number, number, Record<string, string>?]
type Head<Message> = Omit<OffsetRange, 'messages'> & { messages: Message[] }

const NEWLINE = 10

/** @throws Error where the bytes are no range, naming what is wrong */
function decoded(bytes: Buffer): OffsetRange {
  const end = bytes.indexOf(NEWLINE)
  return end === -1 ? decodedText(bytes.toString()) : decodedBytes(bytes, end)
}

function decodedBytes(bytes: Buffer, end: number): OffsetRange {
  const range = headOf<Known>(bytes.toString('utf8', 0, end))
  let at = end + 1
  const taken = (length: number) => bytes.subarray(at, (at += length))
  const messages = range.messages.map((known) => {
    if (!Array.isArray(known)) throw new Error(NO_MESSAGE)
    const [offset, timestampMs, keyBytes, valueBytes, headers] = known
    if (![offset, keyBytes, valueBytes].every(isCount) || !Number.isFinite(timestampMs))
      throw new Error(NO_MESSAGE)
    const [key, value] = [taken(keyBytes), taken(valueBytes)]
    return { offset, timestampMs, key, value, ...(headers && { headers }) }
  })
  if (at !== bytes.length) throw new Error('it holds another number of bytes than its messages')
  return { ...range, messages }
}

const NO_MESSAGE = 'one of its messages lacks a field'
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0

/** What a release before wrote: all of it JSON, keys and values in base64. */
function decodedText(text: string): OffsetRange {
  const range = headOf<{
    offset: number
    timestampMs: number
    key: string
    value: string
    headers?: Record<string, string>
  }>(text)
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
        throw new Error(NO_MESSAGE)
      return { ...message, key: Buffer.from(key, 'base64'), value: Buffer.from(value, 'base64') }
    }),
  }
}

const isText = (value: unknown) => typeof value === 'string'

function headOf<Message>(text: string): Head<Message> {
  const range = JSON.parse(text) as Head<Message>
  const texts = [range.logEpoch, range.topic, range.partition, range.first, range.last]
  if (![...texts, range.mapping].every(isText) || !Array.isArray(range.messages))
    throw new Error('it lacks a field of a range')
  if (range.messages.length === 0) throw new Error('it holds no message')
  return range
}

/**
 * The range that the in-process log is storing, on disk: killed in the middle, the process that comes next stores the same
 * range again under the same identity, which completes what is missing. Kafka needs no journal; it is one.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { LoggedRange } from './event-log.ts'

export interface Journal {
  /** Resolves once the range is on disk; the returned function forgets it. */
  keep: (range: LoggedRange) => Promise<() => Promise<void>>
  /** What an earlier process left, oldest first, and how to forget each. */
  left: () => { range: LoggedRange; forget: () => void }[]
}

const SUFFIX = '.range.json'

/** @param durable `fsync`: the range survives power loss too */
export function createJournal(directory: string, durable: 'process' | 'fsync'): Journal {
  mkdirSync(directory, { recursive: true })
  let next = Date.now()
  return {
    keep: async (range) => {
      const path = join(directory, `${String(next++).padStart(16, '0')}${SUFFIX}`)
      const file = await open(`${path}.part`, 'w')
      try {
        await file.writeFile(encoded(range))
        if (durable === 'fsync') await file.sync()
      } finally {
        await file.close()
      }
      renameSync(`${path}.part`, path)
      return () => rm(path, { force: true })
    },
    left: () => {
      const files = readdirSync(directory)
      for (const file of files.filter((name) => name.endsWith('.part')))
        rmSync(join(directory, file), { force: true })
      return files
        .filter((name) => name.endsWith(SUFFIX))
        .toSorted()
        .map((name) => {
          const path = join(directory, name)
          return {
            range: decoded(readFileSync(path, 'utf8')),
            forget: () => rmSync(path, { force: true }),
          }
        })
    },
  }
}

const encoded = (range: LoggedRange) =>
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

interface Encoded extends Omit<LoggedRange, 'messages'> {
  messages: {
    offset: number
    timestampMs: number
    key: string
    value: string
    headers?: Record<string, string>
  }[]
}

function decoded(text: string): LoggedRange {
  const range = JSON.parse(text) as Encoded
  return {
    ...range,
    messages: range.messages.map((message) => ({
      ...message,
      key: Buffer.from(message.key, 'base64'),
      value: Buffer.from(message.value, 'base64'),
    })),
  }
}

/** Batches as files that ClickHouse reads: bytes are copied, never decoded. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { LoggedRange } from './event-log.ts'

const NEWLINE = 10
const SPACE = 32
/** 19 digits of offset, 13 of time, 5 of key length, a space after each. */
const PREFIX_BYTES = 40

/** One line per message, as `wire-mapping.ts` reads it. Newlines inside become spaces: raw ones mean nothing in JSON. */
export function encodeLines(messages: LoggedRange['messages']): Buffer {
  let size = 0
  for (const { key, value } of messages) size += PREFIX_BYTES + key.length + value.length + 1
  const out = Buffer.allocUnsafe(size)
  let at = 0
  for (const { offset, timestampMs, key, value } of messages) {
    at += out.write(
      `${offset.padStart(19, '0')} ${String(Math.max(0, timestampMs)).padStart(13, '0')} ${String(key.length).padStart(5, '0')} `,
      at,
      'latin1',
    )
    at += copyLine(key, out, at)
    at += copyLine(value, out, at)
    out[at++] = NEWLINE
  }
  return out
}

/** Copies bytes with their newlines as spaces, and returns how many. */
function copyLine(from: Buffer, to: Buffer, at: number): number {
  const length = from.copy(to, at)
  // Searched in the source: a search in `to` would run on into memory that is not written yet.
  for (let i = from.indexOf(NEWLINE); i !== -1; i = from.indexOf(NEWLINE, i + 1)) to[at + i] = SPACE
  return length
}

export interface Spool {
  /** Runs `use` on a file with these bytes, and removes it. */
  withFile: <T>(bytes: Buffer, use: (path: string) => Promise<T>) => Promise<T>
}

/** @param durable `fsync`: the file survives power loss too. What an earlier process left is swept. */
export function createSpool(directory: string, durable: 'process' | 'fsync'): Spool {
  mkdirSync(directory, { recursive: true })
  for (const file of readdirSync(directory)) {
    if (file.endsWith('.lines')) rmSync(join(directory, file), { force: true })
  }
  let next = 0
  return {
    withFile: async (bytes, use) => {
      const path = join(directory, `${process.pid}-${next++}.lines`)
      try {
        const file = await open(path, 'wx')
        try {
          await file.writeFile(bytes)
          if (durable === 'fsync') await file.sync()
        } finally {
          await file.close()
        }
        return await use(path)
      } finally {
        await rm(path, { force: true })
      }
    },
  }
}

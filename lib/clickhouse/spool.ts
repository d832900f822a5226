/** Blocks as files that ClickHouse reads. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** A folder for blocks on their way into ClickHouse. */
export interface Spool {
  /** Runs `use` on a file with these bytes, and removes it. */
  withFile: <T>(bytes: readonly Buffer[], use: (path: string) => Promise<T>) => Promise<T>
  /** Runs `use` on a file with what a stream gives, at most so many bytes, and removes it. */
  withStream: <T>(
    bytes: AsyncIterable<Buffer>,
    maxBytes: number,
    use: (path: string) => Promise<T>,
  ) => Promise<T>
  /** Runs `use` with an empty folder, and removes it with all that was put into it. */
  withFolder: <T>(use: (folder: string) => Promise<T>) => Promise<T>
}

/** A stream gave more bytes than were allowed. */
export class TooManyBytes extends Error {}

const SUFFIX = '.spool'

/**
 * @param durable `fsync`: the file survives power loss too. What an earlier process left is swept.
 */
export function createSpool(directory: string, durable: 'process' | 'fsync'): Spool {
  mkdirSync(directory, { recursive: true })
  for (const file of readdirSync(directory)) {
    if (file.endsWith(SUFFIX)) rmSync(join(directory, file), { force: true, recursive: true })
  }
  let next = 0
  const nextPath = () => join(directory, `${process.pid}-${next++}${SUFFIX}`)
  return {
    withFolder: async (use) => {
      const folder = nextPath()
      try {
        await mkdir(folder, { mode: 0o700 })
        return await use(folder)
      } finally {
        await rm(folder, { force: true, recursive: true })
      }
    },
    withStream: async (bytes, maxBytes, use) => {
      const path = nextPath()
      try {
        await writeStream(path, bytes, maxBytes)
        return await use(path)
      } finally {
        await rm(path, { force: true })
      }
    },
    withFile: async (bytes, use) => {
      const path = nextPath()
      try {
        const file = await open(path, 'wx', 0o600)
        try {
          const { bytesWritten } = await file.writev([...bytes])
          const size = bytes.reduce((sum, part) => sum + part.length, 0)
          if (bytesWritten !== size)
            throw new Error(`the spool took ${bytesWritten} of ${size} bytes: is the disk full?`)
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

/** @throws {TooManyBytes} once the stream has given more than `maxBytes` */
async function writeStream(
  path: string,
  bytes: AsyncIterable<Buffer>,
  maxBytes: number,
): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    let size = 0
    for await (const part of bytes) {
      size += part.length
      if (size > maxBytes) throw new TooManyBytes(`the body has more than ${maxBytes} bytes`)
      await file.appendFile(part)
    }
  } finally {
    await file.close()
  }
}

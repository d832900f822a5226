/**
 * Bodies of requests, taken in one way by every route: decompressed as they come, never beyond the
 * size that one body may have, and never beyond the bytes that all bodies together may have in this
 * process.
 */
import type { Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { Problem } from '../runtime/errors.ts'

/** Bytes of bodies that are held at this moment. */
export interface BodyBudget {
  /** Takes so many bytes more; false where they are not to be had. */
  take: (bytes: number) => boolean
  giveBack: (bytes: number) => void
}

/** A budget of `maxBytes` for all bodies of a process, counted after decompression. */
export function bodyBudget(maxBytes: number): BodyBudget {
  let held = 0
  return {
    take: (bytes) => {
      if (held + bytes > maxBytes) return false
      held += bytes
      return true
    },
    giveBack: (bytes) => void (held -= bytes),
  }
}

/** How large a body may be, and what all bodies in flight may hold together. */
export interface BodyLimits {
  /** Largest body after decompression, in bytes. */
  maxBodyBytes: number
  budget: BodyBudget
}

/** A body, and the bytes of the budget that it holds until it is given back. */
export interface TakenBody {
  bytes: Buffer
  held: number
}

const RETRY_AFTER_S = '1'

/**
 * Reads a body and undoes its `Content-Encoding`: gzip, zstd, or none.
 *
 * @throws {Problem} 413 for a body beyond the limit, 429 beyond the budget, 415 for another
 *   encoding, 400 for bytes that are
 *   not of the encoding named; the budget is given back then
 */
export async function readBody(
  payload: Readable,
  encoding: string | undefined,
  { maxBodyBytes, budget }: BodyLimits,
): Promise<TakenBody> {
  const chunks: Buffer[] = []
  let held = 0
  let source = payload
  try {
    source = decompressed(payload, encoding)
    // Left alone at an error: destroyed, it would take the connection with it, and the answer.
    const stream = source.iterator({ destroyOnReturn: false })
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (held + chunk.length > maxBodyBytes)
        throw new Problem(413, 'too_large', `the body is larger than ${maxBodyBytes} bytes`)
      if (!budget.take(chunk.length))
        throw new Problem(429, 'overloaded', 'too many requests are under way', {
          'retry-after': RETRY_AFTER_S,
        })
      held += chunk.length
      chunks.push(chunk)
    }
    return { bytes: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks), held }
  } catch (error) {
    budget.giveBack(held)
    // What still comes is thrown away, for as long as a request may take.
    payload.unpipe()
    payload.resume()
    if (source !== payload) source.destroy()
    if (error instanceof Problem) throw error
    throw Object.assign(new Problem(400, 'bad_request', `the body is not ${encoding ?? 'whole'}`), {
      cause: error,
    })
  }
}

function decompressed(payload: Readable, encoding: string | undefined): Readable {
  if (encoding === undefined || encoding === '' || encoding === 'identity') return payload
  const by =
    encoding === 'gzip' ? createGunzip() : encoding === 'zstd' ? createZstdDecompress() : undefined
  if (!by)
    throw new Problem(
      415,
      'unsupported_media_type',
      `content-encoding ${encoding.slice(0, 50)} is not one of gzip, zstd`,
    )
  // A request that is cut off ends the stream that is read.
  payload.once('close', () => {
    if (!payload.readableEnded) by.destroy(new Error('the request was cut off'))
  })
  return payload.pipe(by)
}

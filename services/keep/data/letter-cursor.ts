/** Where an answer of dead letters ended, as text that callers hand back. */
import { Problem } from '../../../lib/runtime/errors.ts'

/** Where a dead letter stands in the order of answers. */
export interface LetterPlace {
  /** When it was received, epoch milliseconds. */
  receivedAt: number
  topic: string
  logEpoch: string
  partition: string
  /** A 64-bit count, as text. */
  offset: string
}

/** What the store's times can hold ends here. */
const LATEST = Date.UTC(2299, 0, 1)

/** The place as base64url of a JSON array. */
export const cursorOf = (place: LetterPlace): string =>
  Buffer.from(
    JSON.stringify([place.receivedAt, place.topic, place.logEpoch, place.partition, place.offset]),
  ).toString('base64url')

/** @throws {Problem} 400 `invalid_request` for what {@link cursorOf} did not make */
export function placeOf(cursor: string): LetterPlace {
  const [receivedAt, topic, logEpoch, partition, offset] = partsOf(cursor)
  if (
    typeof receivedAt === 'number' &&
    receivedAt >= 0 &&
    receivedAt < LATEST &&
    Number.isInteger(receivedAt) &&
    typeof topic === 'string' &&
    typeof logEpoch === 'string' &&
    typeof partition === 'string' &&
    typeof offset === 'string' &&
    /^\d{1,19}$/.test(offset)
  )
    return { receivedAt, topic, logEpoch, partition, offset }
  throw new Problem(400, 'invalid_request', 'after must be the next of an answer')
}

function partsOf(cursor: string): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    return Array.isArray(parts) ? parts : []
  } catch {
    return []
  }
}

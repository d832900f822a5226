/** A record batch that no attempt can read, as the one message that stands for all of its own. */
import type { LoggedMessage } from '../port.ts'

/** The message of an unreadable batch, with what kafkajs asks of a message. */
export interface UnreadBatch extends LoggedMessage {
  /** What kafkajs looks at. */
  timestamp: string
  batchContext: { producerId: string; inTransaction: boolean }
  isControlRecord: boolean
}

const LAST_OFFSET_DELTA_AT = 23
const COUNT_AT = 57

/**
 * @param batch with its header
 * @param first the offset of its first record: the message has that of the last one, so that
 *   reading goes on behind it
 */
export function unreadBatch(
  batch: Buffer,
  first: number,
  why: string,
  of: { context: UnreadBatch['batchContext']; timestampMs: number; isProducersTime: boolean },
): UnreadBatch {
  const offset = first + Math.max(0, batch.readInt32BE(LAST_OFFSET_DELTA_AT))
  const messages = Math.max(1, Math.min(batch.readInt32BE(COUNT_AT), offset - first + 1))
  return {
    offset,
    timestampMs: of.timestampMs,
    timestamp: String(of.timestampMs),
    isProducersTime: of.isProducersTime,
    key: Buffer.alloc(0),
    // A copy, since what it is part of may be large.
    value: Buffer.from(batch),
    unreadable: {
      text: `the batch at offsets ${first} to ${offset} cannot be read: ${why}`,
      messages,
    },
    batchContext: of.context,
    isControlRecord: false,
  }
}

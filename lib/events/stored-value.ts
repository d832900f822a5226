/** What is appended to the log for an event that came in. */
import type { FlatRecord } from './flat-record.ts'
import { MAX_EVENT_BYTES, type Rejection } from './rejections.ts'
import type { ValidationResult, Validator } from './validator.ts'

/** An event and the value of its message, or why it is refused. */
export type Storable =
  | { ok: true; event: FlatRecord; unknownFields: number; value: string | Buffer }
  | { ok: false; rejection: Rejection }

/**
 * The value of an event’s message: as it was given, or what privacy rules leave of it, which is
 * refused where their hashes have made it too large.
 */
export function storable(
  validator: Validator,
  result: ValidationResult,
  given: () => string | Buffer,
): Storable {
  if (!result.ok) return result
  const { event, unknownFields } = result
  if (!result.isRedacted) return { ok: true, event, unknownFields, value: given() }
  const value = JSON.stringify(event)
  return Buffer.byteLength(value) > MAX_EVENT_BYTES
    ? validator.refuse('too_large')
    : { ok: true, event, unknownFields, value }
}

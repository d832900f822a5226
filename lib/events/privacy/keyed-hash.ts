/** Keyed hashes of values: equal values stay equal, and nobody without the key tells which they are. */
import { createHmac } from 'node:crypto'

/** What has this form is a hash already. */
const HASHED = /^hmac:[0-9a-f]{32}$/

/**
 * The keyed hash of a value, `hmac:` and 32 hexadecimal digits of HMAC-SHA-256. A hash is not hashed
 * again: an event may come by several places that hash.
 */
export function keyedHash(key: Buffer, value: string): string {
  if (HASHED.test(value)) return value
  return `hmac:${createHmac('sha256', key).update(value).digest('hex').slice(0, 32)}`
}

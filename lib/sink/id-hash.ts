/**
 * 64 bits of an id, as two hashes of 32 that ClickHouse has too (`xxHash32`, `murmurHash3_32`), so
 * that what a process remembers can be read back from a table. Two of 10^6 ids share a hash with a
 * probability below 10^-7.
 */

const PRIME_1 = 0x9e3779b1
const PRIME_2 = 0x85ebca77
const PRIME_3 = 0xc2b2ae3d
const PRIME_4 = 0x27d4eb2f
const PRIME_5 = 0x165667b1

const rotated = (x: number, by: number) => (x << by) | (x >>> (32 - by))

const wordAt = (bytes: Uint8Array, at: number) =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)

const round = (sum: number, word: number) =>
  Math.imul(rotated(sum + Math.imul(word, PRIME_2), 13), PRIME_1)
const mixed = (word: number) => Math.imul(rotated(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593)

/** xxHash32 with seed 0; from 0 to 2^32 - 1. */
export function xxHash32(bytes: Uint8Array, length = bytes.length): number {
  let at = 0
  let hash: number
  if (length >= 16) {
    let a = (PRIME_1 + PRIME_2) | 0
    let b = PRIME_2 | 0
    let c = 0
    let d = -PRIME_1 | 0
    for (; at + 16 <= length; at += 16) {
      a = round(a, wordAt(bytes, at))
      b = round(b, wordAt(bytes, at + 4))
      c = round(c, wordAt(bytes, at + 8))
      d = round(d, wordAt(bytes, at + 12))
    }
    hash = rotated(a, 1) + rotated(b, 7) + rotated(c, 12) + rotated(d, 18)
  } else hash = PRIME_5
  hash = (hash + length) | 0
  for (; at + 4 <= length; at += 4)
    hash = Math.imul(rotated(hash + Math.imul(wordAt(bytes, at), PRIME_3), 17), PRIME_4)
  for (; at < length; at++)
    hash = Math.imul(rotated(hash + Math.imul(bytes[at]!, PRIME_5), 11), PRIME_1)
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2)
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** MurmurHash3 (x86, 32 bits) with seed 0; from 0 to 2^32 - 1. */
export function murmurHash3(bytes: Uint8Array, length = bytes.length): number {
  let hash = 0
  let at = 0
  for (; at + 4 <= length; at += 4)
    hash = (Math.imul(rotated(hash ^ mixed(wordAt(bytes, at)), 13), 5) + 0xe6546b64) | 0
  let tail = 0
  for (let i = length - 1; i >= at; i--) tail = (tail << 8) | bytes[i]!
  if (at < length) hash ^= mixed(tail)
  hash ^= length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

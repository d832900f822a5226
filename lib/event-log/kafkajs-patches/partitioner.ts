/**
 * Kafka's own choice of a partition for a key, murmur2, as Java clients make it (`murmur2_random`
 * in librdkafka). kafkajs has the same with big integers, at a microsecond a byte.
 */
import type { PartitionerArgs } from 'kafkajs'

const SEED = 0x9747b28c
const M = 0x5bd1e995

/** @returns a signed 32-bit hash */
function murmur2(bytes: Uint8Array): number {
  const { length } = bytes
  const whole = length & ~3
  let hash = SEED ^ length
  for (let i = 0; i < whole; i += 4) {
    let k = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    k = Math.imul(k, M)
    k ^= k >>> 24
    hash = Math.imul(hash, M) ^ Math.imul(k, M)
  }
  const rest = length & 3
  if (rest === 3) hash ^= bytes[whole + 2]! << 16
  if (rest >= 2) hash ^= bytes[whole + 1]! << 8
  if (rest >= 1) hash = Math.imul(hash ^ bytes[whole]!, M)
  hash ^= hash >>> 13
  hash = Math.imul(hash, M)
  return hash ^ (hash >>> 15)
}

/** Messages of one key go to one partition; those without a key go around. */
export const keyPartitioner = () => {
  let turn = 0
  return ({ partitionMetadata, message }: PartitionerArgs): number => {
    const { key } = message
    const count = partitionMetadata.length
    if (key === null || key === undefined) return turn++ % count
    return (murmur2(Buffer.isBuffer(key) ? key : Buffer.from(key)) & 0x7fffffff) % count
  }
}

/**
 * CityHash128 of version 1.0.2, the checksum of ClickHouse's compressed blocks; later versions of
 * CityHash give other values. Pure. Every number is an unsigned integer of 64 bits.
 */

const K0 = 0xc3a5c85c97cb3127n
const K1 = 0xb492b66fbe98f273n
const K2 = 0x9ae16a3b2f90404fn
const K3 = 0xc949d7c7509e6557n
const MIX = 0x9ddfea08eb382d69n

type Pair = readonly [bigint, bigint]

const u64 = (x: bigint) => BigInt.asUintN(64, x)
const times = (a: bigint, b: bigint) => u64(a * b)
const turned = (x: bigint, bits: bigint) => u64((x >> bits) | (x << (64n - bits)))
const folded = (x: bigint) => x ^ (x >> 47n)
const at64 = (bytes: Buffer, at: number) => bytes.readBigUInt64LE(at)

/** Two numbers as one. */
function mixed(u: bigint, v: bigint): bigint {
  const a = folded(times(u ^ v, MIX))
  return times(folded(times(v ^ a, MIX)), MIX)
}

/** The hash, as the 16 bytes that ClickHouse writes before a block. */
export function cityHash128(bytes: Buffer): Buffer {
  const [low, high] = hashed(bytes)
  const out = Buffer.alloc(16)
  out.writeBigUInt64LE(low, 0)
  out.writeBigUInt64LE(high, 8)
  return out
}

function hashed(bytes: Buffer): Pair {
  const { length } = bytes
  if (length >= 16) return seeded(bytes.subarray(16), [at64(bytes, 0) ^ K3, at64(bytes, 8)])
  if (length >= 8)
    return seeded(Buffer.alloc(0), [
      at64(bytes, 0) ^ times(BigInt(length), K0),
      at64(bytes, length - 8) ^ K1,
    ])
  return seeded(bytes, [K0, K1])
}

const seeded = (bytes: Buffer, seed: Pair): Pair =>
  bytes.length < 128 ? ofFew(bytes, seed) : ofMany(bytes, seed)

/** Fewer than 128 bytes. */
function ofFew(bytes: Buffer, [seedA, seedB]: Pair): Pair {
  const { length } = bytes
  let [a, b] = [seedA, seedB]
  let c: bigint
  let d: bigint
  if (length <= 16) {
    a = times(folded(times(a, K1)), K1)
    c = u64(times(b, K1) + ofSixteen(bytes))
    d = folded(u64(a + (length >= 8 ? at64(bytes, 0) : c)))
  } else {
    c = mixed(u64(at64(bytes, length - 8) + K1), a)
    d = mixed(u64(b + BigInt(length)), u64(c + at64(bytes, length - 16)))
    a = u64(a + d)
    for (let at = 0; at < length - 16; at += 16) {
      a = times(a ^ times(folded(times(at64(bytes, at), K1)), K1), K1)
      b ^= a
      c = times(c ^ times(folded(times(at64(bytes, at + 8), K1)), K1), K1)
      d ^= c
    }
  }
  a = mixed(a, c)
  b = mixed(d, b)
  return [a ^ b, mixed(b, a)]
}

/** Up to 16 bytes, as one number. */
function ofSixteen(bytes: Buffer): bigint {
  const { length } = bytes
  const size = BigInt(length)
  if (length > 8) {
    const last = at64(bytes, length - 8)
    return mixed(at64(bytes, 0), turned(u64(last + size), size)) ^ last
  }
  if (length >= 4) {
    const first = BigInt(bytes.readUInt32LE(0))
    return mixed((first << 3n) + size, BigInt(bytes.readUInt32LE(length - 4)))
  }
  if (length === 0) return K2
  const y = BigInt(bytes[0]! + (bytes[length >> 1]! << 8))
  const z = BigInt(length + (bytes[length - 1]! << 2))
  return times(folded(times(y, K2) ^ times(z, K3)), K2)
}

/** 32 bytes folded into two numbers. */
function ofThirtyTwo(bytes: Buffer, at: number, [seedA, seedB]: Pair): Pair {
  const first = u64(seedA + at64(bytes, at))
  const last = at64(bytes, at + 24)
  const sum = u64(first + at64(bytes, at + 8) + at64(bytes, at + 16))
  const b = u64(turned(u64(seedB + first + last), 21n) + turned(sum, 44n))
  return [u64(sum + last), u64(b + first)]
}

interface State {
  x: bigint
  y: bigint
  z: bigint
  v: Pair
  w: Pair
}

/** 128 bytes and more: 64 at a time, always an even number of times, then the rest from its end. */
function ofMany(bytes: Buffer, [seedA, seedB]: Pair): Pair {
  const first = u64(times(turned(seedB ^ K1, 49n), K1) + at64(bytes, 0))
  const state: State = {
    x: seedA,
    y: seedB,
    z: times(K1, BigInt(bytes.length)),
    v: [first, u64(times(turned(first, 42n), K1) + at64(bytes, 8))],
    w: [0n, times(turned(u64(seedA + at64(bytes, 88)), 53n), K1)],
  }
  state.w = [u64(times(turned(u64(seedB + state.z), 35n), K1) + seedA), state.w[1]]
  let at = 0
  for (; bytes.length - at >= 128; at += 128) {
    stir(state, bytes, at)
    stir(state, bytes, at + 64)
  }
  return finished(state, bytes, at)
}

function stir(state: State, bytes: Buffer, at: number): void {
  const { v, w } = state
  const x = times(turned(u64(state.x + state.y + v[0] + at64(bytes, at + 16)), 37n), K1) ^ w[1]
  const y = times(turned(u64(state.y + v[1] + at64(bytes, at + 48)), 42n), K1) ^ v[0]
  const z = turned(state.z ^ w[0], 33n)
  state.v = ofThirtyTwo(bytes, at, [times(v[1], K1), u64(x + w[0])])
  state.w = ofThirtyTwo(bytes, at + 32, [u64(z + w[1]), y])
  state.x = z
  state.y = y
  state.z = x
}

function finished({ x, y, z, v, w }: State, bytes: Buffer, from: number): Pair {
  const left = bytes.length - from
  y = u64(y + times(turned(w[0], 37n), K0) + z)
  x = u64(x + times(turned(u64(v[0] + z), 49n), K0))
  let [wide, narrow] = w
  for (let done = 32; done < left + 32; done += 32) {
    const at = bytes.length - done
    y = u64(times(turned(u64(y - x), 42n), K0) + v[1])
    wide = u64(wide + at64(bytes, at + 16))
    x = u64(times(turned(x, 49n), K0) + wide)
    wide = u64(wide + v[0])
    v = ofThirtyTwo(bytes, at, v)
  }
  x = mixed(x, v[0])
  y = mixed(y, wide)
  return [u64(mixed(u64(x + v[1]), narrow) + y), mixed(u64(x + narrow), u64(y + v[1]))]
}

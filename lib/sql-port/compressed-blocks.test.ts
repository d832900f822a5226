/**
 * Answers in ClickHouse's own compression, checked with hashes of clickhouse-cityhash 1.0.2.6
 * (Python).
 */
import * as lz4 from 'lz4-napi'
import { expect, test } from 'vitest'
import { cityHash128 } from './city-hash.ts'
import { compressedBlocks } from './compressed-blocks.ts'

const bytesOf = (length: number) =>
  Buffer.from(Array.from({ length }, (_, i) => (i * 131 + (i >> 3) * 7 + 5) & 255))

/** Hashes by length: `'%016x%016x'` of the two numbers of `CityHash128`. */
const HASHES: Record<number, string> = {
  0: '3df09dfc64c09a2b3cb540c392e51e29',
  1: 'd9a8537dee2e4ded43dc7df558d2519c',
  2: 'cabd56308197b338f65130e496d5c1f2',
  3: 'e9b8740e71e3f1fb1b732c160809c6c1',
  4: '8bfe5af9a035aa20fd687962af4665e1',
  7: 'f37b9637f4a55fe6f7228c58489b686f',
  8: 'a527200cc094a56b6ca71e26cc043130',
  9: 'b0659c775a4552651df072f9e92834f0',
  15: 'a81264399de685a0ca576239562646bb',
  16: '9a9b531692c0409d2103b4d37766da1e',
  17: '64fdd3ccfd69dbc8ee6ad3a8ca375b5d',
  31: 'd4e93b1d01919b163b11752826a2c386',
  32: '5d7124ace35c7509fee348d556949766',
  33: 'f542f7f29499dcefd581a4741a6b9b8b',
  100: 'a63a02a2d8ccb3e72142035ba54ca0d7',
  127: '7589eb59d705315c3d9cc73897572c8d',
  128: '85aadf33e675ccdd25ce9c6262de751a',
  143: 'd44a39fb34af425aea8ee05e2451a165',
  144: '2b629d197a9d96505da31c2666d6749c',
  145: '1f40bf6f319e96cea616e92b5369ca6a',
  200: '56a47566c49e99704bb54325b0d08d1e',
  255: '4ab25129ce24a501e8586b5a911c5f77',
  271: 'bac878d59faf0e3059d6ee2b1b82a801',
  272: 'babf2103996a6eb7cc10ebbe43ded471',
  273: '77c9327fc4e2b70aa53afef76da10114',
  400: '2ffefbe9488ba841587b9d80240d5911',
  4096: '049b461357e3f7e6db4ec841b5158e1f',
  100001: '62fbc3ef1f3e5998c38236fe990ae332',
}

test.each(Object.entries(HASHES))('the hash of %s bytes', (length, wanted) => {
  const hash = cityHash128(bytesOf(Number(length)))
  const text = [0, 8].map((at) => hash.readBigUInt64LE(at).toString(16).padStart(16, '0')).join('')
  expect(text).toBe(wanted)
})

test.each([0, 1, 1000, 1 << 20, (1 << 20) + 1, 3_000_001])(
  '%i bytes come back from their blocks',
  async (length) => {
    const bytes = bytesOf(length)
    const blocks = await compressedBlocks(bytes)
    const read: Buffer[] = []
    for (let at = 0; at < blocks.length;) {
      const size = blocks.readUInt32LE(at + 17)
      const block = blocks.subarray(at + 16, at + 16 + size)
      expect(block[0]).toBe(0x82)
      expect(cityHash128(block).equals(blocks.subarray(at, at + 16))).toBe(true)
      const plain = Buffer.from(block.subarray(5))
      read.push(await lz4.uncompress(plain))
      at += 16 + size
    }
    expect(Buffer.concat(read).equals(bytes)).toBe(true)
  },
)

/**
 * ClickHouse's own compression of answers (`compress=1`), which its JDBC driver asks for unless set
 * otherwise.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import * as lz4 from 'lz4-napi'
import { cityHash128 } from './city-hash.ts'

/**
 * Bytes of an answer in one block: its checksum takes some milliseconds, in which nothing else
 * runs.
 */
const BLOCK_BYTES = 1 << 16
const LZ4 = 0x82
/** The method and both sizes. */
const HEADER_BYTES = 9
/** lz4-napi puts the length of what it compressed before it. */
const PREFIX_BYTES = 4

/**
 * The bytes as LZ4 blocks, each behind its checksum and sizes; no bytes are no block. Other work
 * goes on in between.
 */
export async function compressedBlocks(bytes: Buffer): Promise<Buffer> {
  const blocks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const [checksum, block] = await blockOf(bytes.subarray(at, at + BLOCK_BYTES))
    blocks.push(checksum, block)
    await nextTurn()
  }
  return Buffer.concat(blocks)
}

async function blockOf(bytes: Buffer): Promise<[Buffer, Buffer]> {
  const compressed = (await lz4.compress(bytes)).subarray(PREFIX_BYTES)
  const block = Buffer.alloc(HEADER_BYTES + compressed.length)
  block.writeUInt8(LZ4, 0)
  block.writeUInt32LE(block.length, 1)
  block.writeUInt32LE(bytes.length, 5)
  block.set(compressed, HEADER_BYTES)
  return [cityHash128(block), block]
}

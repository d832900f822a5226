/**
 * The four codecs that Kafka knows, each bounded: a few kilobytes may stand for any number of
 * zeros. kafkajs brings gzip only, without a bound, and its consumer crashes on any other.
 */
import { gunzip, gzip, zstdCompress, zstdDecompress } from 'node:zlib'
import { promisify } from 'node:util'
import kafkajs from 'kafkajs'
import * as lz4 from 'lz4-napi'
import * as snappy from 'snappy'

/**
 * Bytes of a record batch, decompressed: a hundred times what brokers take unless told otherwise.
 */
export const MAX_BATCH_BYTES = 128 << 20

/** A batch that no attempt can read: it is too large, or what its codec says of it is not so. */
export class UnreadableBatch extends Error {}

const tooLarge = (most: number) => new UnreadableBatch(`it decompresses to more than ${most} bytes`)

/** Java clients frame snappy in blocks behind this magic; librdkafka does not. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const XERIAL_HEADER_BYTES = 16

async function unsnap(buffer: Buffer, most: number): Promise<Buffer> {
  const blocks = snappyBlocks(buffer)
  if (blocks.reduce((sum, block) => sum + snappyLength(block), 0) > most) throw tooLarge(most)
  const plain: Buffer[] = []
  for (const block of blocks) plain.push(Buffer.from(await snappy.uncompress(block)))
  return plain.length === 1 ? plain[0]! : Buffer.concat(plain)
}

function snappyBlocks(buffer: Buffer): Buffer[] {
  if (!buffer.subarray(0, XERIAL.length).equals(XERIAL)) return [buffer]
  const blocks: Buffer[] = []
  for (let at = XERIAL_HEADER_BYTES; at < buffer.length;) {
    const size = at + 4 <= buffer.length ? buffer.readInt32BE(at) : -1
    if (size <= 0 || at + 4 + size > buffer.length)
      throw new UnreadableBatch('a snappy block is longer than its bytes')
    blocks.push(buffer.subarray(at + 4, at + 4 + size))
    at += 4 + size
  }
  return blocks
}

/** What a block of snappy says that it becomes; the decoder holds it to that. */
function snappyLength(block: Buffer): number {
  let length = 0
  for (let i = 0; i < Math.min(5, block.length); i++) {
    length += (block[i]! & 127) * 2 ** (7 * i)
    if (block[i]! < 128) return length
  }
  throw new UnreadableBatch('a snappy block does not say its length')
}

const LZ4_MAGIC = 0x184d2204
const LZ4_BLOCK_BYTES = [0, 0, 0, 0, 64 << 10, 256 << 10, 1 << 20, 4 << 20]
const LZ4_PLAIN = 0x8000_0000

/** Most bytes that a frame of LZ4 can become: its blocks, each as large as the frame lets it be. */
export function lz4Bound(bytes: Buffer): number {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== LZ4_MAGIC)
    throw new UnreadableBatch('it is no frame of LZ4')
  const flags = bytes[4]!
  const blockBytes = LZ4_BLOCK_BYTES[(bytes[5]! >> 4) & 7]!
  // Content size, dictionary id and the header's checksum.
  let at = 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0)
  const checksum = flags & 0x10 ? 4 : 0
  let bound = 0
  while (at + 4 <= bytes.length) {
    const size = bytes.readUInt32LE(at)
    if (size === 0) break
    const length = size % LZ4_PLAIN
    bound += size >= LZ4_PLAIN ? length : blockBytes
    at += 4 + length + checksum
  }
  return bound
}

async function unlz4(bytes: Buffer, most: number): Promise<Buffer> {
  if (lz4Bound(bytes) > most) throw tooLarge(most)
  return lz4.decompressFrame(bytes)
}

/** Out of memory, say: it may pass, and says nothing of the batch. */
const PASSING = /MEM|memory|ENOMEM|THREAD/

type Decompress = (bytes: Buffer, most: number) => Promise<Buffer>

/** @throws UnreadableBatch for whatever the bytes are to blame for */
const bounded =
  (decompress: Decompress, most: number) =>
  async (bytes: Buffer): Promise<Buffer> => {
    try {
      return await decompress(bytes, most)
    } catch (cause) {
      if (cause instanceof UnreadableBatch) throw cause
      const { code = '', message } = cause as Error & { code?: string }
      if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(most)
      if (PASSING.test(`${code} ${message}`)) throw cause
      throw new UnreadableBatch(`it does not decompress: ${message}`, { cause })
    }
  }

const compressing = {
  gzip: promisify(gzip),
  snappy: async (bytes: Buffer) => snappy.compress(bytes),
  lz4: async (bytes: Buffer) => lz4.compressFrame(bytes),
  zstd: promisify(zstdCompress),
}
const decompressing: Record<keyof typeof compressing, Decompress> = {
  gzip: (bytes, most) => promisify(gunzip)(bytes, { maxOutputLength: most }),
  snappy: unsnap,
  lz4: unlz4,
  zstd: (bytes, most) => promisify(zstdDecompress)(bytes, { maxOutputLength: most }),
}

/** A codec of Kafka, whose batches decompress to at most so many bytes. */
export const codecOf = (name: keyof typeof compressing, most = MAX_BATCH_BYTES) => ({
  compress: (encoder: { buffer: Buffer }) => compressing[name](encoder.buffer),
  decompress: bounded(decompressing[name], most),
})

/** Gives kafkajs the codecs, for every client of the process; calling it again changes nothing. */
export function registerCodecs(): void {
  const { CompressionCodecs, CompressionTypes } = kafkajs
  CompressionCodecs[CompressionTypes.GZIP] = () => codecOf('gzip')
  CompressionCodecs[CompressionTypes.Snappy] = () => codecOf('snappy')
  CompressionCodecs[CompressionTypes.LZ4] = () => codecOf('lz4')
  CompressionCodecs[CompressionTypes.ZSTD] = () => codecOf('zstd')
}

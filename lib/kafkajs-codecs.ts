/** kafkajs brings gzip only, and its consumer crashes on any other codec; all four that Kafka knows are read here. */
import { zstdCompress, zstdDecompress } from 'node:zlib'
import { promisify } from 'node:util'
import kafkajs from 'kafkajs'
import * as lz4 from 'lz4-napi'
import * as snappy from 'snappy'

/** Java clients frame snappy in blocks behind this magic; librdkafka does not. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const XERIAL_HEADER_BYTES = 16

async function unsnap(buffer: Buffer): Promise<Buffer> {
  if (!buffer.subarray(0, XERIAL.length).equals(XERIAL))
    return Buffer.from(await snappy.uncompress(buffer))
  const blocks: Buffer[] = []
  for (let at = XERIAL_HEADER_BYTES; at < buffer.length;) {
    const size = buffer.readInt32BE(at)
    blocks.push(Buffer.from(await snappy.uncompress(buffer.subarray(at + 4, at + 4 + size))))
    at += 4 + size
  }
  return Buffer.concat(blocks)
}

export function registerCodecs(): void {
  const { CompressionCodecs, CompressionTypes } = kafkajs
  const codec =
    (compress: (b: Buffer) => Promise<Buffer>, decompress: (b: Buffer) => Promise<Buffer>) =>
    () => ({
      compress: (encoder: { buffer: Buffer }) => compress(encoder.buffer),
      decompress,
    })
  CompressionCodecs[CompressionTypes.Snappy] = codec(async (b) => snappy.compress(b), unsnap)
  CompressionCodecs[CompressionTypes.LZ4] = codec(
    async (b) => lz4.compressFrame(b),
    async (b) => lz4.decompressFrame(b),
  )
  CompressionCodecs[CompressionTypes.ZSTD] = codec(
    promisify(zstdCompress),
    promisify(zstdDecompress),
  )
}

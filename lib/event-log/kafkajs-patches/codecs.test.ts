/**
 * Batches that are small on the wire and large in memory, or not what they say: one message stands
 * for each, the next is read.
 */
import { crc32c } from '@node-rs/crc32'
import { expect, test } from 'vitest'
import { codecOf, lz4Bound } from './codecs.ts'
import { splitRecordBatches, writeRecordBatch } from './record-batches.ts'

const MOST = 4 << 20
const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const RECORDS_AT = 61

const plain = (values: readonly string[]) =>
  writeRecordBatch({
    records: values.map((value, i) => ({ value, offsetDelta: i, timestampDelta: 0 })),
    firstTimestamp: 1000,
    maxTimestamp: 1000,
  })

/** A batch of these records whose compressed part is what is given. */
function batchOf(values: readonly string[], type: number, compressed: Buffer): Buffer {
  const batch = Buffer.concat([plain(values).subarray(0, RECORDS_AT), compressed])
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeInt16BE(type, 21)
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return batch
}

const compressed = async (codec: (typeof CODECS)[number], values: readonly string[]) =>
  batchOf(
    values,
    CODECS.indexOf(codec) + 1,
    Buffer.from(await codecOf(codec).compress({ buffer: plain(values).subarray(RECORDS_AT) })),
  )

const split = (...batches: readonly Buffer[]) =>
  splitRecordBatches(Buffer.concat(batches), (type) =>
    CODECS[type - 1] ? codecOf(CODECS[type - 1]!, MOST) : null,
  )

test.each(CODECS)(
  '%s: a batch beyond the bound is one message, and the next is read',
  async (codec) => {
    const bomb = await compressed(codec, ['a', '0'.repeat(2 * MOST), 'c'])
    expect(bomb.length).toBeLessThan(MOST / 4)
    const good = await compressed(codec, ['good', 'x'.repeat(MOST / 2)])
    const [first, second, third] = await split(bomb, good)
    expect(first).toMatchObject({
      offset: 2,
      timestampMs: 1000,
      unreadable: {
        messages: 3,
        text: 'the batch at offsets 0 to 2 cannot be read: it decompresses to more than 4194304 bytes',
      },
    })
    expect(first!.value.equals(bomb)).toBe(true)
    expect([second, third].map((one) => one!.value.toString())).toEqual([
      'good',
      'x'.repeat(MOST / 2),
    ])
  },
)

test.each([...CODECS.map((codec, i) => [codec, i + 1] as const), ['codec 6', 6] as const])(
  '%s: bytes that are none of it are one message',
  async (_, type) => {
    const noise = batchOf(['a'], type, Buffer.from('no frame of any codec at all'))
    const magic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
    // Its block goes back by as many bytes as it takes: without end.
    const endless = batchOf(['a'], type, Buffer.concat([magic, Buffer.from([255, 255, 255, 252])]))
    const found = await split(noise, endless, plain(['good']))
    expect(found.map((one) => one.unreadable?.messages)).toEqual([1, 1, undefined])
    expect(found[2]!.value.toString()).toBe('good')
  },
)

test('a batch whose records are not what its header says', async () => {
  const more = plain(['a'])
  more.writeInt32BE(1000, 57)
  more.writeUInt32BE(crc32c(more.subarray(21)), 17)
  const endless = plain(['a'])
  endless.writeInt32BE(2 ** 31 - 1, 57)
  endless.writeUInt32BE(crc32c(endless.subarray(21)), 17)
  const found = await split(more, endless, plain(['good']))
  expect(found.map((one) => one.unreadable?.text.split(': ')[1])).toEqual([
    'a record is longer than its bytes',
    'its 2147483647 messages are too many',
    undefined,
  ])
})

test('a frame of LZ4 never becomes more than its bound', async () => {
  for (const size of [0, 1, 70_000, 3_000_000]) {
    const frame = Buffer.from(await codecOf('lz4').compress({ buffer: Buffer.alloc(size, 'ab') }))
    expect((await codecOf('lz4').decompress(frame)).length).toBe(size)
    expect(lz4Bound(frame)).toBeGreaterThanOrEqual(size)
  }
})

import { crc32c } from '@node-rs/crc32'
import fc from 'fast-check'
import kafkajs from 'kafkajs'
import { expect, test } from 'vitest'
import { keyPartitioner } from './partitioner.ts'
import { splitRecordBatches, writeRecordBatch } from './record-batches.ts'

const bytes = fc.uint8Array({ maxLength: 300 }).map((b) => Buffer.from(b))
const record = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.dictionary(
    fc.string({ minLength: 1, maxLength: 5 }).filter((k) => k !== '__proto__'),
    fc.string({ maxLength: 200 }),
  ),
})

test('what is written is split into the same, any number of batches, the last one cut off', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(record, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 3 }),
      fc.nat(20),
      async (batches, cut) => {
        const written = batches.map((records) =>
          writeRecordBatch({
            records: records.map((r, i) => ({ ...r, offsetDelta: i, timestampDelta: 3 * i })),
            firstTimestamp: 1_767_225_600_000,
            maxTimestamp: 1_767_225_600_100,
          }),
        )
        const all = Buffer.concat([...written, written[0]!.subarray(0, cut)])
        const split = await splitRecordBatches(all, () => null)
        expect(
          split.map(({ key, value, headers, offset, timestampMs }) => ({
            key,
            value,
            headers: headers ?? {},
            offset,
            timestampMs,
          })),
        ).toEqual(
          batches.flatMap((records) =>
            records.map((r, i) => ({
              key: r.key ?? Buffer.alloc(0),
              value: r.value ?? Buffer.alloc(0),
              headers: r.headers,
              offset: i,
              timestampMs: 1_767_225_600_000 + 3 * i,
            })),
          ),
        )
      },
    ),
  )
})

test('whose word a time is: the producer’s, unless the batch says that the broker set it', async () => {
  const batch = writeRecordBatch({
    records: [{ value: 'hello', offsetDelta: 0, timestampDelta: 3 }],
    firstTimestamp: 1000,
    maxTimestamp: 2000,
  })
  const [theirs] = await splitRecordBatches(batch, () => null)
  expect(theirs).toMatchObject({ isProducersTime: true, timestampMs: 1003 })
  // LogAppendTime is bit 3 of the attributes; the checksum covers them.
  batch.writeInt16BE(0x08, 21)
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  const [brokers] = await splitRecordBatches(batch, () => null)
  expect(brokers).toMatchObject({ isProducersTime: false, timestampMs: 2000 })
})

test('a batch that was changed on the way is refused, with its offset', async () => {
  const batch = writeRecordBatch({
    records: [{ value: 'hello', offsetDelta: 0, timestampDelta: 0 }],
    firstTimestamp: 0,
    maxTimestamp: 0,
  })
  batch[batch.length - 3]! ^= 1
  await expect(splitRecordBatches(batch, () => null)).rejects.toThrow(
    'the record batch at offset 0 does not have its checksum',
  )
})

test('keys go where kafkajs and the Java client send them', () => {
  const theirs = kafkajs.Partitioners.DefaultPartitioner()
  const ours = keyPartitioner()
  const partitionMetadata = Array.from({ length: 12 }, (_, partitionId) => ({
    partitionId,
    leader: 0,
  })) as never
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (key) => {
      const args = { topic: 't', partitionMetadata, message: { key, value: null } }
      expect(ours(args)).toBe(theirs(args))
    }),
  )
})

test('of batches that decompress to more than 128 MiB the rest comes with the next fetch', async () => {
  const batch = (firstOffset: number) => {
    const written = writeRecordBatch({
      records: [{ value: 'small', offsetDelta: 0, timestampDelta: 0 }],
      firstTimestamp: 0,
      maxTimestamp: 0,
    })
    written.writeBigInt64BE(BigInt(firstOffset), 0)
    return written
  }
  const batches = Buffer.concat([0, 1, 2, 3, 4].map(batch))
  // Each is 50 MiB once decompressed: one record, and what follows it in the same bytes.
  const record = batch(0).subarray(61)
  const bomb = { decompress: async () => Buffer.concat([record, Buffer.alloc(50 << 20)]) }
  const split = await splitRecordBatches(batches, () => bomb as never)
  expect(split.map(({ offset }) => offset)).toEqual([0, 1, 2])
})

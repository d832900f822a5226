/**
 * The exactly-once protocol against a model: a log, a broker that keeps offsets, a sink with
 * tokens, and crashes anywhere.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { arrivalOf, type LoggedMessage, type OffsetRange } from './port.ts'
import { metadataOf, parseMetadata, rangeProtocol, type PartitionPort } from './exactly-once.ts'

const CRASH = new Error('killed')
/** Clock that never shows the same time twice. */
let clock = 0

interface World {
  log: LoggedMessage[]
  committed: { offset: bigint; metadata: string }
  /** What the sink holds, by token: the same token again is a no-op. */
  stored: Map<string, { offsets: number[]; arrivedMs: number | undefined }>
}

const message = (offset: number): LoggedMessage => ({
  offset,
  timestampMs: 0,
  key: Buffer.alloc(0),
  value: Buffer.from(`v${offset}`),
})

/**
 * One life of a consumer process: batches of given sizes until the log is read or it is killed at
 * the given step.
 */
async function live(world: World, batchSizes: readonly number[], killAt: number): Promise<void> {
  let step = 0
  const mayCrash = () => {
    if (++step === killAt) throw CRASH
  }
  const store = async (range: OffsetRange) => {
    mayCrash()
    const token = `${range.logEpoch} ${range.first}-${range.last}`
    const rows = { offsets: range.messages.map((m) => m.offset), arrivedMs: range.arrivedMs }
    if (!world.stored.has(token)) world.stored.set(token, rows)
    else expect(world.stored.get(token)).toEqual(rows)
    mayCrash()
  }
  const protocol = rangeProtocol(
    {
      topic: 't',
      group: 'g',
      mapping: 'm1',
      store,
      lastStored: async () => ({ epoch: 0, next: 0 }),
    },
    {
      now: () => ++clock,
      logName: 'log',
      committed: async () => world.committed,
      oldest: async () => 0n,
      onLost: () => {},
      onRetry: (_partition, error) => {
        throw error
      },
    },
  )
  let position = Number(world.committed.offset < 0n ? 0n : world.committed.offset)
  for (let i = 0; position < world.log.length; i++) {
    const batch = world.log.slice(position, position + batchSizes[i % batchSizes.length]!)
    const port: PartitionPort = {
      partition: '0',
      generation: 1,
      highWatermark: BigInt(world.log.length),
      isOwned: () => true,
      heartbeat: async () => {},
      resolve: (offset) => (position = Number(offset) + 1),
      commit: async (offset, metadata) => {
        mayCrash()
        world.committed = { offset, metadata }
        mayCrash()
      },
    }
    await protocol(batch, port)
  }
}

test('through any crashes and any batch sizes, every message is stored once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 40 }),
      fc.array(
        fc.record({
          sizes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
          killAt: fc.integer({ min: 1, max: 25 }),
        }),
        { maxLength: 8 },
      ),
      async (length, lives) => {
        const world: World = {
          log: Array.from({ length }, (_, i) => message(i)),
          committed: { offset: -1n, metadata: '' },
          stored: new Map(),
        }
        for (const { sizes, killAt } of lives)
          await live(world, sizes, killAt).catch((e: unknown) => expect(e).toBe(CRASH))
        await live(world, [5], Infinity)
        const all = [...world.stored.values()]
          .flatMap((rows) => rows.offsets)
          .toSorted((a, b) => a - b)
        expect(all).toEqual(world.log.map((m) => m.offset))
      },
    ),
    { numRuns: 1000 },
  )
})

test('a partition that is lost while storing is neither committed nor resolved', async () => {
  const world: World = {
    log: [message(0)],
    committed: { offset: -1n, metadata: '' },
    stored: new Map(),
  }
  let owned = true
  const told: string[] = []
  const protocol = rangeProtocol(
    {
      topic: 't',
      group: 'g',
      mapping: 'm1',
      store: async () => void (owned = false),
      lastStored: async () => ({ epoch: 3, next: 0 }),
    },
    {
      now: () => ++clock,
      logName: 'log',
      committed: async () => world.committed,
      oldest: async () => 0n,
      onLost: () => {},
      onRetry: () => {},
    },
  )
  await protocol(world.log, {
    partition: '0',
    generation: 1,
    highWatermark: 1n,
    isOwned: () => owned,
    heartbeat: async () => {},
    resolve: () => void told.push('resolve'),
    commit: async (offset, metadata) => void told.push(`commit ${offset} ${metadata}`),
  })
  expect(told).toEqual([`commit 0 v1;e=log.4;p=0-0;m=m1;a=${clock}`])
})

test('metadata comes back as it was written, and foreign metadata is not ours', () => {
  const pending = { first: 1n, last: 9n, mapping: 'm', arrivedMs: 1_767_225_600_123 }
  expect(parseMetadata(metadataOf('c.1', pending))).toEqual({ logEpoch: 'c.1', pending })
  // As an older release wrote it: its rows had the times of the records, and get them again.
  expect(parseMetadata('v1;e=c.1;p=1-9;m=m')).toEqual({
    logEpoch: 'c.1',
    pending: { ...pending, arrivedMs: undefined },
  })
  expect(parseMetadata(metadataOf('c.1'))).toEqual({ logEpoch: 'c.1', pending: undefined })
  expect(parseMetadata('')).toBeUndefined()
  expect(parseMetadata('v2;e=x')).toBeUndefined()
})

test.each([1, 100_000, 1_000_000])(
  'a range of %i messages that was pending at a kill is stored whole, whatever the fetches are',
  async (size) => {
    const log: LoggedMessage[] = Array.from({ length: size }, (_, i) => message(i))
    const world: World = { log, committed: { offset: -1n, metadata: '' }, stored: new Map() }
    // Killed as it begins to store: the intent is its first two steps.
    await expect(live(world, [size], 3)).rejects.toBe(CRASH)
    expect(parseMetadata(world.committed.metadata)?.pending?.last).toBe(BigInt(size - 1))
    await live(world, [size > 1 ? Math.ceil(size / 2) : 1], Infinity)
    expect(world.committed.offset).toBe(BigInt(size))
    expect([...world.stored.values()].map(({ offsets }) => offsets.length)).toEqual([size])
  },
)

test('a message arrived when its log took it, or, where its producer set the time, when it was read', () => {
  const theirs = { ...message(1), timestampMs: 5, isProducersTime: true }
  expect(arrivalOf({ arrivedMs: 7 }, theirs)).toBe(7)
  expect(arrivalOf({}, theirs)).toBe(5)
  expect(arrivalOf({ arrivedMs: 7 }, { ...theirs, isProducersTime: false })).toBe(5)
  expect(arrivalOf({}, { ...message(1), timestampMs: 5 })).toBe(5)
})

/** How much the log in this process stores at once, and how much may wait for it. */
import { expect, test } from 'vitest'
import { memoryLog } from './in-process.ts'
import type { OffsetRange } from './port.ts'

const TOPIC = 'events'
const of = (count: number, bytes: number) =>
  Array.from({ length: count }, (_, i) => ({ key: String(i), value: 'x'.repeat(bytes) }))

/**
 * Appends requests while the store holds on to the first range, and answers with what was stored at
 * once.
 */
async function stored(requests: readonly { key: string; value: string }[][]) {
  const ranges: OffsetRange[] = []
  const { promise: opened, resolve: open } = Promise.withResolvers<void>()
  const log = memoryLog({ now: () => 0, onError: () => {}, maxQueuedBytes: 64 << 20 })
  const consumer = log.ranges({
    ...{ topic: TOPIC, group: 'g', mapping: 'm' },
    lastStored: async () => ({ epoch: 0, next: 0 }),
    store: async (range) => {
      ranges.push(range)
      await opened
    },
  })
  await consumer.start?.()
  const all = Promise.allSettled(requests.map((messages) => log.append(TOPIC, messages)))
  open()
  const refused = (await all).filter(({ status }) => status === 'rejected').length
  return { sizes: ranges.map(({ messages }) => messages.length), refused }
}

test('a batch has at most 25 000 messages, or one request', async () => {
  const requests = [of(1, 1), ...Array.from({ length: 12 }, () => of(5000, 1)), of(35_000, 1)]
  const { sizes } = await stored(requests)
  expect(sizes.reduce((a, b) => a + b)).toBe(95_001)
  expect(sizes.filter((size) => size > 25_000)).toEqual([35_000])
  expect(sizes).toContain(25_000)
})

test('a batch has at most 16 MiB, or one request', async () => {
  const { sizes } = await stored([of(1, 1), ...Array.from({ length: 10 }, () => of(4, 1 << 20))])
  expect(sizes.reduce((a, b) => a + b)).toBe(41)
  expect(sizes.every((size) => size <= 16)).toBe(true)
  expect(Math.max(...sizes)).toBeGreaterThan(4)
})

test('what waits has at most 64 MiB: the rest is refused, and none of it is stored', async () => {
  const { sizes, refused } = await stored(Array.from({ length: 20 }, () => of(4, 1 << 20)))
  expect(refused).toBeGreaterThan(0)
  expect(sizes.reduce((a, b) => a + b)).toBe((20 - refused) * 4)
})

import type { ReadMessage } from '../events/decode-message.ts'
import { expect, test } from 'vitest'
import type { LoggedMessage, OffsetRange } from '../event-log/port.ts'
import type { EventMapping, MappedRange } from './mapping.ts'
import { refusedByStore } from './unstorable.ts'

const MAX_TRIALS = 4000
const away = new Error('the store refused the range')

const rangeOf = (count: number) =>
  ({
    messages: Array.from({ length: count }, (_, offset) => ({ offset }) as LoggedMessage),
  }) as unknown as OffsetRange

/** Maps a message to itself, and leaves out what the reader refuses. */
const mapping = {
  map: (range: OffsetRange, read: ReadMessage) =>
    ({
      offsets: range.messages
        .filter((message) => read(message, undefined as never).ok)
        .map(({ offset }) => offset),
      release: () => {},
    }) as unknown as MappedRange,
} as unknown as EventMapping

async function sought(count: number, isFaulty: (offset: number) => boolean) {
  let trials = 0
  const found = await refusedByStore(away, {
    range: rangeOf(count),
    mapping,
    read: () => ({ ok: true }) as never,
    trial: async (mapped) => {
      trials++
      const { offsets } = mapped as unknown as { offsets: readonly number[] }
      if (offsets.some(isFaulty)) throw new Error('not this one')
    },
  }).catch((error: unknown) => error)
  return { trials, found }
}

test('messages that the store refuses are found among many', async () => {
  const { found } = await sought(100_000, (offset) => offset % 25_000 === 7)
  expect([...(found as Map<LoggedMessage, string>).keys()].map(({ offset }) => offset)).toEqual([
    7, 25_007, 50_007, 75_007,
  ])
})

test('a store that refuses nearly all is not asked about each: the range is what fails', async () => {
  const { trials, found } = await sought(10_000, (offset) => offset > 5)
  expect(found).toBe(away)
  expect(trials).toBe(MAX_TRIALS)
})

import { afterEach, expect, test, vi } from 'vitest'
import { heartbeats } from './kafka-consumers.ts'

afterEach(() => {
  vi.useRealTimers()
})

const TEN_MINUTES = 600_000

function beating(givenUp = new AbortController()) {
  vi.useFakeTimers()
  const heartbeat = vi.fn<() => Promise<void>>(() => Promise.reject(new Error('rebalancing')))
  const beats = heartbeats({ heartbeat }, 3000, givenUp.signal)
  return { beats, heartbeat }
}

test('a store that takes long keeps its partition for ten minutes, and no longer', () => {
  const { heartbeat } = beating()
  vi.advanceTimersByTime(TEN_MINUTES)
  expect(heartbeat).toHaveBeenCalledTimes(TEN_MINUTES / 3000)
  vi.advanceTimersByTime(TEN_MINUTES)
  expect(heartbeat).toHaveBeenCalledTimes(TEN_MINUTES / 3000)
})

test('no heartbeat comes after the store has ended, or after its client was given up', () => {
  const ended = beating()
  ended.beats.end()
  vi.advanceTimersByTime(TEN_MINUTES)
  expect(ended.heartbeat).not.toHaveBeenCalled()
  const client = new AbortController()
  const givenUp = beating(client)
  client.abort()
  vi.advanceTimersByTime(TEN_MINUTES)
  expect(givenUp.heartbeat).not.toHaveBeenCalled()
})

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Postgres } from '../../../lib/postgres/port.ts'
import type { Logger } from '../../../lib/runtime/log.ts'
import { launcher } from '../launchers/launch.ts'
import { deciding, decidingModules, wake, type Deciding } from './decision-loop.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/**
 * The loop of a process without policies, whose rounds ask the control database once each, for
 * `roundMs`.
 */
function running(roundMs: number) {
  let rounds = 0
  const postgres = {
    query: async (sql: string) => {
      if (sql.includes("state = 'queued'")) {
        rounds++
        await new Promise((resolve) => void setTimeout(resolve, roundMs))
      }
      return []
    },
  } as unknown as Postgres
  const log = { error: () => {} } as unknown as Logger
  const ledger = { postgres, now: () => Date.now() }
  const loop: Deciding = deciding({
    engine: { policies: new Map(), queries: {} as never, ledger, sound: new Set() },
    jobs: launcher({
      ...{ ledger, log, secret: '', publicUrl: () => '', allowsCommands: false },
      ...{
        environment: () => undefined,
        readDataset: () => Promise.reject(),
        random: () => 0,
        fetch: () => Promise.reject(),
      },
    }),
    log,
    failed: () => {},
  })
  const ends = new AbortController()
  const ended = Promise.all(decidingModules(loop).map(({ run }) => run?.(ends.signal)))
  const stop = async () => {
    ends.abort()
    await vi.advanceTimersByTimeAsync(roundMs)
    await ended
  }
  return { loop, rounds: () => rounds, stop }
}

test('a wake-up during a round is kept: the next round begins as soon as this one has rested', async () => {
  const { loop, rounds, stop } = running(40)
  await vi.advanceTimersByTimeAsync(10)
  expect(rounds()).toBe(1)
  wake(loop)
  // The round ends after 40 ms, and rests three times as long.
  await vi.advanceTimersByTimeAsync(155)
  expect(rounds()).toBe(2)
  await stop()
})

test('rounds that find nothing come seldom, and at once when they are woken', async () => {
  const { loop, rounds, stop } = running(0)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(rounds()).toBeLessThan(16)
  const before = rounds()
  wake(loop)
  await vi.advanceTimersByTimeAsync(1)
  expect(rounds()).toBe(before + 1)
  await stop()
})

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { pollLoop, type PollLoopOptions, type Progress } from './poll-loop.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A running loop whose steps begin at the times in `begun`, milliseconds from its start. */
function running(
  options: Partial<PollLoopOptions>,
  step = async (): Promise<Progress | void> => {},
) {
  const begun: number[] = []
  const errors: unknown[] = []
  const start = performance.now()
  const controller = new AbortController()
  const loop = pollLoop({
    name: 'tried',
    everyMs: 100,
    onError: (error) => errors.push(error),
    ...options,
    step: async () => {
      begun.push(Math.round(performance.now() - start))
      return step()
    },
  })
  const ended = loop.module.run!(controller.signal)
  return { begun, errors, ended, wake: loop.wake, stop: () => controller.abort() }
}

const lasting = (ms: number) => () => new Promise<void>((resolve) => void setTimeout(resolve, ms))

test('a step is repeated every so often until the process ends, which ends the pause', async () => {
  const loop = running({})
  await vi.advanceTimersByTimeAsync(250)
  expect(loop.begun).toEqual([0, 100, 200])
  loop.stop()
  await loop.ended
  expect(vi.getTimerCount()).toBe(0)
})

test('a failed step is reported, and tried again after its own pause', async () => {
  const loop = running({ retryMs: 300 }, () => Promise.reject(new Error('away')))
  await vi.advanceTimersByTimeAsync(650)
  expect(loop.begun).toEqual([0, 300, 600])
  expect(loop.errors).toHaveLength(3)
})

test('a wake-up ends the pause', async () => {
  const loop = running({})
  await vi.advanceTimersByTimeAsync(30)
  loop.wake()
  loop.wake()
  await vi.advanceTimersByTimeAsync(80)
  expect(loop.begun).toEqual([0, 30])
})

test('a wake-up during a step is kept until the step ends', async () => {
  const loop = running({ rest: 0 }, lasting(40))
  await vi.advanceTimersByTimeAsync(10)
  loop.wake()
  await vi.advanceTimersByTimeAsync(31)
  expect(loop.begun).toEqual([0, 40])
})

test('a step is followed by a rest of three times its duration, which no wake-up shortens', async () => {
  const loop = running({}, lasting(50))
  await vi.advanceTimersByTimeAsync(60)
  loop.wake()
  await vi.advanceTimersByTimeAsync(139)
  expect(loop.begun).toEqual([0])
  await vi.advanceTimersByTimeAsync(1)
  expect(loop.begun).toEqual([0, 200])
})

test('a rest has an upper bound', async () => {
  const loop = running({ everyMs: 10, longestRestMs: 20 }, lasting(50))
  await vi.advanceTimersByTimeAsync(80)
  expect(loop.begun).toEqual([0, 70])
})

test('pauses double while nothing is found, and are short again after a wake-up', async () => {
  const loop = running({ longestIdleMs: 400 }, async () => ({ isIdle: true }))
  await vi.advanceTimersByTimeAsync(1050)
  expect(loop.begun).toEqual([0, 200, 600, 1000])
  loop.wake()
  await vi.advanceTimersByTimeAsync(210)
  expect(loop.begun).toEqual([0, 200, 600, 1000, 1050, 1250])
})

test('a step that has more to do is followed by the next one at once', async () => {
  let left = 3
  const loop = running({}, async () => ({ more: --left > 0 }))
  await vi.advanceTimersByTimeAsync(50)
  expect(loop.begun).toEqual([0, 0, 0])
})

test('an idle step may bound the pause that follows it', async () => {
  let longestIdleMs: number | undefined = 150
  const loop = running({ longestIdleMs: 400 }, async () => ({
    isIdle: true,
    ...(longestIdleMs === undefined ? {} : { longestIdleMs }),
  }))
  await vi.advanceTimersByTimeAsync(310)
  expect(loop.begun).toEqual([0, 150, 300])
  longestIdleMs = undefined
  await vi.advanceTimersByTimeAsync(900)
  expect(loop.begun).toEqual([0, 150, 300, 450, 750, 1150])
})

import { pino } from 'pino'
import { expect, test } from 'vitest'
import { messageOf } from './errors.ts'
import { runModules, type Module } from './modules.ts'

const log = pino({ level: 'silent' })

function recorded(told: string[], name: string, more: Partial<Module> = {}): Module {
  return {
    name,
    start: async () => void told.push(`start ${name}`),
    stop: async () => void told.push(`stop ${name}`),
    ...more,
  }
}
const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))

test('starts in order, stops in reverse at the signal', async () => {
  const told: string[] = []
  const controller = new AbortController()
  const readiness = { started: false, stopping: false }
  const done = runModules(
    [recorded(told, 'a'), recorded(told, 'b', { run: untilAborted })],
    controller.signal,
    log,
    { readiness },
  )
  await new Promise((resolve) => setTimeout(resolve, 10))
  expect(readiness).toEqual({ started: true, stopping: false })
  controller.abort()
  await done
  expect(readiness.stopping).toBe(true)
  expect(told).toEqual(['start a', 'start b', 'stop b', 'stop a'])
})

test('a failed start rolls back what had started, and names the module', async () => {
  const told: string[] = []
  const broken = recorded(told, 'b', { start: () => Promise.reject(new Error('no port')) })
  await expect(
    runModules(
      [recorded(told, 'a'), broken, recorded(told, 'c')],
      new AbortController().signal,
      log,
    ),
  ).rejects.toMatchObject({
    errors: [expect.objectContaining({ message: 'b did not start', cause: new Error('no port') })],
  })
  expect(told).toEqual(['start a', 'stop a'])
})

test('the first failure ends all, and no failure hides another', async () => {
  const told: string[] = []
  const fails = recorded(told, 'a', {
    run: () => Promise.reject(new Error('one')),
    stop: () => Promise.reject(new Error('two')),
  })
  const error = await runModules(
    [fails, recorded(told, 'b', { run: untilAborted })],
    new AbortController().signal,
    log,
  ).catch((e: unknown) => e)
  expect((error as AggregateError).errors.map((e: Error) => e.message)).toEqual([
    'a failed',
    'a did not stop',
  ])
  expect(told).toEqual(['start a', 'start b', 'stop b'])
})

test('a module that ends by itself is a failure', async () => {
  await expect(
    runModules([{ name: 'a', run: async () => {} }], new AbortController().signal, log),
  ).rejects.toThrow('stopped by a failure')
})

test('modules that only serve, and run nothing, live until the signal', async () => {
  const told: string[] = []
  const controller = new AbortController()
  const done = runModules([recorded(told, 'a')], controller.signal, log)
  await new Promise((resolve) => setTimeout(resolve, 10))
  expect(told).toEqual(['start a'])
  controller.abort()
  await done
  expect(told).toEqual(['start a', 'stop a'])
})

test('modules that never end are named, and keep no other from stopping', async () => {
  const told: string[] = []
  const controller = new AbortController()
  const never = () => new Promise<never>(() => {})
  const done = runModules(
    [
      recorded(told, 'a'),
      recorded(told, 'b', { run: never }),
      recorded(told, 'c', { stop: never }),
      recorded(told, 'd', { run: untilAborted }),
    ],
    controller.signal,
    log,
    { patienceMs: 50 },
  )
  setImmediate(() => controller.abort())
  const error = await done.catch((e: unknown) => e)
  expect((error as AggregateError).errors.map(messageOf)).toEqual([
    'b failed: it has not ended 0.05 s after it was told to',
    'c did not stop: it has not ended 0.05 s after it was told to',
  ])
  expect(told).toEqual(['start a', 'start b', 'start c', 'start d', 'stop d', 'stop b', 'stop a'])
})

test('a start that never ends does not outlive the signal', async () => {
  const told: string[] = []
  const controller = new AbortController()
  const done = runModules(
    [recorded(told, 'a'), recorded(told, 'b', { start: () => new Promise<never>(() => {}) })],
    controller.signal,
    log,
    { patienceMs: 50 },
  )
  setImmediate(() => controller.abort())
  await expect(done).rejects.toThrow('stopped by a failure')
  expect(told).toEqual(['start a', 'stop a'])
})

import { expect, test, vi } from 'vitest'
import type { Module } from '../runtime/modules.ts'
import { changingConsumers } from './changing-consumers.ts'
import type { Source } from './source-files.ts'

const sources = (...revisions: string[]) =>
  revisions.map((one) => ({ name: one[0]!, revision: one })) as unknown as readonly Source[]

/** The module on sources that a test changes, and what its consumers did, in order. */
function running(module: (key: string) => Module) {
  let now = sources('a1', 'b1')
  const listeners: (() => void)[] = []
  const made = changingConsumers(
    'sources',
    {
      inForce: () => ({ folder: '', loadedAt: 0, sources: now, refused: undefined }),
      onChange: (listener) => void listeners.push(listener),
    },
    (inForce) => inForce.map(({ revision: key }) => ({ key, make: () => module(key) })),
  )
  const controller = new AbortController()
  return {
    ended: made.run!(controller.signal),
    stop: () => controller.abort(),
    change: (...revisions: string[]) => {
      now = sources(...revisions)
      for (const listener of listeners) listener()
    },
  }
}

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))

test('only what has changed ends, and it ends before what follows it begins', async () => {
  const acts: string[] = []
  const { change, stop, ended } = running((key) => ({
    name: key,
    run: async (signal) => {
      acts.push(`begins ${key}`)
      await untilAborted(signal)
      await Promise.resolve()
      acts.push(`ends ${key}`)
    },
  }))
  await vi.waitFor(() => expect(acts).toEqual(['begins a1', 'begins b1']))
  change('a1', 'b2', 'c1')
  await vi.waitFor(() => expect(acts).toHaveLength(5))
  expect(acts.slice(2)).toEqual(['ends b1', 'begins b2', 'begins c1'])
  change('a1', 'b2', 'c1')
  change('c1')
  await vi.waitFor(() => expect(acts).toHaveLength(7))
  expect(acts.slice(5).toSorted()).toEqual(['ends a1', 'ends b2'])
  stop()
  await ended
  expect(acts.at(-1)).toBe('ends c1')
})

test('a consumer that fails, or ends by itself, ends the module and all others', async () => {
  for (const [run, sentence] of [
    [async () => Promise.reject(new Error('the login is refused')), 'the login is refused'],
    [async () => {}, 'b1 ended by itself'],
  ] as const) {
    let isOtherEnded = false
    const { ended } = running((key) => ({
      name: key,
      run:
        key === 'b1'
          ? run
          : async (signal) => {
              await untilAborted(signal)
              isOtherEnded = true
            },
    }))
    await expect(ended).rejects.toThrow(sentence)
    expect(isOtherEnded).toBe(true)
  }
})

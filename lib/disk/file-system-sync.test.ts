import { expect, test } from 'vitest'
import { sharedRuns } from './file-system-sync.ts'

test('whoever comes during a run waits for one that begins later, together with others', async () => {
  const runs: (() => void)[] = []
  const shared = sharedRuns(() => new Promise((resolve) => runs.push(resolve)))
  const done: string[] = []
  const call = (name: string) => shared().then(() => done.push(name))
  const all = [call('first'), call('second'), call('third')]
  expect(runs).toHaveLength(1)
  runs[0]!()
  await all[0]
  expect(done).toEqual(['first'])
  await expect.poll(() => runs.length).toBe(2)
  runs[1]!()
  await Promise.all(all)
  expect(done).toEqual(['first', 'second', 'third'])
  expect(runs).toHaveLength(2)
})

test('a failure is told to those who waited for it alone', async () => {
  let runs = 0
  const shared = sharedRuns(async () => {
    if (++runs === 1) throw new Error('no')
  })
  const [first, second] = await Promise.allSettled([shared(), shared()])
  expect([first.status, second.status, runs]).toEqual(['rejected', 'fulfilled', 2])
})

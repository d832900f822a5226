import { expect, test } from 'vitest'
import { sendBatcher } from './send-batcher.ts'

test('what comes during a send forms the next one, in order, up to the most', async () => {
  const sent: number[][] = []
  const append = sendBatcher<number>(
    async (items) => {
      sent.push([...items])
      await new Promise((resolve) => setTimeout(resolve, 5))
    },
    () => 1,
    3,
  )
  await Promise.all([[1], [2], [3], [4, 5, 6, 7], [8]].map(append))
  expect(sent).toEqual([[1], [2, 3], [4, 5, 6], [7, 8]])
})

test('a failed send fails those who were in it, and nobody else', async () => {
  let calls = 0
  const append = sendBatcher<number>(
    async () => {
      await new Promise((resolve) => setTimeout(resolve, 1))
      if (++calls === 2) throw new Error('away')
    },
    () => 1,
    10,
  )
  const results = [append([1]), append([2]), append([3])]
  await results[0]
  await expect(results[1]).rejects.toThrow('away')
  await expect(results[2]).rejects.toThrow('away')
  await append([4])
})

import { expect, test } from 'vitest'
import { gathered } from './request-batcher.ts'

test('questions of one turn that ask alike are asked together, and each gets its own answer', async () => {
  const asked: string[][] = []
  const ask = gathered(
    (question: string) => question[0]!,
    async (questions) => {
      asked.push([...questions])
      return questions.map((question) => question.toUpperCase())
    },
  )
  expect(await Promise.all(['a1', 'b1', 'a2'].map(ask))).toEqual(['A1', 'B1', 'A2'])
  expect(await ask('a3')).toBe('A3')
  expect(asked).toEqual([['a1', 'a2'], ['b1'], ['a3']])
})

test('a failure is told to all that asked, and to nobody after them', async () => {
  let fails = true
  const ask = gathered(
    () => '',
    async (questions: readonly number[]) => {
      if (fails) throw new Error('away')
      return questions
    },
  )
  const results = await Promise.allSettled([ask(1), ask(2)])
  expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected'])
  fails = false
  expect(await ask(3)).toBe(3)
})

test('one that cannot be answered fails alone, except where the first try may have been stored', async () => {
  const tried: number[][] = []
  const answer = async (questions: readonly number[]) => {
    tried.push([...questions])
    if (questions.includes(2)) throw new Error('not a name')
    return questions
  }
  const statuses = async (ask: (question: number) => Promise<number>) =>
    (await Promise.allSettled([1, 2, 3].map(ask))).map((result) => result.status)
  expect(await statuses(gathered(() => '', answer))).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(tried).toEqual([[1, 2, 3], [1], [2], [3]])
  expect(await statuses(gathered(() => '', answer, { alone: false }))).toEqual([
    'rejected',
    'rejected',
    'rejected',
  ])
})

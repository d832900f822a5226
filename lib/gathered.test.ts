import { expect, test } from 'vitest'
import { gathered } from './gathered.ts'

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

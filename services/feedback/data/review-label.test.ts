import { expect, test } from 'vitest'
import { isImpossible, resolveAnswers } from './review-label.ts'

test.each([
  [['1', '1', '0'], { kind: 'resolved', label: '1', votes: 2 }],
  [['0', 0, '1'], { kind: 'resolved', label: '0', votes: 2 }],
  [['1'], { kind: 'resolved', label: '1', votes: 1 }],
  [['1', '0'], { kind: 'tied' }],
  [['a', 'b', 'c'], { kind: 'tied' }],
  [['a', 'b', 'b', 'a', 'c'], { kind: 'tied' }],
])('%j amounts to %j', (answers, resolution) => {
  expect(resolveAnswers(answers, false)).toEqual(resolution)
})

test('of numbers the middle counts, whether they are text or not', () => {
  expect(resolveAnswers(['3.5', 100, '2'], true)).toMatchObject({ label: 3.5, votes: null })
  expect(resolveAnswers([1, 2], true)).toMatchObject({ label: 1.5 })
  expect(resolveAnswers([1.7e308, 1.7e308], true)).toMatchObject({ label: 1.7e308 })
})

test('a task that too many cannot answer, or that is no example, is asked of nobody else', () => {
  const told = (skips: number, badExamples: number) =>
    isImpossible({ skips, badExamples, reviewers: 2 })
  expect([told(3, 1), told(4, 0), told(2, 2)]).toEqual([false, true, true])
})

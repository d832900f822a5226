import { expect, test } from 'vitest'
import { ratingChanges } from './rating-changes.ts'

const THUMBS = { model_id: 'm', prediction_id: 'p', name: 'thumbs' }

test('an answer is changed so often and no more, each name of each prediction by itself', () => {
  const take = ratingChanges(2)
  expect([take(THUMBS, false).left, take(THUMBS, false).left]).toEqual([1, 0])
  expect(() => take(THUMBS, false)).toThrow(
    'thumbs of this prediction was answered 2 times, and may not be again',
  )
  for (const other of [{ name: 'stars' }, { prediction_id: 'q' }, { model_id: 'n' }])
    expect(take({ ...THUMBS, ...other }, false).left).toBe(1)
})

test('a final answer is the last, unless it was not kept', () => {
  const take = ratingChanges(3)
  const { left, giveBack } = take(THUMBS, true)
  expect(left).toBe(0)
  expect(() => take(THUMBS, false)).toThrow('the answer thumbs of this prediction was final')
  giveBack()
  expect(take(THUMBS, false).left).toBe(2)
})

test('what is remembered is bounded: the one given longest ago is forgotten', () => {
  const take = ratingChanges(1, 2)
  const of = (prediction_id: string) => ({ ...THUMBS, prediction_id })
  for (const id of ['a', 'b', 'c']) take(of(id), false)
  expect(take(of('a'), false).left).toBe(0)
  expect(() => take(of('c'), false)).toThrow()
})

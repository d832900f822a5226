import { expect, test } from 'vitest'
import { confusionOf } from '../../../lib/stats/estimators/confusion.ts'
import { classFault, type ClassRules } from './label-classes.ts'

const rules: ClassRules = { declared: ['0', '1'], positiveClass: '1', binary: true }

/** @param pairs label, prediction and how many */
const faultOf = (
  pairs: readonly (readonly [string, string, number])[],
  more?: Partial<ClassRules>,
) =>
  classFault(confusionOf(pairs.map(([label, predicted, n]) => ({ label, predicted, n }))), {
    ...rules,
    ...more,
  })

test('labels that no prediction can equal say nothing of predictions, and both sets are named', () => {
  const fault = faultOf([
    ['1.0', '1', 60],
    ['0.0', '0', 40],
  ])
  expect(fault).toEqual({
    of: 'all',
    reason: 'no label has the class of a prediction: labels are 1.0, 0.0; predictions are 1, 0',
  })
  expect(faultOf([['True', 'true', 5]])?.reason).toContain('labels are True; predictions are true')
})

test('a model that is always wrong is no fault where its classes are known', () => {
  const wrong = [
    ['1', '0', 50],
    ['0', '1', 50],
  ] as const
  expect(faultOf(wrong)).toBeUndefined()
  expect(faultOf([['1', '0', 50]])).toBeUndefined()
  const animals = [['cat', 'dog', 50]] as const
  expect(faultOf(animals, { binary: false })).toMatchObject({ of: 'all' })
  expect(faultOf(animals, { binary: false, declared: ['cat', 'dog'] })).toBeUndefined()
  const reference = confusionOf([
    { label: 'cat', predicted: 'dog', n: 1 },
    { label: 'dog', predicted: 'cat', n: 1 },
  ])
  expect(faultOf(animals, { binary: false, reference })).toBeUndefined()
})

test('another spelling among the labels is told once it is more than one in a hundred', () => {
  const right = [
    ['1', '1', 500],
    ['0', '0', 500],
  ] as const
  expect(faultOf([...right, ['1.0', '1', 5]])).toBeUndefined()
  const fault = faultOf([...right, ['1.0', '1', 50]])
  expect(fault?.of).toBe('all')
  expect(fault?.reason).toMatch(
    /^4\.8 % of the labels spell a class otherwise than predictions \(1\.0 and 1\)/,
  )
  expect(faultOf([...right, ['yes', '1', 50]])).toBeUndefined()
})

test('letters of both cases are classes of their own where the model file says so', () => {
  const pairs = [
    ['a', 'a', 50],
    ['A', 'a', 50],
  ] as const
  expect(faultOf(pairs, { binary: false })).toMatchObject({ of: 'all' })
  expect(faultOf(pairs, { binary: false, declared: ['a', 'A'] })).toBeUndefined()
})

test('scores are held against nothing where no label is the positive class', () => {
  const pairs = [
    ['yes', 'yes', 60],
    ['no', 'no', 50],
  ] as const
  expect(faultOf(pairs)).toEqual({
    of: 'scores',
    reason: 'no label is the positive class 1: labels are yes, no',
  })
  expect(faultOf(pairs, { positiveClass: 'yes' })).toBeUndefined()
  // A rare class that did not come is none.
  expect(faultOf([['no', 'no', 50]], { positiveClass: 'yes' })).toBeUndefined()
})

import { expect, test } from 'vitest'
import { cohensKappa } from '../../../lib/stats/agreement/cohen.ts'
import { krippendorffsAlpha } from '../../../lib/stats/agreement/krippendorff.ts'
import { reviewerAgreement } from './reviewer-agreement.ts'

/** Answers by task, one letter for each reviewer a, b, c …; `-` where one gave none. */
const answersOf = (...tasks: string[]) =>
  tasks.flatMap((said, i) =>
    said
      .split('')
      .flatMap((label, r) =>
        label === '-' ? [] : [{ task_id: `t-${i}`, reviewer: 'abc'[r]!, label }],
      ),
  )

test('tasks that one answered say nothing of agreement', () => {
  const found = reviewerAgreement(answersOf('1--', '-0-', '11-', '00-', '10-'), false)
  expect(found).toMatchObject({ tasks: 3, answers: 6 })
  expect(found.alpha.value).toBeCloseTo(
    krippendorffsAlpha(
      [
        [0, 2],
        [2, 0],
        [1, 1],
      ],
      [0, 1],
      'nominal',
    )!.value,
    12,
  )
  expect(found.alpha.ci_low).toBeLessThan(found.alpha.value!)
})

test('a reviewer is held against what most others say', () => {
  // c says the opposite of the others, who agree but once; then nobody knows what most say.
  const found = reviewerAgreement(answersOf('110', '001', '110', '001', '101', '100'), false)
  const kappa = (reviewer: string) => found.reviewers.find((one) => one.reviewer === reviewer)!
  expect(kappa('c')).toMatchObject({ tasks: 4, kappa: { value: -1 } })
  expect(kappa('a').tasks).toBe(1)
  expect(found.reviewers.map(({ reviewer }) => reviewer)).toEqual(['a', 'b', 'c'])
  expect(
    cohensKappa([
      [0, 2],
      [2, 0],
    ])!.value,
  ).toBe(-1)
})

test('each class against all others, and Fleiss where each task has as many answers', () => {
  const found = reviewerAgreement(answersOf('xxy', 'yyy', 'zzz', 'xxx'), false)
  expect(found.classes.map((one) => [one.class, one.answers])).toEqual([
    ['x', 5],
    ['y', 4],
    ['z', 3],
  ])
  expect(found.classes.find((one) => one.class === 'z')!.alpha.value).toBe(1)
  expect(found.fleiss_kappa).toBeGreaterThan(0.5)
  expect(reviewerAgreement(answersOf('xxy', 'yy-'), false).fleiss_kappa).toBeNull()
})

test('numbers count by how far they are apart', () => {
  const close = reviewerAgreement(answersOf('12-', '89-'), true)
  const far = reviewerAgreement(answersOf('19-', '91-'), true)
  expect(close.alpha.value).toBeGreaterThan(0.9)
  expect(far.alpha.value).toBeLessThan(0)
  expect(close.classes).toEqual([])
})

test('what cannot be known says why', () => {
  const none = { value: null, ci_low: null, ci_high: null }
  expect(reviewerAgreement([], false).alpha).toEqual({
    ...none,
    reason: 'no task has answers of two reviewers',
  })
  expect(reviewerAgreement(answersOf('11', '11'), false).alpha).toMatchObject({
    ...none,
    reason: 'all answers are the same: chance explains that they agree',
  })
  const many = Array.from({ length: 250 }, (_, i) => [
    { task_id: String(i), reviewer: 'a', label: String(i) },
    { task_id: String(i), reviewer: 'b', label: String(i) },
  ]).flat()
  expect(reviewerAgreement(many, true).alpha.reason).toBe('more than 200 different answers')
})

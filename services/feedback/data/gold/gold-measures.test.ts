/** Accuracy on tasks whose answer is known, and the rate that it corrects. */
import { expect, test } from 'vitest'
import { goldMeasures, isRight, type GoldGiven } from './gold-measures.ts'

const given = (n: number, known: string, label: string | null, reviewer = 'ann'): GoldGiven[] =>
  Array.from({ length: n }, () => ({
    ...{ reviewer, known, label, tolerance: 0 },
    skipped: label === null,
  }))
const drawn = (n: number, label: string, inclusion_probability = 0.5) =>
  Array.from({ length: n }, (_, i) => ({
    ...{ task_id: `${label}-${inclusion_probability}-${i}`, reviewer: 'ann' },
    ...{ label, inclusion_probability },
  }))
const CLASSES = ['1', '0'] as const

test('each reviewer is measured by what they answered; skips are told apart', () => {
  const gold = [...given(8, '1', '1'), ...given(2, '1', '0'), ...given(1, '0', null)]
  const { reviewers, accuracy, answers } = goldMeasures({
    ...{ inUse: 20, drawn: [], classes: CLASSES },
    given: [...gold, ...given(3, '0', '0', 'bob'), ...given(2, '0', null, 'cid')],
  })
  expect(answers).toBe(13)
  expect(accuracy.value).toBeCloseTo(11 / 13)
  expect(
    reviewers.map((one) => [one.reviewer, one.answers, one.skips, one.accuracy.value]),
  ).toEqual([
    ['ann', 10, 1, 0.8],
    ['bob', 3, 0, 1],
    ['cid', 0, 2, null],
  ])
  // Wilson's interval of 8 in 10.
  expect(reviewers[0]!.accuracy.ci_low).toBeCloseTo(0.4901624715)
  expect(reviewers[2]!.accuracy.reason).toBe('no task with a known answer was answered')
})

test('the positive rate is corrected by what gold says of the answers', () => {
  const { positive_rate: rate } = goldMeasures({
    inUse: 100,
    given: [
      ...[...given(45, '1', '1'), ...given(5, '1', '0')],
      ...[...given(40, '0', '0'), ...given(10, '0', '1')],
    ],
    drawn: [...drawn(30, '1'), ...drawn(70, '0')],
    classes: CLASSES,
  })
  expect(rate).toMatchObject({
    tasks: 100,
    observed: { value: 0.3 },
    sensitivity: { value: 0.9 },
    specificity: { value: 0.8 },
  })
  // As `test/golden/prevalence.json` has it.
  expect(rate.corrected.value).toBeCloseTo(1 / 7)
  expect(rate.corrected.ci_high).toBeCloseTo(0.317665369)
})

test('tasks weigh what they stand for, and answers of one task are one', () => {
  const { positive_rate: rate } = goldMeasures({
    ...{ inUse: 0, given: [], classes: CLASSES },
    drawn: [
      ...drawn(10, '1', 1),
      ...drawn(10, '0', 0.1),
      ...drawn(10, '0', 0.1).map((one) => ({ ...one, reviewer: 'bob', label: '1' })),
    ],
  })
  expect(rate.tasks).toBe(20)
  expect(rate.observed.value).toBeCloseTo((10 + 100 / 2) / 110)
})

test('what cannot be known says why', () => {
  const of = (known: GoldGiven[], classes: typeof CLASSES | undefined = CLASSES) =>
    goldMeasures({ inUse: 1, given: known, drawn: drawn(20, '1'), classes }).positive_rate.corrected
      .reason
  expect(of(given(9, '1', '1'))).toBe('9 answers to tasks known to be 1, and 10 are needed')
  expect(of(given(10, '1', '1'))).toBe('0 answers to tasks known to be 0, and 10 are needed')
  expect(of([...given(10, '1', '0'), ...given(10, '0', '1')])).toBe(
    'reviewers tell the classes apart no better than chance',
  )
  expect(
    goldMeasures({ inUse: 0, given: [], drawn: [], classes: undefined }).positive_rate.observed
      .reason,
  ).toBe('the model has not two classes')
})

test('a number is right within its tolerance, a class when it is spelled so', () => {
  const known = { known: 10, tolerance: 0.5 }
  expect([10, '10', 10.5, 9.4, 'ten', '11'].map((label) => isRight(label, known))).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
  ])
  expect(isRight('1', { known: '01', tolerance: 0 })).toBe(false)
})

import { expect, test } from 'vitest'
import { uniforms } from '../../../../lib/stats/distributions/random.ts'
import { noOutcomes, type OutcomeCounts } from '../../data/window-data.ts'
import type { ReferenceData } from '../../data/reference.ts'
import { evaluatePerformance } from '../performance.ts'
import { coverageFault } from './label-coverage.ts'

const outcomesOf = (
  predictions: number,
  right: number,
  wrong: number,
  more: Partial<OutcomeCounts> = {},
): OutcomeCounts => ({
  ...noOutcomes(predictions),
  labelled: right + wrong,
  delayP50Seconds: 3600,
  confusion: {
    classes: ['0', '1'],
    allClasses: true,
    allCells: true,
    n: right + wrong,
    allRight: right,
    truly: [right / 2 + wrong, right / 2],
    predicted: [right / 2, right / 2 + wrong],
    right: [right / 2, right / 2],
    cells: [],
  } as never,
  ...more,
})
const referenceOf = (outcomes: OutcomeCounts) =>
  ({ name: 'first', baseline: true, spans: [], outcomes }) as unknown as ReferenceData
const rules = {
  positiveClass: '1',
  binary: false,
  minLabelled: 0.5,
  minCount: 100,
  maturity: 1,
  looks: 1,
  isReference: false,
}
const accuracyOf = (current: OutcomeCounts, reference: OutcomeCounts) =>
  evaluatePerformance(current, referenceOf(reference), rules).find((r) => r.metric === 'accuracy')!

test('mistakes that are told late leave an accuracy that is incomplete, with its bounds', () => {
  // 1 000 predictions, 804 of them right; labels of 780 have come, almost all of right ones.
  const result = accuracyOf(outcomesOf(1000, 756, 24), outcomesOf(8000, 6440, 1560))
  expect(result).toMatchObject({ verdict: 'incomplete', precision: 'bounded' })
  expect(result.value).toBeCloseTo(0.969, 3)
  expect(result.bound_low).toBeCloseTo(0.756, 3)
  expect(result.bound_high).toBeCloseTo(0.976, 3)
  expect(result.reason).toContain(
    `78.0 % of the predictions are labelled, 100.0 % of the baseline's`,
  )
})

test('a fall that nothing still to come could mend is evaluated', () => {
  expect(accuracyOf(outcomesOf(1000, 400, 400), outcomesOf(8000, 6440, 1560)).verdict).toBe('alarm')
})

test('as many labels as in the baseline, and labels drawn with a known probability, are evaluated', () => {
  const verdictOf = (current: OutcomeCounts, reference: OutcomeCounts) =>
    accuracyOf(current, reference).verdict
  expect(verdictOf(outcomesOf(1000, 504, 126), outcomesOf(8000, 4160, 1040))).toBe('ok')
  expect(verdictOf(outcomesOf(1000, 120, 30, { drawn: 150 }), outcomesOf(8000, 6440, 1560))).toBe(
    'ok',
  )
})

test('labels that come in a small part of the usual time, and not all, are a choice', () => {
  const usual = outcomesOf(8000, 5600, 1400, { delayP50Seconds: 86_400 })
  expect(coverageFault(outcomesOf(1000, 700, 160, { delayP50Seconds: 60 }), usual)?.reason).toBe(
    'half of the labels came within 60 s, 86400 s in the baseline, and 14.0 % of the predictions have none',
  )
  expect(coverageFault(outcomesOf(1000, 700, 290, { delayP50Seconds: 60 }), usual)).toBeUndefined()
})

test('the same coverage is hardly ever called a fall', () => {
  const random = uniforms(5)
  const draw = (n: number) => {
    let labelled = 0
    for (let i = 0; i < n; i++) if (random() < 0.7) labelled++
    return outcomesOf(n, labelled, 0)
  }
  const called = Array.from({ length: 500 }, () => coverageFault(draw(400), draw(3200)))
  expect(called.filter(Boolean)).toEqual([])
})

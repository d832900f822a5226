import { expect, test } from 'vitest'
import { confusionOf } from '../../../../lib/stats/estimators/confusion.ts'
import { measuresOf } from './performance-measures.ts'
import { noOutcomes } from '../../data/window-data.ts'

test('the twenty most frequent classes have measures of their own', () => {
  const cells = Array.from({ length: 30 }, (_, c) => ({
    label: `c${c}`,
    predicted: `c${c}`,
    n: c + 1,
  }))
  const outcomes = { ...noOutcomes(465), labelled: 465, confusion: confusionOf(cells) }
  const measures = measuresOf(outcomes, { positiveClass: '1', binary: false })
  const shown = new Set(measures.flatMap(({ subject }) => (subject ? [subject] : [])))
  expect([...shown]).toEqual(Array.from({ length: 20 }, (_, k) => `class=c${29 - k}`))
  expect(measures.find(({ metric }) => metric === 'accuracy')?.n).toBe(465)
})

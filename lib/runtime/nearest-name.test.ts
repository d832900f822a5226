/** Which name was probably meant. */
import { expect, test } from 'vitest'
import { didYouMean } from './nearest-name.ts'

const FIELDS = ['prediction_id', 'prediction', 'features', 'model_id', 'model_version', 'score']

test.each([
  ['featurs', 'features'],
  ['Features', 'features'],
  ['predicton_id', 'prediction_id'],
  ['scroe', 'score'],
  ['modelid', 'model_id'],
])('%s means %s', (name, meant) => {
  expect(didYouMean(name, FIELDS)).toBe(`; did you mean ${meant}?`)
})

test.each(['customer', 'ts', '', 'x'.repeat(10_000)])('%.20s means none of them', (name) => {
  expect(didYouMean(name, FIELDS)).toBe('')
})

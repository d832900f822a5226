/** Which name was probably meant. */
import { expect, test } from 'vitest'
import { closestName } from './closest-name.ts'

const FIELDS = ['prediction_id', 'prediction', 'features', 'model_id', 'model_version', 'score']

test.each([
  ['featurs', 'features'],
  ['Features', 'features'],
  ['feautres', 'features'],
  ['predicton_id', 'prediction_id'],
  ['scroe', 'score'],
  ['modelid', 'model_id'],
])('%s means %s', (name, meant) => {
  expect(closestName(name, FIELDS)).toBe(meant)
})

test.each(['customer', 'ts', '', 'x'.repeat(10_000)])('%.20s means none of them', (name) => {
  expect(closestName(name, FIELDS)).toBeUndefined()
})

/** What was delegated holds as long as whoever delegated it has a key that may do it. */
import { expect, test } from 'vitest'
import { grantOf, type Grant } from '../../../lib/http/grants.ts'
import { lapsedBy } from './delegators.ts'

const modelOf = (modelId: string) => ({ modelId, team: modelId === 'm' ? 'risk' : 'sales' })
const lapsed = (...words: string[]) =>
  lapsedBy({ grantsOf: () => words.map((word) => grantOf(word) as Grant), modelOf })
const by = (models: string[] | null, known_by = 'key') => ({ delegator: 'ann', known_by, models })

test('a right is that of the model, by its id or its team', () => {
  expect(lapsed('approver')(by(null), 'm')).toBeUndefined()
  expect(lapsed('operator@team:risk')(by(['m', 'n']), 'm')).toBeUndefined()
  expect(lapsed('operator@team:risk')(by(['m', 'n']), 'n')).toContain('runs of n any more')
  expect(lapsed('analyst')(by(null), 'm')).toContain('runs of m any more')
})

test('a delegation has lapsed as a whole once nothing of it is left', () => {
  expect(lapsed('approver@model:m')(by(['m', 'n']))).toBeUndefined()
  expect(lapsed('approver@model:o')(by(['m', 'n']))).toContain('of its models')
  expect(lapsed('approver@model:o')(by(null))).toBeUndefined()
  expect(lapsed('analyst')(by(null))).toContain('of its models')
  expect(lapsed()(by(null))).toBe('no key of ann is good any more')
  expect(lapsed()(by(null, ''))).toBe('no key of ann is good any more')
})

test('whose right nobody can ask after has not lapsed', () => {
  for (const known of ['token', 'claimed']) expect(lapsed()(by(null, known), 'm')).toBeUndefined()
  expect(lapsedBy({ grantsOf: undefined, modelOf })(by(null), 'm')).toBeUndefined()
})

/** An assigned task goes to named people and teams, and to nobody else. */
import { expect, test } from 'vitest'
import { grantOf, type Grant } from '../../../lib/http/grants.ts'
import { isAssigned } from './assignment.ts'

const assign = { people: ['Ann Lee', 'bob'], teams: ['risk'] }
const by = (...words: string[]) => ({ grants: words.map((word) => grantOf(word) as Grant) })

test('people are known by the spelling that tells persons apart', () => {
  const names = ['ann lee', 'claimed:ANN  Lee', 'Bob', 'ann', 'bobby', 'claimed:']
  expect(names.map((name) => isAssigned(assign, name, by('reviewer')))).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
  ])
})

test('a team counts by a grant to review for it, and by no other', () => {
  const callers = [
    by('reviewer@team:risk'),
    by('analyst@team:risk'),
    by('reviewer@model:risk'),
    by('reviewer@team:sales', 'admin@team:risk'),
    by('reviewer', 'admin'),
    undefined,
  ]
  expect(callers.map((caller) => isAssigned(assign, 'zoe', caller))).toEqual([
    true,
    false,
    false,
    true,
    false,
    false,
  ])
})

test('what is assigned to nobody in particular is for everybody', () => {
  expect(isAssigned(undefined, 'zoe', undefined)).toBe(true)
})

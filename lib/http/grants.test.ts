import { expect, test } from 'vitest'
import { covers, coversAll, grantOf, scopesOf, type Grant } from './grants.ts'

const grants = (...words: string[]): Grant[] =>
  words.map((word) => {
    const grant = grantOf(word)
    if (typeof grant === 'string') throw new Error(grant)
    return grant
  })

test('a role is for all models, for one, or for those of a team or an environment', () => {
  const risk = { modelId: 'fraud', team: 'risk', environment: 'live' }
  const some = grants('analyst@team:risk', 'operator@model:churn', 'reviewer@environment:live')
  expect([...scopesOf(some)].toSorted()).toEqual(['operate', 'read', 'review'])
  expect(covers(some, 'read', risk)).toBe(true)
  expect(covers(some, 'review', risk)).toBe(true)
  expect(covers(some, 'operate', risk)).toBe(false)
  expect(covers(some, 'operate', { modelId: 'churn' })).toBe(true)
  expect(covers(some, 'read', { modelId: 'churn' })).toBe(true)
  expect(covers(some, 'read', { modelId: 'risk' })).toBe(false)
  expect(coversAll(some, 'read')).toBe(false)
  expect(coversAll(grants('analyst'), 'read')).toBe(true)
  expect(coversAll(grants('analyst'), 'operate')).toBe(false)
  expect(covers([], 'read', risk)).toBe(false)
})

test('a model whose team is not said is in no team, not even one that is named so', () => {
  expect(covers(grants('analyst@team:undefined'), 'read', { modelId: 'm' })).toBe(false)
})

test('names of models and teams keep their colons and at signs', () => {
  expect(grantOf('analyst@team:a:b@c')).toMatchObject({ only: { kind: 'team', name: 'a:b@c' } })
})

test('what is no grant says why, and what was meant', () => {
  expect(grantOf('analist')).toContain('did you mean analyst?')
  expect(grantOf('toString')).toContain('is no role')
  expect(grantOf('analyst@')).toContain('ROLE@model:NAME, ROLE@team:NAME')
  expect(grantOf('analyst@team:')).toContain('must be ROLE')
  expect(grantOf('analyst@tean:risk')).toContain('did you mean team?')
  expect(grantOf('analyst@fraud')).toContain('must be ROLE')
})

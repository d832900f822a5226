import { expect, test } from 'vitest'
import { actorOf, namedPerson } from './callers.ts'
import { keyIdProblem, spellingProblems } from './key-ids.ts'

const ann = { id: 'ann', scopes: new Set(['operate'] as const), grants: [], isKnown: true }
const anybody = { ...ann, id: 'anonymous', isKnown: false }

test('the key says who acts, and a body cannot say otherwise', () => {
  expect(actorOf(ann, undefined)).toBe('ann')
  expect(actorOf(ann, 'ann')).toBe('ann')
  expect(() => actorOf(ann, 'bob')).toThrow('actor names bob, and the key is that of ann')
})

test('without keys a name is needed, and is marked as claimed', () => {
  expect(actorOf(anybody, ' bob ')).toBe('claimed:bob')
  expect(actorOf(anybody, 'Bob  LEE')).toBe('claimed:bob lee')
  expect(() => actorOf(anybody, '\u200B')).toThrow('actor is required')
  expect(() => actorOf(anybody, undefined, 'reviewer')).toThrow('reviewer is required')
  expect(() => actorOf(undefined, '  ')).toThrow('actor is required')
})

test('a name that no store can keep is refused', () => {
  for (const name of ['\0', 'a\0b', '\ud800']) expect(() => actorOf(anybody, name)).toThrow(/actor/)
})

test('no key can pass for a claimed name or for a part of Plumbline', () => {
  expect(keyIdProblem('claimed:ann')).toContain('unchecked')
  expect(keyIdProblem('launcher')).toContain('part of Plumbline')
  expect(keyIdProblem('Policy ')).toContain('part of Plumbline')
  expect(keyIdProblem(' ')).toContain('blank')
  expect(keyIdProblem('ann')).toBeUndefined()
})

test('keys of one person bear one id', () => {
  expect(spellingProblems(['ann', 'ann', 'bob'])).toEqual([])
  expect(spellingProblems(['Ann', 'ann', 'bob'])).toEqual([
    'ids Ann and ann are one name under two spellings: write it one way',
  ])
})

test('another person is named by their key, and is claimed where no keys are set', () => {
  const known = { id: 'ann', scopes: new Set(), grants: [], isKnown: true } as never
  expect(namedPerson(known, ' Bob ', 'to')).toBe('Bob')
  expect(namedPerson(undefined, ' BOB ', 'to')).toBe('claimed:bob')
  for (const name of ['claimed:bob', '  ', '\u200B'])
    expect(() => namedPerson(known, name, 'to')).toThrow(/^to /)
})

import { expect, test } from 'vitest'
import { canonicalName, isSamePerson } from './person-names.ts'

test.each(['Ann', 'ANN', ' ann ', 'a\u200Bnn', 'ａｎｎ', 'claimed:ann', 'claimed:Ann'])(
  '%j is ann under another spelling',
  (name) => {
    expect(isSamePerson(name, 'ann')).toBe(true)
  },
)

test('composed and decomposed letters, and spaces in rows, are one spelling', () => {
  expect(canonicalName('Zo\u00EB  Lee')).toBe(canonicalName('zoe\u0308 lee'))
  expect(canonicalName(canonicalName('\u0130\u1E9E'))).toBe(canonicalName('\u0130\u1E9E'))
})

test('other names are other persons', () => {
  expect(isSamePerson('ann', 'anne')).toBe(false)
  expect(isSamePerson('ann lee', 'annlee')).toBe(false)
})

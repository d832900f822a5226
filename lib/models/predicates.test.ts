import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testsOf } from './language/logic.ts'
import { parsePredicate } from './predicates.ts'

test('not binds tightest, then and', () => {
  const a = { kind: 'compare', name: 'a', comparison: '>', literal: 1000 }
  const b = { kind: 'compare', name: 'größe/cm', comparison: '=', literal: "it's" }
  const c = { kind: 'in', name: '@score', literals: [0.5, -1e3] }
  const d = { kind: 'missing', name: 'd.e' }
  expect(
    parsePredicate(
      `a > 1000 and not "größe/cm" = 'it''s' or @score in (0.5, -1e3) and d.e is missing`,
    ),
  ).toEqual({
    kind: 'or',
    left: { kind: 'and', left: a, right: { kind: 'not', inner: b } },
    right: { kind: 'and', left: c, right: d },
  })
})

test.each([
  ['', 'expected the name of an attribute or a feature at position 1'],
  ['amount >', "expected a number, 'a text', true or false at position 9"],
  ['amount > 1; drop table predictions', 'expected "and", "or" or the end at position 11'],
  ['amount = "x"', "expected a number, 'a text', true or false"],
  ['flag < true', 'true and false have no order'],
  ["a in (1, 'x')", 'the values of a list are all numbers or all texts'],
  ['@scor > 1', 'did you mean @score?'],
  ['a is present', 'expected "missing"'],
  ['and = 1', 'expected the name of an attribute or a feature'],
  [`${'('.repeat(30)}a = 1${')'.repeat(30)}`, 'at most 20 brackets'],
  [Array.from({ length: 60 }, () => 'a = 1').join(' or '), 'at most 50 comparisons'],
  ['a'.repeat(1001), 'at most 1000 characters'],
])('%s is refused in words', (text, problem) => {
  expect(() => parsePredicate(text)).toThrow(problem)
})

test('any text parses or is refused as a SyntaxError', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200, unit: 'grapheme' }), (text) => {
      try {
        expect(testsOf(parsePredicate(text)).length).toBeGreaterThan(0)
      } catch (error) {
        expect(error).toBeInstanceOf(SyntaxError)
      }
    }),
  )
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createValidator } from '../../events/validator.ts'
import { PredictionV1 } from '../../../schemas/events/prediction.v1.ts'
import { parseModel } from '../model-files.ts'
import { eventCheck } from './evaluate.ts'
import { parseExpression } from './expression.ts'
import { parsePattern } from './pattern.ts'
import { namesAsked } from './rules.ts'

const validator = createValidator(PredictionV1)
const eventOf = (features: object, more: object = {}) => {
  const result = validator.text(
    JSON.stringify({
      prediction_id: '1',
      model_id: 'm',
      model_version: '1',
      predicted_at: '2026-01-01T00:00:00Z',
      features,
      ...more,
    }),
  )
  if (!result.ok) throw new Error(result.rejection.message)
  return result.event
}
const of = (text: string, features: object, more: object = {}) =>
  eventCheck(parseExpression(text))(eventOf(features, more))

describe('an expression', () => {
  test.each([
    ['paid <= 1.2 * amount', { paid: 12, amount: 10 }, true],
    ['paid <= 1.2 * amount', { paid: 12.1, amount: 10 }, false],
    ['paid <= 1.2 * amount', { paid: 12 }, null],
    ['paid <= amount', { paid: 'x', amount: 10 }, false],
    ["country = 'DE' or vat_id is not missing", { country: 'FR' }, false],
    ["country = 'DE' or vat_id = 'x'", { country: 'DE' }, true],
    ["country = 'FR' or vat_id = 'x'", { country: 'DE' }, null],
    ["kind not in ('a', 'b', 3)", { kind: 'c' }, true],
    ['n in (-1, 2)', { n: -1 }, true],
    ['not (a = 1 and b = 2)', { a: 1, b: 3 }, true],
    ['a + b * 2 - -1 = 6', { a: 1, b: 2 }, true],
    ['(a + b) * 2 = 6', { a: 1, b: 2 }, true],
    ['abs(a - b) < 0.01', { a: 1, b: 1.001 }, true],
    ['length("full name") <= 3', { 'full name': 'größ' }, false],
    ['begin <= finish', { begin: '2026-01-01', finish: '2026-01-02' }, true],
    ["name = 'it''s'", { name: "it's" }, true],
    ['flag = true', { flag: 1 }, false],
    ['days is integer', { days: 1.5 }, false],
  ] as const)('%s of %j', (text, features, expected) => {
    expect(of(text, features)).toBe(expected)
  })

  test('the model’s own numbers', () => {
    expect(of('@score >= 0 and @score <= 1', {}, { score: 1.5 })).toBe(false)
    expect(of('@score >= 0', {})).toBe(null)
  })

  test.each([
    ['paid', 'expected a comparison'],
    ['1 = 1', 'no feature is named'],
    ["paid < 'x' + 1", 'only numbers are added'],
    ["1 = 'a' and b = 1", 'a number is compared with a text'],
    ['a < true', '< compares no booleans'],
    ['(a = 1) + 2 = 3', 'a condition stands where a value is expected'],
    ['a = 1 b', 'expected "and", "or" or the end at position 7'],
    ['@scoer > 1', 'did you mean @score'],
    ['sleep(1) = 1', 'expected'],
    ['a is weird', 'expected missing, number, integer, text or boolean'],
    [`${'('.repeat(30)}a = 1`, 'at most 20 brackets'],
    ["a matches '(?=x)'", 'look-around'],
    [`a = ${'1'.repeat(2000)}`, 'at most 2000 characters'],
  ])('%s is refused', (text, sentence) => {
    expect(() => parseExpression(text)).toThrow(sentence)
  })

  test('any text is read or refused with a sentence', () => {
    const word = fc.constantFrom(
      ...['a', '"b"', "'c'", '1', '(', ')', 'and', 'or', 'not', 'in', 'is', 'missing', 'matches'],
      ...['<', '=', '+', '-', '*', '/', ',', 'abs', 'length', 'true', '@score', ' '],
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 20 }), (words) => {
        try {
          parseExpression(words.join(' '))
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError)
        }
      }),
    )
  })
})

describe('a pattern', () => {
  test('finds what JavaScript finds', () => {
    const part = fc.constantFrom(
      ...['a', 'b', '.', '[ab]', '[^a]', '\\d', '\\w', '(', ')', '|', '*', '+', '?', '{1,2}'],
      ...['^', '$', '(?:', '\\.', '-', '{2}', '1', ']', '{0}'],
    )
    const texts = fc.array(fc.stringMatching(/^[ab1.\n-]{0,8}$/), { minLength: 5, maxLength: 5 })
    let read = 0
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), texts, (parts, given) => {
        const source = parts.join('')
        let own
        try {
          own = parsePattern(source)
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError)
          return
        }
        read++
        const regex = new RegExp(source, 'us')
        for (const text of given)
          expect([source, text, own.isIn(text)]).toEqual([source, text, regex.test(text)])
      }),
      { numRuns: 5000, seed: 3 },
    )
    expect(read).toBeGreaterThan(500)
  })

  test('costs no more than text times pattern', () => {
    const { isIn } = parsePattern('^(a|a|aa)*(a*)*(a+)+$')
    expect(isIn(`${'a'.repeat(20_000)}b`)).toBe(false)
  })

  test.each([
    ['(', 'a bracket that is not closed'],
    ['a)', 'a bracket that was not opened'],
    ['(a)\\1', '\\1, which is not read'],
    ['(?i)a', 'a flag'],
    ['[[:alpha:]]', 'a named class'],
    ['(a{100}){100}', 'more than 500 steps'],
    ['a**', 'a repetition of a repetition'],
    ['[b-a]', 'ends before it begins'],
    ['\\bword', '\\b, which is not read'],
    [`${'('.repeat(50)}a${')'.repeat(50)}`, 'brackets in brackets'],
    ['a{5000}', 'a repetition beyond'],
  ])('%s is refused', (source, sentence) => {
    expect(() => parsePattern(source)).toThrow(sentence)
  })

  test('of nothing any number is nothing', () => {
    expect(parsePattern('((((){1000}){1000}){1000}){1000}').isIn('a')).toBe(true)
  })
})

const modelOf = (expectations: object[], features = {}) =>
  parseModel(JSON.stringify({ model_id: 'm', task: 'binary', expectations, features })).expectations

describe('a model file', () => {
  test('declares rules with defaults', () => {
    const rules = modelOf([
      { feature: 'amount', type: 'number', required: true, min: 0, max: 100 },
      { feature: 'country', one_of: ['DE', 'FR'], on_violation: 'reject' },
      { expression: 'paid <= amount', tolerance: 0.01, severity: 'warning' },
      { freshness: '10m' },
      { feature: 'odometer', monotone: 'increasing', per: '@subject_id' },
    ])
    expect(rules.map(({ name, says }) => [name, says])).toEqual([
      ['amount', 'amount is present, is a number, is from 0 to 100'],
      ['country', 'country is one of DE, FR'],
      ['paid <= amount', 'paid <= amount'],
      ['freshness', 'events arrive within 10m of predicted_at'],
      ['odometer increasing', 'odometer is increasing per @subject_id'],
    ])
    expect(rules.map(({ tolerance, severity, rejects }) => [tolerance, severity, rejects])).toEqual(
      [
        [0, 'alarm', false],
        [0, 'alarm', true],
        [0.01, 'warning', false],
        [0, 'alarm', false],
        [0, 'alarm', false],
      ],
    )
    expect(namesAsked(rules[2]!.asks)).toEqual(['paid', 'amount'])
  })

  test.each([
    [[{ feature: 'a' }], 'expectations.a: a rule of a feature needs one of type'],
    [[{ min: 1 }], 'expectations.0: a rule needs one of feature, freshness and expression'],
    [[{ feature: 'a', min: 2, max: 1 }], 'expectations.a: no value lies from 2 to 1'],
    [
      [
        { feature: 'a', min: 2 },
        { feature: 'a', max: 3 },
      ],
      'two rules are named a',
    ],
    [[{ freshness: '1m', on_violation: 'reject' }], 'which freshness does not'],
    [[{ expression: 'a = 1', min: 1 }], 'min cannot stand beside expression'],
    [[{ feature: 'a', monotone: 'increasing', per: '@subjekt_id' }], 'did you mean @subject_id'],
    [[{ expression: '@score > 0' }], 'its name may not begin with @'],
    [[{ feature: 'a', min: 1, on_violation: 'reject', tolerance: 0.1 }], 'tolerance says nothing'],
    [[{ feature: 'a', pattern: '(' }], 'expectations.a: a bracket that is not closed'],
    [[{ feature: 'a', mn: 1 }], 'expectations.0.mn is no setting; did you mean min?'],
    [[{ feature: 'a', min: 1, per: 'b' }], 'per says nothing without monotone'],
  ])('%j is refused', (expectations, sentence) => {
    expect(() => modelOf(expectations)).toThrow(sentence)
  })

  test('names features that are declared, where any are', () => {
    const declared = { amount: 'numeric', paid: 'numeric' }
    expect(() => modelOf([{ expression: 'payd <= amount' }], declared)).toThrow(
      'no feature payd is declared; did you mean paid?',
    )
  })
})

/**
 * What is cut to fit stays whole: characters, ids apart from one another, the event within its
 * bytes.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PredictionV1 } from '../../schemas/events/prediction.v1.ts'
import { fittedId, fittedText, fitting } from './fit-to-limits.ts'
import { createValidator } from './validator.ts'

const inJson = (text: string) => Buffer.byteLength(JSON.stringify(text)) - 2

test('a text is cut within its characters and bytes, as late as can be, never within a character', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('x', '"', '\n', '\u0001', 'é', '漢', '😀', '\ud83d') }),
      fc.nat({ max: 30 }),
      fc.nat({ max: 60 }),
      (text, most, bytes) => {
        const whole = text.toWellFormed()
        const cut = fittedText(text, most, bytes)
        expect(whole.startsWith(cut) && cut.isWellFormed()).toBe(true)
        expect([cut.length <= most, inJson(cut) <= bytes]).toEqual([true, true])
        const next = whole.slice(cut.length)
        if (next === '') return
        const longer = cut + String.fromCodePoint(next.codePointAt(0)!)
        expect(longer.length > most || inJson(longer) > bytes).toBe(true)
      },
    ),
    { numRuns: 2000, seed: 5, examples: [['a\ud83d\ude00', 2, 60]] },
  )
})

test('an id that is one stays; others are made one, each its own', () => {
  expect(fittedId('chatcmpl-1')).toBe('chatcmpl-1')
  expect(fittedId('é'.repeat(200))).toBe('é'.repeat(200))
  expect(fittedId('')).toBeUndefined()
  const odd = ['a\nb', 'a b', 'a\tb', 'a\ud800', 'a\ud801', 'x'.repeat(201), `${'x'.repeat(200)}y`]
  const ids = odd.map(fittedId)
  expect(new Set(ids).size).toBe(odd.length)
  for (const id of ids) {
    expect(id!.length).toBeLessThanOrEqual(200)
    expect(id!.split('').every((c) => c >= ' ') && id!.isWellFormed()).toBe(true)
  }
  expect(ids[0]).toMatch(/^a b~[0-9a-f]{16}$/)
})

test('maps keep their first strings, within their number, length and bytes', () => {
  const fit = fitting(PredictionV1)
  const event = {
    prediction_id: 'p',
    model_id: 'm',
    model_version: '1',
    predicted_at: '2026-01-01T00:00:00Z',
  }
  const many = Object.fromEntries(
    Array.from({ length: 500 }, (_, i) => [`k${i}`, '\u0001'.repeat(50)]),
  )
  const short = fit({ ...event, attributes: many })['attributes'] as object
  expect(Object.keys(short)).toEqual(Array.from({ length: 100 }, (_, i) => `k${i}`))
  const wide = Object.fromEntries(
    Array.from({ length: 50 }, (_, i) => [`k${i}`, '\u0001'.repeat(2000)]),
  )
  const kept = fit({ ...event, attributes: wide, input_text: '漢'.repeat(70_000) })
  expect(Object.keys(kept['attributes'] as object)).toHaveLength(10)
  expect(createValidator(PredictionV1).text(JSON.stringify(kept)).ok).toBe(true)
})

test('what breaks the rule of its field is left out; required fields are the validator’s to name', () => {
  const fitted = fitting(PredictionV1)({
    prediction_id: 'p',
    model_id: '',
    model_version: 3,
    predicted_at: 'yesterday',
    score: NaN,
    status: 'fine',
    input_tokens: 1.5,
    shadow: 'no',
    embedding: ['x'],
    scores: { a: 'b' },
    features: { age: 3 },
    other: 1,
  })
  expect(fitted).toEqual({
    prediction_id: 'p',
    model_version: '3',
    predicted_at: 'yesterday',
    features: { age: 3 },
  })
})

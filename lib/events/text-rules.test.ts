import { expect, test } from 'vitest'
import { requirePrintable, textProblem } from './text-rules.ts'

test('a text with a control character or half a character is refused by name; others are kept', () => {
  expect(textProblem('comment', 'a\u0000b')).toBe('comment holds the control character U+0000')
  expect(textProblem('comment', 'a\u007f')).toContain('U+007F')
  expect(textProblem('comment', '\ud800x')).toContain('lone surrogate')
  expect(textProblem('comment', 'größe/cm 年齢 😀\n\tx')).toBeUndefined()
})

test('a bad text is found at any depth, and its field is named', () => {
  const body = { alerts: [{ labels: { a: 'ok' } }, { labels: { a: 'x\u0001' } }] }
  expect(() => requirePrintable('body', body)).toThrow('body.alerts[1].labels.a holds')
  expect(() => requirePrintable('body', { 'a\u0000': 1 })).toThrow('a name in body holds')
  let deep: unknown = 'x\u0000'
  for (let i = 0; i < 5000; i++) deep = [deep]
  expect(() => requirePrintable('b', deep)).toThrow('U+0000')
})

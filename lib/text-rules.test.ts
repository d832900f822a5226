import { expect, test } from 'vitest'
import {
  isPrintableLine,
  isPrintableText,
  LINE_RULE,
  refuseUnprintable,
  TEXT_RULE,
} from './text-rules.ts'

test('what people write passes: any script, emoji, several lines', () => {
  for (const text of ['', 'fine', 'größer 数字 ✓', '👩‍🚀 pair', 'a\tb\r\nc'])
    expect(isPrintableText(text)).toBe(true)
  expect(isPrintableLine('größer 👩‍🚀')).toBe(true)
})

test('control characters and half pairs do not', () => {
  for (const text of ['a\u0000b', '\u001b[31m', '\u007f', '\u0085', '\ud800', 'a\udc00']) {
    expect(isPrintableText(text)).toBe(false)
    expect(isPrintableLine(text)).toBe(false)
  }
  expect(isPrintableLine('a\nb')).toBe(false)
})

test('a refusal names the field and the rule', () => {
  expect(() => refuseUnprintable({ lines: { reviewer: 'a\u0000' } })).toThrow(
    `reviewer ${LINE_RULE}`,
  )
  expect(() => refuseUnprintable({ texts: { comment: '\u0000' } })).toThrow(`comment ${TEXT_RULE}`)
  refuseUnprintable({ lines: { label: 1, reviewer: 'ann' }, texts: { comment: 'a\nb' } })
})

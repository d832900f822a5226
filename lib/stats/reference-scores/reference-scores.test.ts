/** Scores of texts that nobody meant to be scored. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bleuCounts, bleuOf } from './bleu.ts'
import { chrfCounts, chrfOf } from './chrf.ts'
import { longestInCommon, rougeL } from './rouge-l.ts'
import { squadTokens } from './text-tokens.ts'
import { exactMatch, tokenF1 } from './token-f1.ts'

const SCORES = {
  exactMatch,
  tokenF1,
  rougeL,
  bleu: (answer: string, reference: string) => bleuOf(bleuCounts(answer, reference), true),
  chrf: (answer: string, reference: string) => chrfOf(chrfCounts(answer, reference)),
}

test('every score of any two texts is between 0 and 1', () => {
  const text = fc.string({ unit: 'binary', maxLength: 120 })
  fc.assert(
    fc.property(text, text, (answer, reference) => {
      for (const score of Object.values(SCORES)) {
        expect(score(answer, reference)).toBeGreaterThanOrEqual(0)
        expect(score(answer, reference)).toBeLessThanOrEqual(1 + 1e-12)
      }
    }),
  )
})

test.each([
  ['combining marks', 'cafe\u0301 nai\u0308ve', 'café naïve'],
  ['right to left', 'مرحبا بالعالم كيف حالك اليوم', 'مرحبا بالعالم كيف حالك اليوم'],
  ['Thai', 'สวัสดีชาวโลก', 'สวัสดีชาวโลก'],
])('%s: a text is like itself', (_, answer, reference) => {
  for (const score of Object.values(SCORES)) expect(score(answer, reference)).toBeCloseTo(1, 12)
})

test('texts without spaces between words can be alike in part', () => {
  expect(tokenF1('東京です', '東京')).toBeCloseTo(2 / 3, 12)
  expect(rougeL('東京です', '東京')).toBeCloseTo(2 / 3, 12)
})

test('punctuation of any script and articles by themselves are no words', () => {
  expect(squadTokens('«An» answer… “the” theatre — a‑b')).toEqual(['answer', 'theatre', 'ab'])
  expect(exactMatch('!!!', '')).toBe(1)
})

test.each([
  ['one word without end', 'x'.repeat(1e6), 'x'.repeat(1e6), [1, 1, 1, 1, 1]],
  ['punctuation', '.'.repeat(1e6), '!,'.repeat(5e5), [1, 1, 0, 0, 0]],
])('a megabyte of %s has its scores', (_, answer, reference, scores) => {
  const found = Object.values(SCORES).map((score) => score(answer, reference))
  found.forEach((score, i) => expect(score).toBeCloseTo(scores[i]!, 9))
})

test('the longest sequence in common is that of the table', () => {
  const tokens = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 90 })
  fc.assert(
    fc.property(tokens, tokens, (a, b) => {
      expect(longestInCommon(a, b)).toBe(byTable(a, b))
    }),
  )
})

function byTable(a: readonly string[], b: readonly string[]): number {
  let above = Array.from({ length: b.length + 1 }, () => 0)
  for (const token of a) {
    const row = [0]
    b.forEach((other, j) =>
      row.push(token === other ? above[j]! + 1 : Math.max(row[j]!, above[j + 1]!)),
    )
    above = row
  }
  return above[b.length]!
}

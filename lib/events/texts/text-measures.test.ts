/** What is measured of texts, of any script and any length. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isRefusal } from './refusals.ts'
import * as measures from './text-measures.ts'

test.each([
  ['', []],
  ['Hello, world!', ['hello', 'world']],
  ["Don't re-use it — it's 3.5 kg", ["don't", 're-use', 'it', "it's", '3', '5', 'kg']],
  ['Straße und Ærø', ['straße', 'und', 'ærø']],
  ['今日は world', ['今', '日', 'は', 'world']],
  ['안녕하세요 세계', ['안녕하세요', '세계']],
  ['हिन्दी भाषा', ['हिन्दी', 'भाषा']],
  ['👍👍', []],
])('words of %s', (text, words) => {
  expect(measures.wordsOf(text)).toEqual(words)
})

test.each([
  ['', 0],
  ['One.', 1],
  ['One. Two! Three?', 3],
  ['No end', 1],
  ['Version 3.5 is out. Really...', 2],
  ['He said "stop." Then left', 2],
  ['你好。再见！', 2],
  ['...', 0],
])('sentences of %s', (text, count) => {
  expect(measures.sentencesOf(text)).toBe(count)
})

test('characters are code points, and shares are of them', () => {
  expect(measures.charactersOf('a👍b')).toBe(3)
  expect(measures.nonLetterShare('ab 1')).toBe(0.25)
  expect(measures.nonLetterShare('👍')).toBe(1)
  expect(measures.nonLetterShare('')).toBeNull()
})

test.each([
  ['12 + 3', null],
  ['Hello', 'latin'],
  ['Привет OK', 'cyrillic'],
  ['漢字かな交じり文です', 'kana'],
  ['ሰላም', 'other'],
])('the script of %s is %s', (text, script) => {
  expect(measures.scriptOf(text)).toBe(script)
})

test.each([
  [' {"a": 1} ', true],
  ['[1, 2]', true],
  ['```json\n{}\n```', false],
  ['{"a": 1', false],
  ['1', false],
  ['['.repeat(60_000), false],
])('JSON is an object or an array: %#', (text, is) => {
  expect(measures.isJson(text)).toBe(is)
})

test('an answer that goes round in circles repeats itself', () => {
  expect(measures.repetitionOf('one two three four five')).toBe(0)
  expect(measures.repetitionOf('a b')).toBeNull()
  // 28 runs of three words, three of them distinct.
  expect(measures.repetitionOf('no no yes '.repeat(10))).toBeCloseTo(1 - 3 / 28, 12)
})

test('the overlap is of the distinct words of the output', () => {
  expect(measures.overlapOf('The sky is blue.', 'Blue is the SKY, blue!')).toBe(1)
  expect(measures.overlapOf('The sky', 'Grass is green')).toBe(0)
  expect(measures.overlapOf('The sky', '...')).toBeNull()
})

test.each([
  ["I'm sorry, but I can't help with that.", true],
  ['I’m unable to share private information.', true],
  ['As an AI language model, I have no opinions.', true],
  ['I must decline this request.', true],
  ['I am sorry to hear that you are ill! Here is what helps:', false],
  ["I can't help but admire it. Here it is:", false],
  ['Sure: the capital is Paris.', false],
  [`${'Here is the transcript. '.repeat(20)}"I cannot help you", she said.`, false],
])('%s', (text, refuses) => {
  expect(isRefusal(text)).toBe(refuses)
})

test.each([
  ['write to ada@example.org', true],
  ['call +49 30 901820', true],
  ['escaped \\u00e9 is nobody', false],
  ['nothing here', false],
])('personal data in: %s', (text, holds) => {
  expect(measures.holdsPersonalData(text)).toBe(holds)
})

test('every measure of any text is a value of its kind', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      for (const measure of Object.values(measures.MEASURES)) {
        const value = measure(text)
        if (typeof value === 'number') {
          expect(value).toBeGreaterThanOrEqual(0)
          expect(Number.isFinite(value)).toBe(true)
        } else expect(['boolean', 'string', 'object']).toContain(typeof value)
      }
      const share = measures.nonLetterShare(text)
      if (share !== null) expect(share).toBeLessThanOrEqual(1)
    }),
  )
})

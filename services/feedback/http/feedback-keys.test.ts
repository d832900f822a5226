import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readFeedbackKeys } from './feedback-keys.ts'

const path = join(mkdtempSync(join(tmpdir(), 'feedback-keys-')), 'key')
const [NEW, OLD] = ['n'.repeat(32), 'o'.repeat(40)]

test('a file holds the key that signs, and the one before it', () => {
  expect(readFeedbackKeys(undefined)).toEqual([])
  writeFileSync(path, `${NEW}\r\n\n  ${OLD}\n`)
  expect(readFeedbackKeys(path).map(String)).toEqual([NEW, OLD])
})

test.each([
  ['', 'holds 0 keys: it needs one or two, a line each'],
  [`${NEW}\n${OLD}\n${NEW}`, 'holds 3 keys: it needs one or two, a line each'],
  [`${NEW}\nsecret-but-short`, 'holds a key of 16 bytes: a key has 32 or more'],
])('a file of %j is refused', (text, why) => {
  writeFileSync(path, text)
  expect(() => readFeedbackKeys(path)).toThrow(why)
})

test('a file that is not there is told by its setting', () => {
  expect(() => readFeedbackKeys(`${path}-none`)).toThrow(
    'PLUMBLINE_FEEDBACK_KEY_FILE cannot be read: ENOENT',
  )
})

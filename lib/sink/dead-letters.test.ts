import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { deadLetterMessage, MAX_LETTER_BYTES, MAX_LETTER_HEADERS } from './dead-letters.ts'

test('a dead letter of anything is smaller than a batch, and says what was cut', () => {
  const value = Buffer.alloc(3 << 20, 'v')
  const headers = Object.fromEntries(
    Array.from({ length: 500 }, (_, i) => [`h${i}`, 'x'.repeat(5000)]),
  )
  const message = { offset: 7, timestampMs: 0, key: Buffer.alloc(1 << 20, 'k'), value, headers }
  const letter = deadLetterMessage({ topic: 't', partition: '0' }, 'ingest', {
    message,
    code: 'too_large',
    text: `x${'😀'.repeat(5000)}`,
  })
  const told = Object.entries(letter.headers!)
  const bytes = told.reduce((sum, [k, v]) => sum + Buffer.byteLength(k) + Buffer.byteLength(v), 0)
  expect(letter.key.length + letter.value.length + bytes).toBeLessThan(900_000)
  expect(letter.value).toHaveLength(MAX_LETTER_BYTES)
  expect(told.filter(([name]) => /^h\d/.test(name)).length).toBeLessThanOrEqual(MAX_LETTER_HEADERS)
  expect(letter.headers).toMatchObject({
    'plumbline.value.bytes': String(value.length),
    'plumbline.value.sha256': createHash('sha256').update(value).digest('hex'),
  })
  const why = letter.headers!['__connect.errors.exception.message']!
  expect([why.isWellFormed(), why.endsWith('😀…')]).toEqual([true, true])
})

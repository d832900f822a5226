import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeLines } from './spool.ts'

test('one line per message, whatever its bytes; the key can be cut off by its length', () => {
  const message = fc.record({
    offset: fc.nat().map(String),
    timestampMs: fc.nat(),
    key: fc.uint8Array({ maxLength: 20 }),
    value: fc.uint8Array({ maxLength: 50 }),
  })
  fc.assert(
    fc.property(fc.array(message, { maxLength: 10 }), (drafts) => {
      const messages = drafts.map((m) => ({
        ...m,
        key: Buffer.from(m.key),
        value: Buffer.from(m.value),
      }))
      const spaced = (bytes: Buffer) => Buffer.from(bytes.map((byte) => (byte === 10 ? 32 : byte)))
      let rest = encodeLines(messages)
      for (const { offset, timestampMs, key, value } of messages) {
        const end = rest.indexOf(10)
        const line = rest.subarray(0, end)
        expect(Number(line.toString('latin1', 0, 19))).toBe(Number(offset))
        expect(Number(line.toString('latin1', 20, 33))).toBe(timestampMs)
        const keyLength = Number(line.toString('latin1', 34, 39))
        expect(line.subarray(40, 40 + keyLength).equals(spaced(key))).toBe(true)
        expect(line.subarray(40 + keyLength).equals(spaced(value))).toBe(true)
        rest = rest.subarray(end + 1)
      }
      expect(rest).toHaveLength(0)
    }),
  )
})

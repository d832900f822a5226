/** Bodies hold what was added, and their requests every event once, in order. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addEvent, emptyBody, requestsOf } from './request-bodies.ts'

const texts = fc.array(fc.string({ unit: 'binary', maxLength: 40 }), { maxLength: 60 })

test('requests are the events in order, each within its limits where it can be', () => {
  fc.assert(
    fc.property(texts, fc.nat(30), fc.nat(200), (events, most, bytes) => {
      const limits = { maxEvents: most + 1, maxBytes: bytes }
      const body = emptyBody()
      let added = 0
      events.forEach((text, row) => (added += addEvent(body, text, { row, separator: '\n' })))
      expect(added).toBe(body.length)
      const requests = requestsOf(body, limits)
      const sent = Buffer.concat(requests.map((request) => request.body)).toString()
      expect(sent).toBe(events.map((text) => `${text.toWellFormed()}\n`).join(''))
      let next = 0
      for (const { body: own, from, to } of requests) {
        expect(from).toBe(next)
        expect(to - from).toBeLessThanOrEqual(limits.maxEvents)
        expect(to).toBeGreaterThan(from)
        if (own.length > limits.maxBytes) expect(to - from).toBe(1)
        next = to
      }
      expect(next).toBe(events.length)
      expect(body.rows).toEqual(events.map((_, row) => row))
    }),
  )
})

test('a body grows as it must', () => {
  const body = emptyBody()
  for (let row = 0; row < 100; row++) addEvent(body, '漢'.repeat(5000), { row, separator: ',' })
  expect(body.length).toBe(100 * 15_001)
  expect(body.bytes.toString('utf8', 0, body.length)).toBe(`${'漢'.repeat(5000)},`.repeat(100))
})

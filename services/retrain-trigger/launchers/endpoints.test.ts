import { expect, test } from 'vitest'
import { launchEndpoints } from './endpoints.ts'
import { retryAfterMs } from '../../../lib/http/outgoing/retry-after.ts'
import { isSigned, signatureHeaders } from '../../../lib/http/outgoing/signatures.ts'

test('two launches go to one endpoint at once, 256 in all', () => {
  const endpoints = launchEndpoints()
  expect([1, 2, 3].map(() => endpoints.take('a', 0))).toEqual([true, true, false])
  const others = Array.from({ length: 300 }, (_, i) => endpoints.take(`b${i}`, 0))
  expect(others.filter(Boolean).length).toBe(254)
  endpoints.give('a', 'answered', 0)
  expect(endpoints.take('a', 0)).toBe(true)
})

test('an endpoint that fails is left alone, longer each time, and forgiven when it answers', () => {
  const endpoints = launchEndpoints()
  for (const [at, until] of [
    [0, 1000],
    [1000, 3000],
    [3000, 7000],
  ] as const) {
    expect(endpoints.take('a', at)).toBe(true)
    endpoints.give('a', 'failed', at)
    expect(endpoints.take('a', until - 1)).toBe(false)
  }
  expect(endpoints.take('b', 3000)).toBe(true)
  expect(endpoints.take('a', 7000)).toBe(true)
  endpoints.give('a', 'answered', 7000)
  expect(endpoints.take('a', 7000)).toBe(true)
})

test.each([
  ['120', 120_000],
  ['Thu, 01 Jan 1970 00:02:00 GMT', 110_000],
  ['Wed, 31 Dec 1969 00:00:00 GMT', 0],
  ['99999999999', 3_600_000],
  ['soon', 0],
  [null, 0],
])('Retry-After %s', (header, ms) => expect(retryAfterMs(header, 10_000)).toBe(ms))

test('a signature is ours for this body, soon, and with our key alone', () => {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
  const now = 1_800_000_000_000
  const headers = signatureHeaders(secret, 'a', now / 1000, '{}')
  expect(isSigned(secret, headers, '{}', now)).toBe(true)
  expect(isSigned(secret, headers, '{ }', now)).toBe(false)
  expect(isSigned(secret, headers, '{}', now + 301_000)).toBe(false)
  expect(isSigned(`whsec_${Buffer.alloc(32, 8).toString('base64')}`, headers, '{}', now)).toBe(
    false,
  )
  expect(isSigned(secret, { ...headers, 'webhook-signature': 'v1,x' }, '{}', now)).toBe(false)
})

import { expect, test } from 'vitest'
import { tokenCache } from './token-cache.ts'

/** A cache on a clock that the test turns, over tokens that are numbered. */
function cacheOf(lifetimeMs: number) {
  let now = 0
  let asked = 0
  const token = tokenCache(
    async () => {
      asked++
      return { value: `token ${asked}`, expiresAtMs: now + lifetimeMs }
    },
    () => now,
  )
  return { token, at: (ms: number) => (now = ms), asked: () => asked }
}

test('a token is used for four fifths of its life, by all who ask', async () => {
  const { token, at, asked } = cacheOf(300_000)
  expect(await Promise.all([token(), token()])).toEqual(['token 1', 'token 1'])
  at(239_000)
  expect(await token()).toBe('token 1')
  at(240_000)
  expect(await token()).toBe('token 2')
  expect(asked()).toBe(2)
})

test('a short token is never handed out with less than fifteen seconds to live', async () => {
  const { token, at } = cacheOf(60_000)
  await token()
  at(44_000)
  expect(await token()).toBe('token 1')
  at(46_000)
  expect(await token()).toBe('token 2')
})

test('a request that failed is asked again', async () => {
  let away = true
  const token = tokenCache(
    async () => {
      if (away) throw new Error('away')
      return { value: 'token', expiresAtMs: 1000 }
    },
    () => 0,
  )
  await expect(token()).rejects.toThrow('away')
  away = false
  expect(await token()).toBe('token')
})

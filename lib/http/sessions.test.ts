import { expect, test } from 'vitest'
import { createSessions } from './sessions.ts'

const ann = { id: 'ann', scopes: new Set(['read'] as const), grants: [], isKnown: true }

test('a session belongs to its caller until it ends or is over, and no script reads it', () => {
  let now = 0
  const sessions = createSessions(() => now)
  const set = sessions.begin(ann, true)
  expect(set).toMatch(/; HttpOnly; SameSite=Strict; Max-Age=43200; Secure$/)
  const cookie = set.split(';')[0]!
  expect(sessions.callerOf(`other=1; ${cookie}`)).toBe(ann)
  expect(sessions.callerOf(`${cookie}x`)).toBeUndefined()
  expect(sessions.callerOf(undefined)).toBeUndefined()
  now = 12 * 3_600_000
  expect(sessions.callerOf(cookie)).toBeUndefined()
  const again = sessions.begin(ann, false).split(';')[0]!
  expect(sessions.end(again)).toContain('Max-Age=0')
  expect(sessions.callerOf(again)).toBeUndefined()
})

test('the oldest session ends when there are too many', () => {
  const sessions = createSessions(() => 0)
  const cookies = Array.from({ length: 1001 }, () => sessions.begin(ann, false).split(';')[0]!)
  expect(sessions.callerOf(cookies[0])).toBeUndefined()
  expect(sessions.callerOf(cookies[1])).toBe(ann)
})

test('a session that begins with a token ends with it', () => {
  let now = 0
  const sessions = createSessions(() => now)
  const set = sessions.begin({ ...ann, expiresAt: 60_000 }, false)
  expect(set).toContain('Max-Age=60')
  const cookie = set.split(';')[0]!
  now = 59_999
  expect(sessions.callerOf(cookie)).toMatchObject({ id: 'ann' })
  now = 60_000
  expect(sessions.callerOf(cookie)).toBeUndefined()
})

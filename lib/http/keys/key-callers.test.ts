import { createHash } from 'node:crypto'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { temporaryDirectory } from '../../../test/harness.ts'
import type { Caller } from '../api-keys.ts'
import { createSessions } from '../sessions.ts'
import { keyCallers } from './key-callers.ts'
import { newKey, parseKeyFile, type KeyEntry } from './key-file.ts'
import { readUses, useRecorder } from './key-uses.ts'

const START = Date.parse('2026-03-01T00:00:00Z')
const made = (more: Partial<KeyEntry> = {}) => {
  const { text, kept } = newKey()
  return { text, entry: { id: 'ann', grants: ['analyst'], ...kept, ...more } as KeyEntry }
}

function keysIn(...entries: KeyEntry[]) {
  const file = join(temporaryDirectory(), 'keys.json')
  const write = (keys: readonly KeyEntry[]) => writeFileSync(file, JSON.stringify({ keys }))
  write(entries)
  const clock = { now: START }
  const used = vi.fn<(name: string) => void>()
  const failed = vi.fn<(problem: string) => void>()
  const authenticate = keyCallers(file, { now: () => clock.now, used, failed })
  const by = (text: string) => authenticate(`Bearer ${text}`) as Caller | undefined
  return { by, authenticate, file, write, clock, used, failed }
}

test('a made key is known by its salted hash, and no other is', () => {
  const [ann, other] = [made(), made()]
  const keys = keysIn(ann.entry, other.entry)
  expect(keys.by(ann.text)).toMatchObject({ id: 'ann', scopes: new Set(['read']), isKnown: true })
  for (const wrong of [
    `${ann.text}x`,
    ann.text.slice(0, -1),
    // The name of one key with the secret of another.
    `plb_${ann.entry.key}_${other.text.slice(17)}`,
    ann.entry.hash!,
    '',
  ])
    expect(keys.by(wrong)).toBeUndefined()
  expect(keys.authenticate(undefined)).toBeUndefined()
  expect(readFileSync(keys.file, 'utf8')).not.toContain(ann.text.slice(17))
})

test('a key made by hand still works, for all models', () => {
  const sha256 = createHash('sha256').update('by-hand').digest('hex')
  const keys = keysIn({ id: 'eve', sha256, scopes: ['emit'] })
  expect(keys.by('by-hand')).toMatchObject({ id: 'eve', grants: [{ scopes: ['emit'] }] })
})

test('a key ends at its time, and so does what it began', () => {
  const expires = new Date(START + 60_000).toISOString()
  const { text, entry } = made({ expires })
  const keys = keysIn(entry)
  expect(keys.by(text)).toMatchObject({ expiresAt: START + 60_000 })
  keys.clock.now += 59_999
  expect(keys.by(text)).toBeDefined()
  keys.clock.now += 1
  expect(keys.by(text)).toBeUndefined()
})

test('a key that is taken out of the file is refused a second later, its session too', () => {
  const [ann, next] = [made(), made()]
  const keys = keysIn(ann.entry)
  const sessions = createSessions(() => keys.clock.now)
  const [cookie] = sessions.begin(keys.by(ann.text)!, false).split(';')
  expect(sessions.callerOf(cookie)).toMatchObject({ id: 'ann' })
  keys.write([next.entry])
  keys.clock.now += 1000
  expect(sessions.callerOf(cookie)).toBeUndefined()
  expect(keys.by(ann.text)).toBeUndefined()
  expect(keys.by(next.text)).toBeDefined()
})

test('a file that can no longer be read changes nothing, and says so once', () => {
  const { text, entry } = made()
  const keys = keysIn(entry)
  writeFileSync(keys.file, '{"keys": [')
  keys.clock.now += 1000
  expect(keys.by(text)).toBeDefined()
  keys.clock.now += 1000
  expect(keys.by(text)).toBeDefined()
  rmSync(keys.file)
  keys.clock.now += 1000
  expect(keys.by(text)).toBeDefined()
  expect(keys.failed).toHaveBeenCalledTimes(2)
})

test('each fault of a key file is told', () => {
  const { entry } = made()
  const { hash: _, ...half } = entry
  const problemsOf = (...keys: object[]) => {
    const parsed = parseKeyFile(JSON.stringify({ keys }))
    return Array.isArray(parsed) ? [] : parsed.problems
  }
  expect(problemsOf(entry)).toEqual([])
  expect(problemsOf(half).join()).toContain('needs either sha256, or key, salt and hash')
  expect(problemsOf({ ...entry, scopes: ['read'] }).join()).toContain('either scopes or grants')
  expect(problemsOf({ ...entry, grants: ['analist'] }).join()).toContain('did you mean analyst?')
  expect(problemsOf({ ...entry, expires: '2026-13-01T00:00:00Z' }).join()).toContain('is no time')
  expect(problemsOf(entry, entry).join()).toContain('two keys have one name')
  expect(problemsOf({ ...entry, secret: 'x' }).join()).toContain('secret')
})

test('last uses are written once a minute at most, and other processes’ are kept', () => {
  vi.useFakeTimers()
  try {
    const folder = temporaryDirectory()
    const failed = vi.fn<(error: unknown) => void>()
    const one = useRecorder(folder, Date.now, failed)
    const other = useRecorder(folder, Date.now, failed)
    const first = Date.now()
    one('a')
    other('b')
    const { ino } = statSync(join(folder, 'key-uses.json'))
    vi.advanceTimersByTime(30_000)
    for (let i = 0; i < 100; i++) one('a')
    expect(statSync(join(folder, 'key-uses.json')).ino).toBe(ino)
    expect(Object.fromEntries(readUses(folder))).toEqual({ a: first, b: first })
    vi.advanceTimersByTime(60_000)
    expect(Object.fromEntries(readUses(folder))).toEqual({ a: first + 30_000, b: first })
    expect(failed).not.toHaveBeenCalled()
  } finally {
    vi.useRealTimers()
  }
})

test('uses that cannot be written stop no request', () => {
  const failed = vi.fn<(error: unknown) => void>()
  useRecorder(join(temporaryDirectory(), 'none'), Date.now, failed)('a')
  expect(failed).toHaveBeenCalledOnce()
})

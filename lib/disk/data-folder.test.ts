import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeDataFolder, secretIn } from './data-folder.ts'
import { temporaryDirectory } from '../../test/harness.ts'

const modeOf = (path: string) => statSync(path).mode & 0o777

test('a new data folder and its secrets are for their owner alone', () => {
  const folder = join(temporaryDirectory(), 'data')
  makeDataFolder(folder)
  expect(modeOf(folder)).toBe(0o700)
  expect(secretIn(folder, 'a.secret', () => 'first')).toBe('first')
  expect(secretIn(folder, 'a.secret', () => 'second')).toBe('first')
  writeFileSync(join(folder, 'open.secret'), 'known\n', { mode: 0o644 })
  expect(secretIn(folder, 'open.secret', () => 'new')).toBe('known')
  expect(['a.secret', 'open.secret'].map((name) => modeOf(join(folder, name)))).toEqual([
    0o600, 0o600,
  ])
  expect(readdirSync(folder).toSorted()).toEqual(['a.secret', 'open.secret'])
})

test.each(['', '\n', '\0\0\0\0'])('a file of %j is no secret, and is made anew', (left) => {
  const folder = temporaryDirectory()
  writeFileSync(join(folder, 'a.secret'), left)
  expect(secretIn(folder, 'a.secret', () => 'made')).toBe('made')
  expect(secretIn(folder, 'a.secret', () => 'again')).toBe('made')
})

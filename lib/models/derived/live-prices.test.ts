/** The price file as it is read: its size, its absence, and what its problems begin with. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { ConfigError } from '../../runtime/config.ts'
import { readPrices } from './live-prices.ts'

const folder = mkdtempSync(join(tmpdir(), 'prices-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'prices.yaml')

function problemsOf(path: string): readonly string[] {
  try {
    readPrices(path)
  } catch (error) {
    return (error as ConfigError).problems
  }
  return []
}

test('a file that is not there, too large, or no price file is refused by its path', () => {
  const named = `PLUMBLINE_PRICES_FILE ${file}:`
  expect(problemsOf(file)).toEqual([`${named} is no file`])
  writeFileSync(file, `prices: []\n${'#'.repeat(1 << 20)}`)
  expect(problemsOf(file)).toEqual([`${named} is larger than 1048576 bytes`])
  writeFileSync(file, 'prices: [')
  expect(problemsOf(file)).toEqual([expect.stringContaining(`${named} is no YAML: `)])
  writeFileSync(file, 'prices: []')
  expect(problemsOf(file)).toEqual([])
  expect(readPrices(undefined).prices).toEqual([])
})

import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { OffsetRange } from './port.ts'
import { createJournal } from './journal.ts'
import { rangeOf, temporaryDirectory } from '../../test/harness.ts'

const journalIn = (directory: string) =>
  createJournal({ directory, durable: 'process', onUnreadable: () => {} })

test('a range that cannot be written leaves nothing, however often it is tried', async () => {
  const directory = temporaryDirectory()
  const journal = journalIn(directory)
  const range = rangeOf('topic', 'mapping', ['value'])
  // Fails while the file is open, as a full disk does.
  const unwritable = {
    ...range,
    get messages(): never {
      throw new Error('ENOSPC')
    },
  } as OffsetRange
  for (let i = 0; i < 3; i++) await expect(journal.keep(unwritable)).rejects.toThrow('ENOSPC')
  expect(readdirSync(directory)).toEqual([])
  await journal.keep(range)
  expect(journal.left().map(({ range: { topic } }) => topic)).toEqual(['topic'])
})

test('folders in the place of files stop no start', () => {
  const directory = temporaryDirectory()
  mkdirSync(join(directory, '1.range.json.part', 'inner'), { recursive: true })
  mkdirSync(join(directory, '2.range.json'))
  expect(journalIn(directory).left()).toEqual([])
  expect(readdirSync(directory)).toEqual(['2.range.json.set-aside'])
})

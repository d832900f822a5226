import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
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

test('what is left comes back byte for byte, headers too', async () => {
  const directory = temporaryDirectory()
  const range = rangeOf('topic', 'mapping', ['{"a":1}\n', '', 'é\0'])
  const messages = range.messages.map((message, i) => ({
    ...message,
    key: Buffer.from([i, 10, 255]),
    ...(i === 1 && { headers: { 'content-type': 'a\nb' } }),
  }))
  await journalIn(directory).keep({ ...range, messages })
  expect(
    journalIn(directory)
      .left()
      .map((left) => left.range),
  ).toEqual([{ ...range, messages }])
})

test('a file of a release before, all of it JSON, is read', () => {
  const directory = temporaryDirectory()
  const range = rangeOf('topic', 'mapping', ['{"a":1}'])
  const messages = range.messages.map(({ key, value, ...rest }) => ({
    ...rest,
    key: key.toString('base64'),
    value: value.toString('base64'),
  }))
  writeFileSync(
    join(directory, '0000000000000001.range.json'),
    JSON.stringify({ ...range, messages }),
  )
  expect(
    journalIn(directory)
      .left()
      .map((left) => left.range),
  ).toEqual([range])
})

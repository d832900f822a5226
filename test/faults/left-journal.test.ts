/**
 * Whatever an earlier process left in the journal, the next one starts, and stores what can be
 * read.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createJournal } from '../../lib/event-log/journal.ts'
import { migratedClickHouse } from '../harness.ts'
import { prediction, until } from '../servers/processes.ts'
import { inProcessLogs, leftRange, TOPIC } from './in-process-log.ts'

const { db, directory } = await migratedClickHouse()
const { folder, startLog, stored } = inProcessLogs(db, directory)

test('journal files that hold no range are set aside by name, the rest is stored', async () => {
  const journalIn = folder()
  const journal = createJournal({ directory: journalIn, durable: 'fsync', onUnreadable: () => {} })
  await journal.keep({ ...leftRange('torn'), logEpoch: 'memory-torn' })
  await journal.keep({ ...leftRange('whole'), logEpoch: 'memory-whole' })
  const [torn] = readdirSync(journalIn).toSorted()
  const text = readFileSync(join(journalIn, torn!), 'utf8')
  for (const [i, damaged] of [
    text.slice(0, text.length / 2),
    '',
    'null',
    '[]',
    '{}',
    '\0'.repeat(4096),
    text.replace(/"messages":[^]*$/, '"messages":[{"offset":"x"}]}'),
    text.replace(/"messages":[^]*$/, '"messages":[]}'),
    text.replace(/"messages":[^]*$/, '"messages":[[0,1,2]]}\n'),
    text.replace(/"messages":[^]*$/, '"messages":[[0,1,2,-2]]}\n'),
    `${text}more`,
  ].entries())
    writeFileSync(join(journalIn, `000000000000000${i}.range.json`), damaged)
  writeFileSync(join(journalIn, torn!), text.slice(0, -10))
  const { unreadable, send, stop } = await startLog({ journalIn })
  expect(unreadable).toHaveLength(12)
  expect(await stored('whole')).toBe(3)
  await send([JSON.stringify(prediction(9, { model_id: 'torn' }))])
  expect(await stored('torn')).toBe(1)
  expect(readdirSync(journalIn).every((name) => name.endsWith('.set-aside'))).toBe(true)
  await stop()
})

test('a range that an earlier process left does not decide whether this one starts', async () => {
  const journalIn = folder()
  const journal = createJournal({
    directory: journalIn,
    durable: 'process',
    onUnreadable: () => {},
  })
  // A range of a release that is gone: no process can store it.
  await journal.keep({ ...leftRange('gone'), logEpoch: 'memory-gone', mapping: 'predictions-0' })
  const given: [string, number, string | undefined][] = []
  const { send, stop } = await startLog({
    journalIn,
    onSetAside: (...one) => given.push(one),
  })
  await until('the range is set aside', async () => given.length > 0)
  expect(given[0]).toEqual([TOPIC, 3, expect.stringContaining('.set-aside')])
  await send([JSON.stringify(prediction(1, { model_id: 'gone' }))])
  expect(await stored('gone')).toBe(1)
  await stop()
})

/**
 * What one sends through the in-process log is set aside by itself: what comes with it is stored.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import { messageReader } from '../../lib/events/decode-message.ts'
import { migratedClickHouse } from '../harness.ts'
import { prediction } from '../servers/processes.ts'
import { all, inProcessLogs } from './in-process-log.ts'

const { db, directory } = await migratedClickHouse()
const { count, startLog, stored, totalsOf } = inProcessLogs(db, directory)

test('thousands of refused messages in a row are dead letters, and the next event is stored', async () => {
  const { send, stop } = await startLog()
  await send(Array.from({ length: 3000 }, () => 'no event'))
  await send([JSON.stringify(prediction(1, { model_id: 'after-poison' }))])
  expect(await stored('after-poison')).toBe(1)
  expect(await count(`(SELECT count() FROM dead_letters WHERE value = 'no event')`)).toBe(3000)
  await stop()
})

test('slashes join no two names', async () => {
  const { send, stop } = await startLog()
  const pairs = [
    ['a', 'b/c'],
    ['a/b', 'c'],
    ['org/name', '1'],
    ['org', 'name/1'],
  ]
  const values = pairs.map(([model_id, prediction_id]) =>
    JSON.stringify(prediction(1, { model_id, prediction_id })),
  )
  await send(values)
  await send(values)
  expect(
    await count(
      `(SELECT count() FROM predictions WHERE model_id IN ('a', 'a/b', 'org/name', 'org'))`,
    ),
  ).toBe(4)
  await stop()
  // Read back from the table, the names are the same.
  const again = await startLog()
  await again.send(values)
  expect(
    await count(
      `(SELECT sum(duplicates) FROM event_counts WHERE model_id IN ('a', 'a/b', 'org/name', 'org'))`,
    ),
  ).toBe(8)
  await again.stop()
})

test('an event that cannot be made a row is set aside, the others of its range are stored', async () => {
  const plain = messageReader()
  const { send, stop } = await startLog({
    reader: {
      ...plain,
      read: (message, validator) => {
        if (message.value.includes('deep')) throw new RangeError('Maximum call stack size exceeded')
        return plain.read(message, validator)
      },
    },
  })
  const values = Array.from({ length: 50 }, (_, i) =>
    JSON.stringify(
      prediction(i, { model_id: 'unmappable', input_text: i % 25 === 7 ? 'deep' : '' }),
    ),
  )
  await send(values)
  expect(await stored('unmappable')).toBe(48)
  expect(
    await db.query(
      `SELECT count() AS n, any(message) AS why FROM dead_letters WHERE reason = 'unstorable' AND value LIKE '%unmappable%'`,
    ),
  ).toEqual([{ n: '2', why: 'the event cannot be stored: Maximum call stack size exceeded' }])
  await stop()
})

test('an event that the store refuses is set aside, and counts nowhere else', async () => {
  const refusing: ClickHouse = {
    ...db,
    insertFile: async (insert) => {
      if (!insert.table.endsWith('dead_letters') && readFileSync(insert.path).includes('refuse-me'))
        throw new Error('Code: 117. DB::Exception: Cannot read the data. (INCORRECT_DATA)')
      await db.insertFile(insert)
    },
  }
  const { send, stop } = await startLog({ clickhouse: refusing })
  const values = Array.from({ length: 40 }, (_, i) =>
    JSON.stringify(
      prediction(i, {
        model_id: 'refused',
        features: { x: i, c: 'c' },
        input_text: [3, 4, 31].includes(i) ? 'refuse-me' : 'fine',
      }),
    ),
  )
  await send(values)
  expect(await totalsOf('refused')).toEqual(all(37))
  expect(
    await count(
      `(SELECT count() FROM dead_letters WHERE reason = 'unstorable' AND value LIKE '%refuse-me%')`,
    ),
  ).toBe(3)
  expect(await count(`(SELECT count() FROM system.tables WHERE name LIKE 'trial_of%')`)).toBe(0)
  await stop()
})

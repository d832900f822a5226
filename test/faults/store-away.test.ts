/** A store that is away or slow: callers are told, memory is bounded, and nothing is lost. */
import { expect, test } from 'vitest'
import { migratedClickHouse } from '../harness.ts'
import { prediction, until } from '../servers/processes.ts'
import { inProcessLogs } from './in-process-log.ts'

const { db, directory } = await migratedClickHouse()
const { startLog, stored } = inProcessLogs(db, directory)

test('a store that is away sets nothing aside: callers are told, and the range is stored once it is back', async () => {
  let isAway = true
  const { send, stop } = await startLog({
    clickhouse: {
      ...db,
      insertFile: (insert) =>
        isAway
          ? Promise.reject(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))
          : db.insertFile(insert),
    },
  })
  const event = JSON.stringify(prediction(1, { model_id: 'away' }))
  await expect(send([event])).rejects.toMatchObject({ status: 503 })
  await expect(send([event])).rejects.toMatchObject({ status: 503 })
  isAway = false
  await until('the range in hand is stored', async () => (await stored('away')) === 1)
  await until('new events are taken', () =>
    send([event]).then(
      () => true,
      () => false,
    ),
  )
  expect(await stored('away')).toBe(1)
  await stop()
})

test('more bytes than may wait are refused with 503, and taken again later', async () => {
  const gate = Promise.withResolvers<void>()
  const { send, stop } = await startLog({
    maxQueuedBytes: 4000,
    clickhouse: {
      ...db,
      insertFile: async (insert) => gate.promise.then(() => db.insertFile(insert)),
    },
  })
  const event = (i: number) =>
    JSON.stringify(prediction(i, { model_id: 'queued', input_text: 'x'.repeat(2500) }))
  const first = send([event(1)])
  await expect(send([event(2)])).rejects.toMatchObject({ status: 503, code: 'overloaded' })
  gate.resolve()
  await first
  await send([event(2)])
  expect(await stored('queued')).toBe(2)
  await stop()
})

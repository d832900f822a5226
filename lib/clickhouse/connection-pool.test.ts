/** Several connections as one. */
import { expect, test } from 'vitest'
import type { ClickHouse } from './port.ts'
import { connectionPool } from './connection-pool.ts'

/** A connection whose statements end when they are told to. */
function connection() {
  const underWay: PromiseWithResolvers<void>[] = []
  const db = {
    isEmbedded: true,
    command: () => {
      const statement = Promise.withResolvers<void>()
      underWay.push(statement)
      return statement.promise
    },
  } as unknown as ClickHouse
  return { db, underWay }
}

test('a statement takes the connection with the fewest under way; one that fails is no longer under way', async () => {
  const [a, b] = [connection(), connection()]
  const db = connectionPool([a.db, b.db])
  const first = db.command('SELECT 1')
  const second = db.command('SELECT 2')
  expect([a.underWay.length, b.underWay.length]).toEqual([1, 1])
  b.underWay[0]!.reject(new Error('gone'))
  await expect(second).rejects.toThrow('gone')
  void db.command('SELECT 3')
  expect([a.underWay.length, b.underWay.length]).toEqual([1, 2])
  a.underWay[0]!.resolve()
  await first
  expect(db.isEmbedded).toBe(true)
})

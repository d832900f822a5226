/** Processes that start at the same time on one new PostgreSQL. */
import { expect, test } from 'vitest'
import { migratePostgres, verifyPostgres } from '../../../lib/postgres/migrations.ts'
import { serverPostgres } from '../../../lib/postgres/port.ts'
import { postgresServer } from '../../servers/postgres-server.ts'

const PROCESSES = 4

test('several that migrate a new database at once all go on, and each file is applied once', async () => {
  const { url, stop } = await postgresServer()
  const first = serverPostgres(url)
  await first.query('create database fresh')
  await first.close()
  const fresh = new URL(url)
  fresh.pathname = '/fresh'
  const connections = Array.from({ length: PROCESSES }, () => serverPostgres(fresh.href))
  try {
    await Promise.all(connections.map((db) => migratePostgres(db)))
    for (const db of connections) await verifyPostgres(db)
    const rows = await connections[0]!.query<{ n: number }>(
      'select count(*)::int - count(distinct name)::int as n from schema_migrations',
    )
    expect(rows).toEqual([{ n: 0 }])
  } finally {
    for (const db of connections) await db.close()
    await stop()
  }
})

/** An embedded engine with our tables and nothing in them, gone after its use. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClickHouse, ClickHouseEngine } from '../lib/clickhouse/port.ts'
import { embeddedEngine } from '../lib/clickhouse/embedded.ts'
import { migrateClickHouse } from '../lib/clickhouse/migrations.ts'

export async function onFreshEngine<T>(
  use: (db: ClickHouse, engine: ClickHouseEngine) => Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-bench-'))
  const engine = embeddedEngine(join(directory, 'clickhouse'))
  try {
    const db = engine.connect('bench')
    await migrateClickHouse(db)
    return await use(db, engine)
  } finally {
    await engine.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

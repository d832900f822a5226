/** What integration tests share: directories that vanish, stores with our tables, sinks on them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClickHouse } from '../lib/clickhouse/port.ts'
import { embeddedEngine } from '../lib/clickhouse/embedded.ts'
import { migrateClickHouse } from '../lib/clickhouse/migrations.ts'
import type { LoggedMessage, OffsetRange } from '../lib/event-log/port.ts'
import { createMetrics } from '../lib/runtime/metrics.ts'
import { createSink, type Sink, type SinkParts } from '../lib/sink/sink.ts'
import { createSpool } from '../lib/clickhouse/spool.ts'
import type { EventMapping } from '../lib/sink/mapping.ts'
import { migratePostgres } from '../lib/postgres/migrations.ts'
import { embeddedPostgres, type EmbeddedPostgres } from '../lib/postgres/port.ts'
import { atEnd } from './at-end.ts'
import { copyFreshStores } from './servers/fresh-stores.ts'
import { messageReader } from '../lib/events/decode-message.ts'

/**
 * A directory that is removed after the file's tests; tried again while something that is ending
 * still writes into it.
 */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'plumbline-'))
  atEnd(() => rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }))
  return path
}

/** The embedded engine on a directory that is migrated. */
export async function migratedClickHouse(): Promise<{
  db: ClickHouse
  engine: ReturnType<typeof embeddedEngine>
  directory: string
}> {
  const directory = temporaryDirectory()
  copyFreshStores(directory, ['clickhouse'])
  const engine = embeddedEngine(join(directory, 'clickhouse'))
  atEnd(() => engine.close())
  const db = engine.connect('test')
  await migrateClickHouse(db)
  return { db, engine, directory }
}

/** The embedded control database in a directory, migrated. */
export async function migratedPostgres(directory: string): Promise<EmbeddedPostgres> {
  copyFreshStores(directory, ['postgres'])
  const postgres = await embeddedPostgres(join(directory, 'postgres'))
  atEnd(() => postgres.close())
  await migratePostgres(postgres)
  return postgres
}

export function sinkOn(
  db: ClickHouse,
  directory: string,
  service: string,
  mapping: EventMapping,
  parts: Partial<SinkParts> = {},
): Sink {
  return createSink({
    service,
    mappings: [mapping],
    reader: messageReader(),
    duplicateHorizon: 1_000_000,
    clickhouse: db,
    spool: createSpool(join(directory, 'spool'), 'process'),
    eventLog: { append: async () => {} },
    metrics: createMetrics(),
    now: Date.now,
    ...parts,
  })
}

/**
 * When ranges are received: long before the events of most tests, whose models are not live then.
 */
export const RECEIVED_AT = Date.UTC(2025, 6, 1)

export function rangeOf(
  topic: string,
  mapping: string,
  values: readonly (string | Buffer)[],
  first = 0,
  keys?: readonly string[],
): OffsetRange {
  const messages: LoggedMessage[] = values.map((value, i) => ({
    offset: first + i,
    timestampMs: RECEIVED_AT + i,
    key: Buffer.from(keys?.[i] ?? ''),
    value: Buffer.isBuffer(value) ? value : Buffer.from(value),
  }))
  return {
    logEpoch: 'test.1',
    topic,
    partition: '0',
    first: String(first),
    last: String(first + values.length - 1),
    mapping,
    replayed: false,
    continues: first > 0,
    messages,
  }
}

/**
 * Ingest in a process of its own that kills itself at one step of storing a range; without a step
 * it stores what there is.
 */
import { join } from 'node:path'
import { pino } from 'pino'
import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import { embeddedEngine } from '../../lib/clickhouse/embedded.ts'
import { migrateClickHouse } from '../../lib/clickhouse/migrations.ts'
import { kafkaLog } from '../../lib/event-log/kafka.ts'
import { messageReader } from '../../lib/events/decode-message.ts'
import { createMetrics } from '../../lib/runtime/metrics.ts'
import { runModules } from '../../lib/runtime/modules.ts'
import { createSink } from '../../lib/sink/sink.ts'
import { createSpool } from '../../lib/clickhouse/spool.ts'
import { TOPICS } from '../../schemas/topics.ts'
import { PREDICTION_MAPPINGS } from '../../services/ingest/data/prediction-rows.ts'

const [brokers, directory, step = '', expected = '0'] = process.argv.slice(2) as [
  string,
  string,
  string?,
  string?,
]
const die = () => process.kill(process.pid, 'SIGKILL')
const at = (name: string) => {
  if (step === name) die()
}

const engine = embeddedEngine(join(directory, 'clickhouse'))
const db = engine.connect('ingest')
await migrateClickHouse(db)
let inserts = 0
/** Dies before or after the n-th insert of a range. */
const clickhouse: ClickHouse = {
  ...db,
  insertFile: async (insert) => {
    at(`before insert ${inserts}`)
    const inserting = db.insertFile(insert)
    if (step === `within insert ${inserts}`) setTimeout(die, 1)
    await inserting
    at(`after insert ${inserts}`)
    inserts++
  },
}
const log = pino({ level: 'silent' })
const eventLog = kafkaLog({
  brokers: [brokers],
  clientId: 'stepped',
  topics: Object.values(TOPICS),
  sessionTimeoutMs: 2000,
  log,
})
const sink = createSink({
  service: 'ingest',
  mappings: PREDICTION_MAPPINGS,
  reader: messageReader(),
  clickhouse,
  spool: createSpool(join(directory, 'spool'), 'process'),
  eventLog,
  metrics: createMetrics(),
  duplicateHorizon: 1_000_000,
  now: Date.now,
})
const controller = new AbortController()
const consumer = eventLog.ranges({
  topic: TOPICS.predictions.topic,
  group: 'stepped',
  mapping: sink.mapping,
  lastStored: async (...args) => {
    at('before intent')
    return sink.lastStored(...args)
  },
  store: async (range) => {
    inserts = 0
    at('after intent')
    await sink.store(range)
    at('before commit')
  },
  committed: () => at('after commit'),
})
const stored = async () => {
  const [row] = await db.query<{ n: string }>('SELECT sum(rows) AS n FROM sink_ranges')
  return Number(row!.n)
}
const done = (async () => {
  while (step !== '' || (await stored()) < Number(expected))
    await new Promise((resolve) => setTimeout(resolve, 100))
  controller.abort()
})()
await runModules([eventLog.module, consumer], controller.signal, log)
await done
await engine.close()
process.exit(0)

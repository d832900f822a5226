/** Kafka to ClickHouse, exactly once and with every count, beside bare consuming and bare inserting. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { pino } from 'pino'
import { startKafka } from '../deploy/local/kafka.ts'
import { ONE_BLOCK, type ClickHouse } from '../lib/clickhouse.ts'
import { embeddedEngine } from '../lib/clickhouse-embedded.ts'
import { migrateClickHouse } from '../lib/clickhouse-migrations.ts'
import { kafkaLog } from '../lib/event-log.kafka.ts'
import { fixKafkajsTimer } from '../lib/kafkajs-timer.ts'
import { createMetrics } from '../lib/metrics.ts'
import { runModules } from '../lib/modules.ts'
import { createSink } from '../lib/sink.ts'
import { createSpool, encodeLines } from '../lib/spool.ts'
import { TOPICS } from '../schemas/topics.ts'
import { PREDICTION_MAPPINGS } from '../services/ingest/rows.ts'
import type { Result } from './main.ts'
import { measured, median, type Measured } from './median.ts'

const topic = TOPICS.predictions.topic
const FETCH = { maxBytesPerPartition: 8 << 20, maxBytes: 64 << 20, maxWaitTimeInMs: 100 }

export async function benchIngest(rounds: number, events: number): Promise<Result[]> {
  fixKafkajsTimer()
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-bench-'))
  const kafka = await startKafka({ directory: join(directory, 'kafka') })
  const engine = embeddedEngine(join(directory, 'clickhouse'))
  try {
    const db = engine.connect('bench')
    await migrateClickHouse(db)
    const bytes = await produce(kafka.brokers, events)
    const blocks = await makeBlocks(db, directory, events)
    const rounds_ = { consume: [] as Measured[], insert: [] as Measured[], sink: [] as Measured[] }
    for (let round = 0; round < rounds; round++) {
      rounds_.consume.push(
        await measured(events, (begin) => consume(kafka.brokers, events, round, begin)),
      )
      await emptied(db)
      rounds_.insert.push(
        await measured(events, async () => {
          await insertBlocks(db, blocks, round)
          await merged(db)
        }),
      )
      await emptied(db)
      rounds_.sink.push(
        await measured(events, async (begin) => {
          await sinkAll(kafka.brokers, db, directory, events, round, begin)
          await merged(db)
        }),
      )
    }
    const of = (name: keyof typeof rounds_, unit: keyof Measured) =>
      median(rounds_[name].map((m) => m[unit]))
    const settings = {
      events,
      bytes_per_event: Math.round(bytes / events),
      partitions: TOPICS.predictions.partitions,
      features: 20,
      fetch: FETCH,
    }
    const result = (
      name: string,
      key: keyof typeof rounds_,
      unit: keyof Measured,
      against: string,
      ratio: number | null,
    ): Result => ({
      name,
      value: of(key, unit),
      unit: unit === 'cpuPerSecond' ? 'events/CPU-s' : 'events/s',
      against,
      ratio,
      rounds,
      settings,
    })
    const ceiling = (unit: keyof Measured) => Math.min(of('consume', unit), of('insert', unit))
    return (['cpuPerSecond', 'wallPerSecond'] as const).flatMap((unit) => [
      result('bare kafkajs consume, nothing decoded', 'consume', unit, '', null),
      result('bare insert of ready blocks, views on', 'insert', unit, '', null),
      result(
        'sink: Kafka to tables and counts, exactly once',
        'sink',
        unit,
        'the lower ceiling',
        of('sink', unit) / ceiling(unit),
      ),
    ])
  } finally {
    await engine.close()
    await kafka.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Every round writes into empty tables, with no merge of an earlier one under way. */
async function emptied(db: ClickHouse) {
  for (const table of [
    'predictions',
    'prediction_times',
    'event_counts',
    'numeric_counts',
    'category_counts',
    'watermarks',
    'sink_ranges',
    'dead_letters',
  ])
    await db.command(`TRUNCATE TABLE ${table}`)
  await merged(db)
}

/** Until no merge is under way: the merges an insert causes are part of its cost. */
async function merged(db: ClickHouse) {
  while (
    Number((await db.query<{ n: string }>('SELECT count() AS n FROM system.merges'))[0]?.n) > 0
  )
    await new Promise((resolve) => setTimeout(resolve, 20))
}

function event(i: number): string {
  return JSON.stringify({
    prediction_id: `0198c1f2-7d10-7aaa-8bbb-${100000000000 + i}`,
    model_id: 'bench',
    model_version: '7',
    predicted_at: new Date(Date.UTC(2026, 0, 1) + i * 20).toISOString(),
    prediction: i % 3 === 0 ? '1' : '0',
    score: ((i * 7919) % 10007) / 10007,
    attributes: { region: `r${i % 7}` },
    features: Object.fromEntries(
      Array.from({ length: 20 }, (_, k) => [
        `f${k}`,
        Math.round(Math.sin((i + 1) * (k + 1)) * 1e5) / 1e3,
      ]),
    ),
  })
}

async function produce(brokers: string, events: number): Promise<number> {
  const kafka = new kafkajs.Kafka({ brokers: [brokers], logLevel: kafkajs.logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: TOPICS.predictions.partitions }] })
  await admin.disconnect()
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  let bytes = 0
  for (let i = 0; i < events; i += 2000) {
    const messages = Array.from({ length: Math.min(2000, events - i) }, (_, k) => {
      const value = event(i + k)
      bytes += value.length
      return { key: `bench/0198c1f2-7d10-7aaa-8bbb-${100000000000 + i + k}`, value }
    })
    await producer.send({ topic, acks: 1, messages })
  }
  await producer.disconnect()
  return bytes
}

async function consume(brokers: string, events: number, round: number, begin: () => void) {
  const consumer = new kafkajs.Kafka({
    brokers: [brokers],
    logLevel: kafkajs.logLevel.NOTHING,
  }).consumer({ groupId: `bare-${round}`, ...FETCH })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  let seen = 0
  await new Promise<void>((resolve) => {
    void consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: 4,
      eachBatch: async ({ batch }) => {
        begin()
        seen += batch.messages.length
        if (seen >= events) resolve()
      },
    })
  })
  await consumer.disconnect()
}

/**
 * Rows as the mapping makes them, in ClickHouse's own format. Blocks are what fetches are: of the same size, and, like a
 * partition, holding every fourth event of a longer stretch of time.
 */
async function makeBlocks(db: ClickHouse, directory: string, events: number): Promise<string[]> {
  const mapping = PREDICTION_MAPPINGS[0]
  const spool = createSpool(join(directory, 'blocks'), 'process')
  const partitions = TOPICS.predictions.partitions
  const size = 15_000
  const files: string[] = []
  for (let i = 0; i < events; i += size) {
    const stretch = Math.floor(i / (size * partitions)) * size * partitions
    const first = stretch + (((i - stretch) / size) % partitions)
    const messages = Array.from({ length: Math.min(size, events - i) }, (_, k) => ({
      offset: String(i + k),
      timestampMs: Date.now(),
      key: Buffer.alloc(0),
      value: Buffer.from(event(first + k * partitions)),
    }))
    const file = join(directory, `block-${i}.native`)
    await spool.withFile(encodeLines(messages), (path) =>
      db.command(
        `INSERT INTO FUNCTION file('${file}', Native) SELECT * FROM (${mapping.select(`file('${path}', LineAsString, 'line String')`, { log_epoch: 'b', topic: 'b', partition: '0' })}) SETTINGS ${ONE_BLOCK}`,
      ),
    )
    files.push(file)
  }
  return files
}

async function insertBlocks(db: ClickHouse, files: readonly string[], round: number) {
  for (const file of files) {
    await db.command(
      `INSERT INTO predictions_wire SETTINGS insert_deduplication_token='${round}-${file}', ${ONE_BLOCK} SELECT * FROM file('${file}', Native)`,
    )
  }
}

async function sinkAll(
  brokers: string,
  db: ClickHouse,
  directory: string,
  events: number,
  round: number,
  begin: () => void,
) {
  const eventLog = kafkaLog({
    brokers: [brokers],
    clientId: 'bench',
    topics: Object.values(TOPICS),
    log: pino({ level: 'silent' }),
  })
  const sink = createSink({
    service: 'bench',
    wireTable: 'predictions_wire',
    mappings: PREDICTION_MAPPINGS,
    clickhouse: db,
    spool: createSpool(join(directory, 'spool'), 'process'),
    eventLog,
    metrics: createMetrics(),
    now: Date.now,
  })
  const controller = new AbortController()
  let stored = 0
  const consumer = eventLog.ranges({
    topic,
    group: `sink-${round}`,
    mapping: sink.mapping,
    store: (range) => {
      begin()
      return sink.store(range)
    },
    // Each round is a log of its own: the same offsets must not look like a replay.
    lastEpoch: async () => round,
    committed: (range) => {
      stored += range.messages.length
      if (stored >= events) controller.abort()
    },
  })
  await runModules([eventLog.module, consumer], controller.signal, pino({ level: 'silent' }))
}

/**
 * Kafka to ClickHouse: our sink beside ClickHouse's own Kafka engine, and beside what consuming and
 * inserting cost alone.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median } from 'simple-statistics'
import kafkajs from 'kafkajs'
import { pino } from 'pino'
import { makeCertificates, tlsExtras } from '../../deploy/local/certificates.ts'
import { freePort, startKafka } from '../../deploy/local/kafka.ts'
import { startRegistry } from '../../deploy/local/registry.ts'
import { avroReader } from '../../lib/events/avro/confluent-wire-format.ts'
import type { ClickHouse, FileInsert } from '../../lib/clickhouse/port.ts'
import { embeddedEngine } from '../../lib/clickhouse/embedded.ts'
import { migrateClickHouse } from '../../lib/clickhouse/migrations.ts'
import { kafkaLog } from '../../lib/event-log/kafka.ts'
import type { KafkaSecurity } from '../../lib/event-log/kafka-connection/security.ts'
import { MAX_FETCHED } from '../../lib/event-log/kafka-consumers.ts'
import type { OffsetRange } from '../../lib/event-log/port.ts'
import { fixKafkajsTimer } from '../../lib/event-log/kafkajs-patches/request-timer.ts'
import { messageReader } from '../../lib/events/decode-message.ts'
import { createMetrics } from '../../lib/runtime/metrics.ts'
import { runModules } from '../../lib/runtime/modules.ts'
import { encodeBlock } from '../../lib/clickhouse/native/block.ts'
import { schemaRegistry } from '../../lib/events/avro/schema-registry.ts'
import { createSeenIds, type SeenIds } from '../../lib/sink/dedupe-set.ts'
import { createSink } from '../../lib/sink/sink.ts'
import { createSpool } from '../../lib/clickhouse/spool.ts'
import { TOPICS } from '../../schemas/topics.ts'
import { PREDICTION_MAPPINGS } from '../../services/ingest/data/prediction-rows.ts'
import { consumeWithEngine, ENGINE_SETTINGS } from './engine-kafka.ts'
import { diskResults, diskUse, type DiskUse } from './disk-use.ts'
import { asAvro, asJson, asPoisonedJson, benchEvent, PARTITIONS, produce } from './events.ts'
import type { Result } from '../result.ts'
import { measured, type Measured } from './measured.ts'

const FETCH = { maxBytesPerPartition: 16 << 20, maxBytes: 64 << 20, maxWaitTimeInMs: 100 }
/** Rounds over TLS have numbers, and so groups and log epochs, of their own. */
const TLS_ROUNDS = 1000
const TABLES = [
  'predictions',
  'prediction_times',
  'event_counts',
  'numeric_counts',
  'category_counts',
  'watermarks',
  'sink_ranges',
  'dead_letters',
]

export async function benchIngest(rounds: number, events: number): Promise<Result[]> {
  fixKafkajsTimer()
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-bench-'))
  const certificates = makeCertificates(join(directory, 'certificates'))
  const overTls = `127.0.0.1:${await freePort()}`
  const kafka = await startKafka({
    directory: join(directory, 'kafka'),
    extra: tlsExtras(certificates, [`SSL://${overTls}`]),
  })
  const registry = await startRegistry()
  const engine = embeddedEngine(join(directory, 'clickhouse'))
  try {
    const db = engine.connect('bench')
    await migrateClickHouse(db)
    const { brokers } = kafka
    const bytes = {
      json: await produce(brokers, 'bench-json', events, asJson),
      avro: await produce(
        brokers,
        'bench-avro',
        events,
        await asAvro(registry.url, 'bench-avro-value'),
      ),
    }
    await produce(brokers, 'bench-poison', events, asPoisonedJson())
    const blocks = makeBlocks(directory, events)
    const run = (topic: string, round: number): SinkRun => ({
      brokers,
      db,
      directory,
      registryUrl: registry.url,
      topic,
      events,
      round,
    })
    const byEngine = (format: 'JSONEachRow' | 'AvroConfluent', topic: string) => (round: number) =>
      consumeWithEngine({
        db,
        brokers,
        topic,
        format,
        registryUrl: registry.url,
        group: `engine-${topic}-${round}`,
        events,
      })
    const contenders: Record<string, (round: number) => Promise<void>> = {
      consume: (round) => consume(brokers, 'bench-json', events, round),
      insert: (round) => insertBlocks(db, blocks, round),
      json: (round) => exactlyOnce(run('bench-json', round)),
      jsonTls: (round) =>
        exactlyOnce({
          ...run('bench-json', TLS_ROUNDS + round),
          brokers: overTls,
          security: { tls: { ca: readFileSync(certificates.ca, 'utf8') } },
        }),
      poison: (round) => exactlyOnce(run('bench-poison', round)),
      jsonLoose: (round) => atLeastOnce(run('bench-json', round)),
      avro: (round) => exactlyOnce(run('bench-avro', round)),
      engineJson: byEngine('JSONEachRow', 'bench-json'),
      engineAvro: byEngine('AvroConfluent', 'bench-avro'),
    }
    const found = Object.fromEntries(
      Object.keys(contenders).map((name) => [name, [] as Measured[]]),
    )
    const disk: DiskUse[] = []
    for (let round = 0; round < rounds; round++) {
      for (const [name, contend] of Object.entries(contenders)) {
        await emptied(db)
        found[name]!.push(
          await measured(events, async () => {
            await contend(round)
            await merged(db)
          }),
        )
        if (name === 'json') disk.push(await diskUse(db, events))
      }
    }
    const settings = {
      events,
      bytes_per_event: bytes,
      partitions: PARTITIONS,
      features: 20,
      engine: ENGINE_SETTINGS,
      directory: tmpdir(),
    }
    const rates = (['cpuPerSecond', 'wallPerSecond'] as const).flatMap((unit) => {
      const of = (name: string) => median(found[name]!.map((m) => m[unit]))
      const result = (name: string, key: string, against = '', other?: number): Result => ({
        name,
        value: of(key),
        unit: unit === 'cpuPerSecond' ? 'events/CPU-s' : 'events/s',
        against,
        ratio: other === undefined ? null : of(key) / other,
        rounds,
        settings,
      })
      const ceiling = Math.min(of('consume'), of('insert'))
      return [
        result('bare kafkajs consume, nothing decoded', 'consume'),
        result('bare insert of ready blocks, all tables', 'insert'),
        result('ENGINE=Kafka, JSON', 'engineJson'),
        result('ENGINE=Kafka, Avro', 'engineAvro'),
        result('sink, JSON', 'json', 'ENGINE=Kafka', of('engineJson')),
        result('sink, Avro', 'avro', 'ENGINE=Kafka', of('engineAvro')),
        result('sink, JSON', 'json', 'the lower ceiling', ceiling),
        result('sink, JSON', 'json', 'itself without exactly-once', of('jsonLoose')),
        result('sink, JSON, over TLS', 'jsonTls', 'itself without TLS', of('json')),
        result('sink, JSON, a tenth of it no event', 'poison', 'itself without', of('json')),
      ]
    })
    return [...rates, ...diskResults(disk, { rounds, settings })]
  } finally {
    await engine.close()
    await kafka.stop()
    await registry.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Every round writes into empty tables, with no merge of an earlier one under way. */
async function emptied(db: ClickHouse) {
  for (const table of TABLES) await db.command(`TRUNCATE TABLE ${table}`)
  await merged(db)
}

/** Waits until no merge is under way: the merges an insert causes are part of its cost. */
async function merged(db: ClickHouse) {
  while (
    Number((await db.query<{ n: string }>('SELECT count() AS n FROM system.merges'))[0]?.n) > 0
  )
    await new Promise((resolve) => setTimeout(resolve, 20))
}

async function consume(brokers: string, topic: string, events: number, round: number) {
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
        seen += batch.messages.length
        if (seen >= events) resolve()
      },
    })
  })
  await consumer.disconnect()
}

type ReadyBlock = Omit<FileInsert, 'token'>
/** As many as a partition's fetch holds. */
const BLOCK_EVENTS = 25_000

/** What the mapping makes of the topic, mapped beforehand: blocks of one partition's messages. */
function makeBlocks(directory: string, events: number): ReadyBlock[] {
  const mapping = PREDICTION_MAPPINGS[0]
  const seen = createSeenIds(0)
  const { read } = messageReader()
  const blocks: ReadyBlock[] = []
  for (let i = 0; i < events; i += BLOCK_EVENTS) {
    const stretch = Math.floor(i / (BLOCK_EVENTS * PARTITIONS)) * BLOCK_EVENTS * PARTITIONS
    const first = stretch + (i - stretch) / BLOCK_EVENTS
    const messages = Array.from({ length: Math.min(BLOCK_EVENTS, events - i) }, (_, k) => ({
      offset: i + k,
      timestampMs: Date.now(),
      key: Buffer.alloc(0),
      value: asJson(benchEvent(first + k * PARTITIONS)),
    }))
    const range: OffsetRange = {
      logEpoch: 'ready',
      topic: 'ready',
      partition: '0',
      first: String(i),
      last: String(i + messages.length - 1),
      mapping: mapping.version,
      replayed: false,
      continues: true,
      messages,
    }
    const mapped = mapping.map(range, read, seen)
    for (const { table, ...rows } of mapped.tables) {
      const block = encodeBlock(rows)
      if (!block) continue
      const path = join(directory, `${table}-${i}.native`)
      writeFileSync(path, Buffer.concat(block.parts))
      blocks.push({ table, columns: block.columns, path })
    }
    mapped.release()
  }
  return blocks
}

async function insertBlocks(db: ClickHouse, blocks: readonly ReadyBlock[], round: number) {
  for (const block of blocks) await db.insertFile({ ...block, token: `${round}-${block.path}` })
}

interface SinkRun {
  brokers: string
  db: ClickHouse
  directory: string
  registryUrl: string
  topic: string
  events: number
  round: number
  /** Neither TLS nor a login where absent. */
  security?: KafkaSecurity
}

async function exactlyOnce(run: SinkRun) {
  const log = pino({ level: 'silent' })
  const eventLog = kafkaLog({
    brokers: [run.brokers],
    clientId: 'bench',
    topics: Object.values(TOPICS),
    ...(run.security && { security: run.security }),
    log,
  })
  const sink = createSink({
    service: 'bench',
    mappings: PREDICTION_MAPPINGS,
    reader: messageReader(avroReader(schemaRegistry(run.registryUrl))),
    clickhouse: run.db,
    spool: createSpool(join(run.directory, 'spool'), 'process'),
    eventLog,
    metrics: createMetrics(),
    duplicateHorizon: 1_000_000,
    now: Date.now,
  })
  const controller = new AbortController()
  let stored = 0
  const consumer = eventLog.ranges({
    topic: run.topic,
    group: `sink-${run.topic}-${run.round}`,
    mapping: sink.mapping,
    store: sink.store,
    // Each round is a log of its own: the same offsets must not look like a replay.
    lastStored: async () => ({ epoch: run.round, next: 0 }),
    committed: (range) => {
      stored += range.messages.length
      if (stored >= run.events) controller.abort()
    },
  })
  await runModules([eventLog.module, consumer], controller.signal, log)
}

/**
 * Stores by the mapping and the inserts alone: no intent, no tokens, no reading back, and one
 * commit after each batch.
 */
async function atLeastOnce(run: SinkRun) {
  const kafka = new kafkajs.Kafka({ brokers: [run.brokers], logLevel: kafkajs.logLevel.NOTHING })
  const consumer = kafka.consumer({
    groupId: `loose-${run.topic}-${run.round}`,
    ...FETCH,
    maxBytesPerPartition: MAX_FETCHED,
    maxBytes: MAX_FETCHED,
  })
  const spool = createSpool(join(run.directory, 'loose'), 'process')
  const mapping = PREDICTION_MAPPINGS[0]
  const { read } = messageReader()
  const memories = new Map<number, SeenIds>()
  await consumer.connect()
  await consumer.subscribe({ topic: run.topic, fromBeginning: true })
  let stored = 0
  await new Promise<void>((resolve, reject) => {
    void consumer
      .run({
        autoCommit: false,
        partitionsConsumedConcurrently: 2,
        eachBatch: async (payload) => {
          const { batch } = payload
          const messages = batch.messages.map((message) => ({
            offset: Number(message.offset),
            timestampMs: Number(message.timestamp),
            key: message.key!,
            value: message.value!,
          }))
          const range: OffsetRange = {
            logEpoch: 'loose',
            topic: run.topic,
            partition: String(batch.partition),
            first: String(messages[0]!.offset),
            last: String(messages.at(-1)!.offset),
            mapping: mapping.version,
            replayed: false,
            continues: true,
            messages,
          }
          let seen = memories.get(batch.partition)
          if (!seen) memories.set(batch.partition, (seen = createSeenIds(1_000_000)))
          const mapped = mapping.map(range, read, seen)
          for (const { table, ...rows } of mapped.tables) {
            const block = encodeBlock(rows)
            if (block)
              await spool.withFile(block.parts, (path) =>
                run.db.insertFile({
                  table,
                  columns: block.columns,
                  path,
                  token: crypto.randomUUID(),
                }),
              )
          }
          mapped.release()
          seen.keep()
          payload.resolveOffset(range.last)
          await payload.commitOffsetsIfNecessary({
            topics: [
              {
                topic: run.topic,
                partitions: [
                  { partition: batch.partition, offset: String(Number(range.last) + 1) },
                ],
              },
            ],
          })
          stored += messages.length
          if (stored >= run.events) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
}

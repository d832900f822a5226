/**
 * One Kafka client in a process of its own, for `clients.ts`: `node kafka-client.ts <task as JSON>`
 * prints what it found as JSON.
 *
 * Values are bytes that nobody parses, offsets are committed once at the end, and a first pass over
 * the topic warms up.
 */
import { createRequire } from 'node:module'
import kafkajs, { type KafkaConfig } from 'kafkajs'
import { registerCodecs } from '../../lib/event-log/kafkajs-patches/codecs.ts'
import { useFastRecords } from '../../lib/event-log/kafkajs-patches/record-batches.ts'
import { fixKafkajsTimer } from '../../lib/event-log/kafkajs-patches/request-timer.ts'
import { responseSocket } from '../../lib/event-log/kafkajs-patches/responses.ts'
import { measured, type Measured } from './measured.ts'

/** What a process is to do. */
export interface ClientTask {
  client: keyof typeof CLIENTS
  /** `consume` measures; `abilities` tries what exactly-once needs. */
  task: 'consume' | 'abilities'
  brokers: string
  topic: string
  group: string
  events: number
  /** Folder with the `node_modules` of the peers. */
  peers: string
}

/** What a client can do, tried on the broker: `yes`, or the reason for not. */
export interface Abilities {
  'offsets with metadata': string
  'offsets in a transaction': string
}

interface Client {
  /** Resolves when as many events have come as the task names, and their offsets are committed. */
  consume: (task: ClientTask) => Promise<void>
  /** Commits offset 7 of partition 0 with the metadata `m`. */
  commitMetadata: (task: ClientTask) => Promise<void>
  /** Sends a message, and commits offset 9 of partition 0 in the same transaction. */
  commitInTransaction: (task: ClientTask) => Promise<void>
}

/** As large as the product fetches. */
const MAX_FETCHED = 64 << 20
const SESSION_MS = 30_000

const CLIENTS = { kafkajs: ofKafkajs, patched, platformatic, confluent }

/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-explicit-any -- peers are installed on demand, so their types are absent */

function ofKafkajs({ brokers }: ClientTask, patches: Partial<KafkaConfig> = {}): Client {
  const kafka = new kafkajs.Kafka({
    brokers: [brokers],
    logLevel: kafkajs.logLevel.NOTHING,
    ...patches,
  })
  return {
    consume: (task) =>
      byBatches(
        kafka.consumer({
          groupId: task.group,
          sessionTimeout: SESSION_MS,
          maxBytesPerPartition: MAX_FETCHED,
          maxBytes: MAX_FETCHED,
          maxWaitTimeInMs: 100,
        }),
        task,
        { autoCommit: false },
      ),
    commitMetadata: async ({ group, topic }) => {
      const consumer = kafka.consumer({ groupId: group })
      await joined(consumer, topic, { autoCommit: false })
      await consumer.commitOffsets([{ topic, partition: 0, offset: '7', metadata: 'm' }])
      await consumer.disconnect()
    },
    commitInTransaction: async ({ group, topic }) => {
      const producer = kafka.producer({
        transactionalId: group,
        idempotent: true,
        maxInFlightRequests: 1,
        createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      })
      await producer.connect()
      const transaction = await producer.transaction()
      await transaction.send({ topic, messages: [{ value: 'x' }] })
      await transaction.sendOffsets({
        consumerGroupId: group,
        topics: [{ topic, partitions: [{ partition: 0, offset: '9' }] }],
      })
      await transaction.commit()
      await producer.disconnect()
    },
  }
}

/** kafkajs as the product has it. */
function patched(task: ClientTask): Client {
  fixKafkajsTimer()
  registerCodecs()
  useFastRecords()
  return ofKafkajs(task, { socketFactory: responseSocket })
}

/** The methods that kafkajs' consumer and Confluent's have in common. */
interface BatchConsumer {
  connect: () => Promise<void>
  subscribe: (what: any) => Promise<void>
  run: (how: any) => Promise<void>
  commitOffsets: (offsets: { topic: string; partition: number; offset: string }[]) => Promise<void>
  disconnect: () => Promise<void>
}

async function byBatches(
  consumer: BatchConsumer,
  { topic, events }: ClientTask,
  run: Record<string, unknown>,
): Promise<void> {
  await consumer.connect()
  await consumer.subscribe({ topic, topics: [topic], fromBeginning: true })
  const next = new Map<number, string>()
  let seen = 0
  await new Promise<void>((resolve, reject) => {
    const eachBatch = async ({ batch }: any) => {
      for (const message of batch.messages) if (message.value.length > 0) seen++
      next.set(batch.partition, String(BigInt(batch.messages.at(-1).offset) + 1n))
      if (seen >= events) resolve()
    }
    consumer.run({ partitionsConsumedConcurrently: 4, eachBatch, ...run }).catch(reject)
  })
  await consumer.commitOffsets(
    [...next].map(([partition, offset]) => ({ topic, partition, offset })),
  )
  await consumer.disconnect()
}

/** Resolves when the consumer has partitions. */
async function joined(consumer: any, topic: string, run: object = {}): Promise<void> {
  await consumer.connect()
  await consumer.subscribe({ topic, topics: [topic], fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    consumer.run({ eachMessage: async () => resolve(), ...run }).catch(reject)
  })
}

function platformatic({ brokers, peers }: ClientTask): Client {
  const { Consumer, Producer } = peerModule(peers, '@platformatic/kafka')
  const base = { clientId: 'bench', bootstrapBrokers: [brokers] }
  const consumerOf = (group: string) =>
    new Consumer({
      ...base,
      groupId: group,
      sessionTimeout: SESSION_MS,
      maxBytes: MAX_FETCHED,
      maxBytesPerPartition: MAX_FETCHED,
      maxWaitTime: 100,
      highWaterMark: 65_536,
    })
  const streamOf = (consumer: any, topic: string) =>
    consumer.consume({
      topics: [topic],
      autocommit: false,
      mode: 'committed',
      fallbackMode: 'earliest',
    })
  return {
    consume: async ({ topic, group, events }) => {
      const consumer = consumerOf(group)
      const stream = await streamOf(consumer, topic)
      const next = new Map<number, bigint>()
      let seen = 0
      await new Promise<void>((resolve, reject) => {
        stream.on('error', reject)
        stream.on('data', ({ value, partition, offset }: any) => {
          if (value.length > 0) seen++
          next.set(partition, offset + 1n)
          if (seen >= events) resolve()
        })
      })
      await consumer.commit({
        offsets: [...next].map(([partition, offset]) => ({
          topic,
          partition,
          offset,
          leaderEpoch: 0,
        })),
      })
      await consumer.close(true)
    },
    commitMetadata: async ({ topic, group }) => {
      const consumer = consumerOf(group)
      await streamOf(consumer, topic)
      await consumer.commit({
        offsets: [{ topic, partition: 0, offset: 7n, leaderEpoch: 0, metadata: 'm' }],
      })
      await consumer.close(true)
    },
    commitInTransaction: async ({ topic, group }) => {
      const consumer = consumerOf(group)
      const stream = await streamOf(consumer, topic)
      const message = await new Promise<any>((resolve) => {
        stream.on('data', (one: any) => {
          if (one.partition === 0 && one.offset === 8n) resolve(one)
        })
      })
      const producer = new Producer({ ...base, transactionalId: group, idempotent: true })
      const transaction = await producer.beginTransaction()
      await transaction.send({ messages: [{ topic, value: Buffer.from('x') }] })
      await transaction.addConsumer(consumer)
      await transaction.addOffset(message)
      await transaction.commit()
      await producer.close(true)
      await consumer.close(true)
    },
  }
}

function confluent({ brokers, peers }: ClientTask): Client {
  const { KafkaJS } = peerModule(peers, '@confluentinc/kafka-javascript')
  const kafka = new KafkaJS.Kafka({
    kafkaJS: { brokers: [brokers], logLevel: KafkaJS.logLevel.NOTHING },
  })
  const consumerOf = (group: string) =>
    kafka.consumer({
      kafkaJS: {
        groupId: group,
        sessionTimeout: SESSION_MS,
        fromBeginning: true,
        autoCommit: false,
        maxBytesPerPartition: MAX_FETCHED,
        maxBytes: MAX_FETCHED,
        maxWaitTimeInMs: 100,
      },
      'js.consumer.max.batch.size': -1,
    })
  // Its subscription has no start: the consumer's own does.
  const subscribing = (consumer: any): BatchConsumer => ({
    connect: () => consumer.connect(),
    subscribe: ({ topics }) => consumer.subscribe({ topics }),
    run: (how) => consumer.run(how),
    commitOffsets: (offsets) => consumer.commitOffsets(offsets),
    disconnect: () => consumer.disconnect(),
  })
  return {
    consume: (task) => byBatches(subscribing(consumerOf(task.group)), task, {}),
    commitMetadata: async ({ topic, group }) => {
      const consumer = subscribing(consumerOf(group))
      await joined(consumer, topic)
      const offset: any = { topic, partition: 0, offset: '7', metadata: 'm' }
      await consumer.commitOffsets([offset])
      await consumer.disconnect()
    },
    commitInTransaction: async ({ topic, group }) => {
      const consumer = consumerOf(group)
      await joined(subscribing(consumer), topic)
      const producer = kafka.producer({ kafkaJS: { transactionalId: group } })
      await producer.connect()
      const transaction = await producer.transaction()
      await transaction.send({ topic, messages: [{ value: 'x' }] })
      await transaction.sendOffsets({
        consumer,
        topics: [{ topic, partitions: [{ partition: 0, offset: '9' }] }],
      })
      await transaction.commit()
      await producer.disconnect()
      await consumer.disconnect()
    },
  }
}

const peerModule = (peers: string, name: string): any => createRequire(`${peers}/`)(name)

/* oxlint-enable */

async function abilitiesOf(client: Client, task: ClientTask): Promise<Abilities> {
  const tried = async (name: string, work: (task: ClientTask) => Promise<void>, wanted: string) => {
    const group = `${task.group}-${name}`
    try {
      await work({ ...task, group })
      const found = await committed(task, group)
      return found === wanted ? 'yes' : `no: ${JSON.stringify(found)} in place of "${wanted}"`
    } catch (error) {
      return `no: ${String(error)}`
    }
  }
  return {
    'offsets with metadata': await tried('metadata', client.commitMetadata, '7, metadata m'),
    'offsets in a transaction': await tried(
      'transaction',
      client.commitInTransaction,
      '9, metadata ',
    ),
  }
}

/** What the broker has of partition 0. */
async function committed({ brokers, topic }: ClientTask, groupId: string): Promise<string> {
  const kafka = new kafkajs.Kafka({ brokers: [brokers], logLevel: kafkajs.logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  const [found] = await admin.fetchOffsets({ groupId, topics: [topic] })
  await admin.disconnect()
  const of = found?.partitions.find(({ partition }) => partition === 0)
  return `${of?.offset}, metadata ${of?.metadata ?? ''}`
}

async function measure(client: Client, task: ClientTask): Promise<Measured> {
  await client.consume({ ...task, group: `${task.group}-warm` })
  return measured(task.events, () => client.consume(task))
}

const task = JSON.parse(process.argv[2]!) as ClientTask
const client = CLIENTS[task.client](task)
console.log(
  JSON.stringify(
    task.task === 'consume' ? await measure(client, task) : await abilitiesOf(client, task),
  ),
)
process.exit(0)

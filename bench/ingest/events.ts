/** The events of the benchmarks: twenty numeric features each, in JSON and in our Avro schema. */
import { readFileSync } from 'node:fs'
import avsc from 'avsc'
import kafkajs from 'kafkajs'
import { schemaRegistry } from '../../lib/events/avro/schema-registry.ts'

export const PARTITIONS = 4

export function benchEvent(i: number) {
  return {
    prediction_id: `0198c1f2-7d10-7aaa-8bbb-${100000000000 + i}`,
    model_id: 'bench',
    model_version: '7',
    predicted_at: new Date(Date.UTC(2026, 0, 1) + Math.floor(i / 50)).toISOString(),
    prediction: i % 3 === 0 ? '1' : '0',
    score: ((i * 7919) % 10007) / 10007,
    attributes: { region: `r${i % 7}` },
    features: Object.fromEntries(
      Array.from({ length: 20 }, (_, k) => [
        `f${k}`,
        Math.round(Math.sin((i + 1) * (k + 1)) * 1e5) / 1e3,
      ]),
    ),
  }
}

type Encode = (event: ReturnType<typeof benchEvent>) => Buffer

export const asJson: Encode = (event) => Buffer.from(JSON.stringify(event))

/** Every tenth event is none. */
export function asPoisonedJson(): Encode {
  let i = 0
  return (event) => (i++ % 10 === 0 ? Buffer.from('{"prediction_id":') : asJson(event))
}

/** Confluent's wire format, by our published schema; registers it. */
export async function asAvro(registryUrl: string, subject: string): Promise<Encode> {
  const text = readFileSync(
    new URL('../../schemas/avro/prediction.v1.avsc', import.meta.url),
    'utf8',
  )
  const id = await schemaRegistry(registryUrl).register(subject, text)
  const type = avsc.Type.forSchema(JSON.parse(text) as avsc.Schema)
  const header = Buffer.alloc(5)
  header.writeInt32BE(id, 1)
  return (event) =>
    Buffer.concat([
      header,
      type.toBuffer({
        ...event,
        predicted_at: Date.parse(event.predicted_at),
        features: JSON.stringify(event.features),
      }),
    ])
}

/** Fills a topic, and returns the mean size of a value. */
export async function produce(
  brokers: string,
  topic: string,
  events: number,
  encode: Encode,
): Promise<number> {
  const kafka = new kafkajs.Kafka({ brokers: [brokers], logLevel: kafkajs.logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }] })
  await admin.disconnect()
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  let bytes = 0
  for (let i = 0; i < events; i += 2000) {
    const messages = Array.from({ length: Math.min(2000, events - i) }, (_, k) => {
      const event = benchEvent(i + k)
      const value = encode(event)
      bytes += value.length
      return { key: `bench/${event.prediction_id}`, value }
    })
    await producer.send({ topic, acks: 1, messages })
  }
  await producer.disconnect()
  return Math.round(bytes / events)
}

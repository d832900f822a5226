/**
 * `npm run redrive -- --reason … --since …`: puts dead letters back into the topic they came from, after what refused them was
 * mended. One that is still refused becomes a dead letter anew; one that was stored meanwhile
 * counts as a duplicate.
 */
import { parseArgs } from 'node:util'
import kafkajs from 'kafkajs'
import { clientOptions } from '../lib/event-log/kafka.ts'
import { namesIn } from '../lib/event-log/kafka-connection/names.ts'
import { kafkaProblems, kafkaSecurity } from '../lib/platform/kafka-security.ts'
import { PlatformConfig } from '../lib/platform/platform-config.ts'
import { ConfigError, readConfig } from '../lib/runtime/config.ts'
import { createLog } from '../lib/runtime/log.ts'
import { TOPICS } from '../schemas/topics.ts'
import { serverEngine } from '../lib/clickhouse/port.ts'
import { clickHouseAccess } from '../lib/platform/clickhouse-access.ts'

const USAGE =
  'npm run redrive -- --reason <reason> --since <RFC 3339> [--until <RFC 3339>] [--topic plumbline.predictions.v1] [--dry-run]\nreads PLUMBLINE_CLICKHOUSE_URL (http://127.0.0.1:8123), PLUMBLINE_CLICKHOUSE_USER, PLUMBLINE_CLICKHOUSE_PASSWORD and PLUMBLINE_KAFKA_BROKERS with the other PLUMBLINE_KAFKA_ settings, or PLUMBLINE_INGEST_URL where there is no Kafka'

const { values } = parseArgs({
  options: {
    reason: { type: 'string' },
    since: { type: 'string' },
    until: { type: 'string', default: '2099-12-31T23:59:59Z' },
    topic: { type: 'string', default: 'plumbline.predictions.v1' },
    'dry-run': { type: 'boolean', default: false },
  },
})
const since = Date.parse(values.since ?? '')
const until = Date.parse(values.until)
if (!values.reason || Number.isNaN(since) || Number.isNaN(until)) {
  console.error(USAGE)
  process.exit(2)
}

if (values.topic.includes('/')) {
  console.error(
    `${values.topic} is of a source: nothing is written into a topic that is not ours. Mend the source file, write the values of its dead letters into a file, and import it: npm run import -- --source ${values.topic.split('/')[0]} --files <file>`,
  )
  process.exit(2)
}

interface Letter {
  log_epoch: string
  partition: string
  offset: string
  key: string
  value: string
  headers: Record<string, string>
}

/** Letters hold up to 512 KiB each; a reader's answer is at most 100 MB. */
const PAGE = 100
const engine = serverEngine(
  clickHouseAccess({
    PLUMBLINE_CLICKHOUSE_URL: process.env['PLUMBLINE_CLICKHOUSE_URL'] ?? 'http://127.0.0.1:8123',
    PLUMBLINE_CLICKHOUSE_USER: process.env['PLUMBLINE_CLICKHOUSE_USER'] ?? 'default',
    PLUMBLINE_CLICKHOUSE_PASSWORD: process.env['PLUMBLINE_CLICKHOUSE_PASSWORD'],
    PLUMBLINE_CLICKHOUSE_CA_FILE: process.env['PLUMBLINE_CLICKHOUSE_CA_FILE'],
    PLUMBLINE_CLICKHOUSE_DATABASE: process.env['PLUMBLINE_CLICKHOUSE_DATABASE'],
    PLUMBLINE_CLICKHOUSE_CLUSTER: process.env['PLUMBLINE_CLICKHOUSE_CLUSTER'],
  }),
)
const db = engine.connect('redrive')
const put = values['dry-run'] ? async () => {} : await destination(values.topic)
let redriven = 0
/** As far as we have come: letters that come meanwhile are not taken. */
const params = {
  topic: values.topic,
  reason: values.reason,
  since,
  until: Math.min(until, Date.now()),
}
/** The last letter that went; pages begin after it, however many there are. */
let after = { log_epoch: '', partition: '', offset: '0' }
for (;;) {
  // Bytes that are no text travel as base64.
  const letters = await db.query<Letter>(
    `SELECT log_epoch, partition, offset, base64Encode(key) AS key, base64Encode(value) AS value, headers FROM dead_letters
     WHERE topic = {topic:String} AND reason = {reason:String} AND received_at BETWEEN fromUnixTimestamp64Milli({since:Int64}) AND fromUnixTimestamp64Milli({until:Int64})
       AND (log_epoch, partition, offset) > ({log_epoch:String}, {partition:String}, {offset:UInt64})
     ORDER BY log_epoch, partition, offset LIMIT ${PAGE}`,
    { ...params, ...after },
  )
  await put(letters)
  redriven += letters.length
  const last = letters.at(-1)
  if (!last || letters.length < PAGE) break
  after = { log_epoch: last.log_epoch, partition: last.partition, offset: last.offset }
}
console.log(
  `${redriven} dead letters of ${values.reason} ${values['dry-run'] ? 'would go' : 'went'} back to ${values.topic}`,
)
await engine.close()
process.exit(0)

async function destination(topic: string): Promise<(letters: readonly Letter[]) => Promise<void>> {
  const brokers = process.env['PLUMBLINE_KAFKA_BROKERS']
  if (!brokers) {
    const url = `${process.env['PLUMBLINE_INGEST_URL'] ?? 'http://127.0.0.1:8080'}/v1/${['labels', 'attributes'].find((door) => topic.includes(door)) ?? 'predictions'}`
    return async (letters) => {
      if (letters.length === 0) return
      const body = letters.map(({ value }) => Buffer.from(value, 'base64').toString()).join('\n')
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body,
      })
      if (!response.ok && response.status !== 400)
        throw new Error(`${url} answered ${response.status}`)
    }
  }
  const config = readConfig(PlatformConfig, process.env)
  const problems = kafkaProblems(config)
  if (problems.length > 0) throw new ConfigError(problems)
  const names = namesIn(Object.values(TOPICS), { topicPrefix: config.PLUMBLINE_KAFKA_TOPIC_PREFIX })
  const client = clientOptions({
    clientId: 'plumbline-redrive',
    brokers: brokers.split(','),
    security: kafkaSecurity(config, Date.now),
    log: createLog('silent'),
  })
  const producer = new kafkajs.Kafka(client).producer({
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  return async (letters) => {
    if (letters.length === 0) return
    await producer.send({
      topic: names.topicOf(topic),
      acks: -1,
      messages: letters.map(({ key, value, headers }) => ({
        key: key === '' ? null : Buffer.from(key, 'base64'),
        value: Buffer.from(value, 'base64'),
        headers,
      })),
    })
  }
}

/**
 * SIGKILL at every step of storing a range: whoever comes next completes it, and nothing is counted
 * twice.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startKafka, type LocalKafka } from '../../deploy/local/kafka.ts'
import { embeddedEngine } from '../../lib/clickhouse/embedded.ts'
import { kafkaLog } from '../../lib/event-log/kafka.ts'
import { TOPICS } from '../../schemas/topics.ts'
import { pino } from 'pino'
import { temporaryDirectory } from '../harness.ts'
import { ROOT } from '../servers/processes.ts'
import { expectTotals, faultProducer } from './totals.ts'

const directory = temporaryDirectory()
let kafka: LocalKafka
let producer: Awaited<ReturnType<typeof faultProducer>>
beforeAll(async () => {
  kafka = await startKafka({ directory: join(directory, 'kafka') })
  const log = kafkaLog({
    brokers: [kafka.brokers],
    clientId: 'setup',
    // One partition: then every run has one range.
    topics: Object.values(TOPICS).map((card) => ({ ...card, partitions: 1 })),
    log: pino({ level: 'silent' }),
  })
  const made = new AbortController()
  const running = log.module.run!(made.signal)
  producer = await faultProducer(kafka.brokers)
  for (let i = 0; i < 100; i++) {
    try {
      await producer.send(10)
      break
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  made.abort()
  await running
  await log.module.stop!()
})
afterAll(async () => {
  await producer?.stop()
  await kafka?.stop()
})

/** Resolves with the signal or the exit code. */
const run = (step: string, expected: number) =>
  new Promise<string>((resolve) => {
    const child = spawn(
      process.execPath,
      [
        'test/faults/stepped-ingest.ts',
        kafka.brokers,
        join(directory, 'data'),
        step,
        String(expected),
      ],
      {
        cwd: ROOT,
        env: { ...process.env, UV_THREADPOOL_SIZE: '24' },
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    )
    child.once('exit', (code, signal) => resolve(signal ?? String(code)))
  })

let poison = 0
/** `npm run test:faults` takes every step. */
const ALL_STEPS = [
  'before intent',
  'after intent',
  ...[0, 1, 2, 3, 4, 5, 6, 7].flatMap((n) => [`before insert ${n}`, `within insert ${n}`]),
  'after insert 7',
  'before commit',
  'after commit',
]

const SHORT = new Set([
  'after intent',
  'within insert 0',
  'before insert 3',
  'within insert 7',
  'before commit',
])
const STEPS =
  process.env['FAULTS'] === 'all' ? ALL_STEPS : ALL_STEPS.filter((step) => SHORT.has(step))

test.each(STEPS)('killed %s', async (step) => {
  await producer.send(200)
  await producer.poison()
  poison++
  expect(await run(step, 0)).toBe('SIGKILL')
  expect(await run('', producer.sent() + poison)).toBe('0')
  const engine = embeddedEngine(join(directory, 'data', 'clickhouse'))
  try {
    await expectTotals((sql) => engine.connect('check').query(sql), producer.sent(), poison)
  } finally {
    await engine.close()
  }
})

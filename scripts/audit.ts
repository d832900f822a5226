/**
 * Holds the audit log against its anchors, and makes decisions again:
 *
 *     npm run audit -- verify [--anchors FILE]
 *     npm run audit -- replay --run ID
 *
 * Entries are read from PLUMBLINE_URL (http://127.0.0.1:8080), with the key of PLUMBLINE_KEY where
 * keys are set. Anchors are read from Kafka where PLUMBLINE_KAFKA_BROKERS is set, else from FILE
 * (audit-anchors.ndjson of PLUMBLINE_DATA_DIR). Ends with 1 where something is wrong.
 */
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import kafkajs from 'kafkajs'
import { clientOptions } from '../lib/event-log/kafka.ts'
import { namesIn } from '../lib/event-log/kafka-connection/names.ts'
import { kafkaProblems, kafkaSecurity } from '../lib/platform/kafka-security.ts'
import { PlatformConfig } from '../lib/platform/platform-config.ts'
import {
  anchorOf,
  beginVerification,
  endVerification,
  verifyPage,
  type AuditAnchor,
} from '../lib/postgres/audit-verify.ts'
import type { AuditEntry } from '../lib/postgres/audit-log.ts'
import { ConfigError, readConfig } from '../lib/runtime/config.ts'
import { messageOf } from '../lib/runtime/errors.ts'
import { createLog } from '../lib/runtime/log.ts'
import { didYouMean } from '../lib/runtime/nearest-name.ts'
import type { ReplayAnswer } from '../schemas/http/runs/run-evidence.ts'
import { TOPICS } from '../schemas/topics.ts'
import { ANCHOR_FILE } from '../services/keep/loop/anchor-audit.ts'
import { ask } from './ask-service.ts'

const USAGE = 'usage: npm run audit -- verify [--anchors FILE] | replay --run ID'
const COMMANDS = ['verify', 'replay']
const PAGE = 1000
/** How long the end of the topic is waited for. */
const KAFKA_MS = 60_000

interface AuditPage {
  entries: AuditEntry[]
  complete: boolean
  reason: string
  head: { entries: number; hash: string }
}

/** Anchors in the order in which they were told, and where they are from. */
async function readAnchors(
  file: string | undefined,
): Promise<{ anchors: AuditAnchor[]; from: string }> {
  if (file === undefined && process.env['PLUMBLINE_KAFKA_BROKERS'])
    return { anchors: await anchorsOfTopic(), from: `the topic ${TOPICS.auditAnchors.topic}` }
  const path = file ?? join(process.env['PLUMBLINE_DATA_DIR'] ?? './data', ANCHOR_FILE)
  if (!existsSync(path)) throw new Error(`there are no anchors: ${path} is not there`)
  const lines = readFileSync(path, 'utf8').split('\n')
  return { anchors: lines.flatMap((line) => anchorOf(line) ?? []), from: path }
}

async function anchorsOfTopic(): Promise<AuditAnchor[]> {
  const config = readConfig(PlatformConfig, process.env)
  const problems = kafkaProblems(config)
  if (problems.length > 0) throw new ConfigError(problems)
  const kafka = new kafkajs.Kafka(
    clientOptions({
      clientId: 'plumbline-audit',
      brokers: process.env['PLUMBLINE_KAFKA_BROKERS']!.split(','),
      security: kafkaSecurity(config, Date.now),
      log: createLog('silent'),
    }),
  )
  const names = namesIn(Object.values(TOPICS), {
    topicPrefix: config.PLUMBLINE_KAFKA_TOPIC_PREFIX,
    groupPrefix: config.PLUMBLINE_KAFKA_GROUP_PREFIX,
  })
  const topic = names.topicOf(TOPICS.auditAnchors.topic)
  const admin = kafka.admin()
  await admin.connect()
  const groupId = names.groupOf(`plumbline-audit-${randomUUID()}`)
  try {
    const ends = new Map(
      (await admin.fetchTopicOffsets(topic))
        .filter(({ high, low }) => BigInt(high) > BigInt(low))
        .map(({ partition, high }) => [partition, BigInt(high)]),
    )
    return await readTo(kafka.consumer({ groupId }), topic, ends)
  } finally {
    await admin.deleteGroups([groupId]).catch(() => {})
    await admin.disconnect()
  }
}

/** Reads a topic from its begin to what was its end, by partition. */
async function readTo(
  consumer: kafkajs.Consumer,
  topic: string,
  ends: Map<number, bigint>,
): Promise<AuditAnchor[]> {
  if (ends.size === 0) return []
  const anchors: AuditAnchor[] = []
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(() => reject(new Error(`${topic} was not read to its end`)), KAFKA_MS)
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        const anchor = anchorOf(String(message.value))
        if (anchor) anchors.push(anchor)
        if (BigInt(message.offset) + 1n >= (ends.get(partition) ?? 0n)) ends.delete(partition)
        if (ends.size === 0) resolve()
      },
    })
    await promise
    return anchors
  } finally {
    clearTimeout(timer)
    await consumer.disconnect()
  }
}

async function verify(file: string | undefined): Promise<boolean> {
  const { anchors, from } = await readAnchors(file)
  let done = beginVerification(anchors)
  let said: string | undefined
  for (;;) {
    const page = await ask<AuditPage>(`/v1/audit?after=${done.entries}&limit=${PAGE}`)
    if (!page.complete) said ??= page.reason
    done = verifyPage(done, page.entries)
    if (done.fault !== undefined || page.entries.length === 0) {
      done = endVerification(done, page.head)
      break
    }
  }
  const fault = done.fault ?? said
  const copied = said !== undefined && said !== fault ? ` (the service says: ${said})` : ''
  if (fault !== undefined) console.log(`broken: ${fault}${copied}`)
  else console.log(`whole: ${done.entries} entries follow from one another`)
  console.log(
    done.anchored
      ? `${anchors.length} anchors of ${from}; the last that agrees holds ${done.anchored.entries} entries of ${done.anchored.at}`
      : `${anchors.length} anchors of ${from}, of which none holds an entry: who replaced all of the log is not found out`,
  )
  return fault === undefined
}

async function replay(run: string | undefined): Promise<boolean> {
  if (run === undefined) throw new Error(USAGE)
  const answer = await ask<ReplayAnswer>(`/v1/runs/${encodeURIComponent(run)}/replay`)
  const { outcome, differences, recorded, recomputed, windows } = answer
  console.log(`${outcome.replace('_', ' ')}: run ${answer.run_id}`)
  console.log(`recorded:   ${recorded.action}: ${recorded.reason}`)
  if (recomputed)
    console.log(
      `recomputed: ${recomputed.action}: ${recomputed.reason} (from the results of ${windows} windows)`,
    )
  const { configuration, dataset } = answer
  for (const name of ['model_file_sha256', 'code_sha256'] as const)
    if (configuration)
      console.log(
        `${name}: ${configuration.recorded[name]}${configuration.current[name] === configuration.recorded[name] ? '' : `, now ${configuration.current[name]}`}`,
      )
  if (dataset.outcome !== 'none')
    console.log(`data set:   ${dataset.outcome}, manifest ${dataset.recorded_sha256}`)
  for (const difference of differences) console.log(`- ${difference}`)
  return outcome === 'identical'
}

const { values, positionals } = parseArgs({
  options: { anchors: { type: 'string' }, run: { type: 'string' } },
  allowPositionals: true,
})
const [command = '', ...more] = positionals
try {
  if (more.length > 0 || !COMMANDS.includes(command))
    throw new Error(`${USAGE}${didYouMean(command, COMMANDS)}`)
  const isRight = command === 'verify' ? await verify(values.anchors) : await replay(values.run)
  process.exitCode = isRight ? 0 : 1
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 2
}

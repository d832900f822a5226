/** The event log of this process: Kafka's, or the one in process with its journal. */
import { join } from 'node:path'
import { TOPICS } from '../../schemas/topics.ts'
import type { DiskProblem } from '../disk/free-space.ts'
import { memoryLog } from '../event-log/in-process.ts'
import { createJournal } from '../event-log/journal.ts'
import { kafkaLog } from '../event-log/kafka.ts'
import type { EventLog } from '../event-log/port.ts'
import { refusingWhenFull } from '../event-log/refuse-when-full.ts'
import { systemClock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { kafkaSecurity } from './kafka-security.ts'
import type { PlatformConfig } from './platform-config.ts'

/** Where the log in process keeps the ranges in hand, and those that were set aside. */
export const journalFolderOf = (dataDir: string) => join(dataDir, 'journal')

/**
 * Where the journal lies, when the disk is full, and whom the log reports to what it cannot store.
 */
export interface EventLogParts {
  dataDir: string
  diskProblem: DiskProblem
  log: Logger
  metrics: Metrics
}

/**
 * The log of Kafka where brokers are named and the target needs it; otherwise that of this process.
 */
export function openEventLog(
  config: PlatformConfig,
  needs: { eventLog: boolean },
  { dataDir, diskProblem, log, metrics }: EventLogParts,
): EventLog {
  if (config.PLUMBLINE_KAFKA_BROKERS && needs.eventLog)
    return kafkaLog({
      brokers: config.PLUMBLINE_KAFKA_BROKERS.split(','),
      clientId: 'plumbline',
      topics: topicsOf(config),
      sessionTimeoutMs: config.PLUMBLINE_KAFKA_SESSION_SECONDS * 1000,
      security: kafkaSecurity(config, systemClock),
      naming: {
        topicPrefix: config.PLUMBLINE_KAFKA_TOPIC_PREFIX,
        groupPrefix: config.PLUMBLINE_KAFKA_GROUP_PREFIX,
        replicationFactor: config.PLUMBLINE_KAFKA_REPLICATION_FACTOR,
      },
      log,
    })
  const setAside = (topic: string, messages: number, more: object) => {
    log.error({ topic, messages, ...more }, 'set aside: it could not be stored')
    metrics.events.inc({ service: 'log', topic, outcome: 'set_aside', reason: 'journal' }, messages)
  }
  return refusingWhenFull(
    memoryLog({
      now: systemClock,
      journal: createJournal({
        directory: journalFolderOf(dataDir),
        durable: config.PLUMBLINE_DURABLE,
        onUnreadable: (path, reason) => setAside('', 1, { path, reason }),
      }),
      onError: (what, error) => log.error({ what, error }, 'not stored'),
      onSetAside: (topic, messages, path) => setAside(topic, messages, { path }),
    }),
    EVENT_TOPICS,
    diskProblem,
  )
}

/**
 * The cards, with the partitions this installation asks for; a topic of one partition is one on
 * purpose.
 */
const topicsOf = (config: PlatformConfig) =>
  Object.values(TOPICS).map((card) => ({
    ...card,
    partitions: card.partitions > 1 ? config.PLUMBLINE_KAFKA_PARTITIONS : 1,
  }))

/** What comes from outside, and is kept once it was accepted. */
const EVENT_TOPICS = [TOPICS.predictions.topic, TOPICS.labels.topic, TOPICS.attributes.topic]

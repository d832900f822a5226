/** Waits for topics that are the user's own to make. */
import type { Admin } from 'kafkajs'
import { sleep } from '../../runtime/clock.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { ConsumerParts } from '../kafka-clients.ts'

const LOOK_EVERY_MS = 2000

/**
 * Resolves once the cluster has the topic, or the signal aborts. Meanwhile `/health/ready` says what
 * is waited for. The list of all topics is asked for: a question about this one would create it
 * where brokers create topics by themselves.
 */
export async function untilTopicExists(
  topic: string,
  consumer: string,
  { kafka, log, health }: Pick<ConsumerParts, 'kafka' | 'log' | 'health'>,
  signal: AbortSignal,
): Promise<void> {
  const admin = kafka.admin()
  const sentence = `${consumer} waits: Kafka has no topic ${topic}, or does not let us see it`
  let isTold = false
  try {
    while (!signal.aborted && !(await isThere(admin, topic, log))) {
      health.waits(consumer, sentence)
      if (!isTold) log.warn({ topic }, sentence)
      isTold = true
      await sleep(LOOK_EVERY_MS, signal)
    }
    if (isTold && !signal.aborted) log.info({ topic }, `${consumer}: the topic is there`)
  } finally {
    health.waits(consumer, undefined)
    await admin.disconnect().catch(() => {})
  }
}

/** A broker that is away does not say that a topic is: it is asked again. */
async function isThere(admin: Admin, topic: string, log: ConsumerParts['log']): Promise<boolean> {
  try {
    await admin.connect()
    return (await admin.listTopics()).includes(topic)
  } catch (error) {
    log.warn({ topic, error: messageOf(error) }, 'topics cannot be listed, trying again')
    return false
  }
}

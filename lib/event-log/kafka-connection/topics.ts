/**
 * The topics of a cluster: missing ones are created as their cards say, those that are otherwise
 * are told of.
 */
import kafkajs, { type Admin } from 'kafkajs'
import type { TopicCard } from '../../../schemas/topics.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { KafkaNames } from './names.ts'
import { isUnauthorized } from './refused.ts'
import { topicDifferences, type TopicSettings } from './topic-differences.ts'

const CONFIG_NAMES = ['cleanup.policy', 'message.timestamp.type', 'retention.ms']

/** @throws Error that names the missing topics where we may not create them */
export async function createMissingTopics(
  admin: Admin,
  cards: readonly TopicCard[],
  { topicOf, replicationFactor }: KafkaNames,
): Promise<void> {
  const existing = new Set(await admin.listTopics())
  const missing = cards.filter((card) => !existing.has(topicOf(card.topic)))
  if (missing.length === 0) return
  try {
    await admin.createTopics({
      waitForLeaders: true,
      topics: missing.map((card) => ({
        topic: topicOf(card.topic),
        numPartitions: card.partitions,
        replicationFactor,
        configEntries: [
          { name: 'retention.ms', value: String(retentionMs(card)) },
          // The broker's clock, so that a replay of a range reads the same received_at.
          { name: 'message.timestamp.type', value: 'LogAppendTime' },
        ],
      })),
    })
  } catch (cause) {
    throw new Error(
      `the topics ${missing.map(({ topic }) => topicOf(topic)).join(', ')} are missing and could not be created: ${reasonOf(cause)}`,
      { cause },
    )
  }
}

/** kafkajs gathers what the broker said of each topic. */
function reasonOf(error: unknown): string {
  const { errors } = error as { errors?: readonly Error[] }
  return errors ? [...new Set(errors.map(messageOf))].join('; ') : messageOf(error)
}

const retentionMs = ({ retentionDays }: TopicCard) => retentionDays * 86_400_000

/**
 * A sentence for each setting of each topic that differs from its card, with what it means; one for
 * all where we may not read the settings.
 */
export async function topicReports(
  admin: Admin,
  cards: readonly TopicCard[],
  { topicOf }: KafkaNames,
): Promise<string[]> {
  try {
    const found = await readSettings(
      admin,
      cards.map(({ topic }) => topicOf(topic)),
    )
    return cards.flatMap((card) => {
      const topic = topicOf(card.topic)
      const settings = found.get(topic)
      return settings
        ? topicDifferences(card, settings).map((text) => `topic ${topic} ${text}`)
        : []
    })
  } catch (error) {
    if (!isUnauthorized(error)) throw error
    return [
      `the settings of the topics cannot be compared with what is expected: ${messageOf(error)}`,
    ]
  }
}

/** How long the brokers keep topics, milliseconds, below 0 where not by time. */
export async function topicRetention(
  admin: Admin,
  cards: readonly TopicCard[],
  { topicOf }: KafkaNames,
): Promise<{ topic: string; retentionMs: number }[]> {
  const found = await readSettings(
    admin,
    cards.map(({ topic }) => topicOf(topic)),
  )
  return [...found].map(([topic, { retentionMs }]) => ({ topic, retentionMs }))
}

async function readSettings(
  admin: Admin,
  names: readonly string[],
): Promise<Map<string, TopicSettings>> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [...names] })
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map((name) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configNames: CONFIG_NAMES,
    })),
  })
  const partitions = new Map(topics.map((topic) => [topic.name, topic.partitions.length]))
  return new Map(
    resources.map(({ resourceName, configEntries }) => {
      const values = new Map(configEntries.map((entry) => [entry.configName, entry.configValue]))
      return [
        resourceName,
        {
          partitions: partitions.get(resourceName) ?? 0,
          cleanupPolicy: values.get('cleanup.policy') ?? 'delete',
          timestampType: values.get('message.timestamp.type') ?? 'LogAppendTime',
          retentionMs: Number(values.get('retention.ms') ?? -1),
        },
      ]
    }),
  )
}

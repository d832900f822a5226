/** What a cluster calls our topics and groups. */
import type { TopicCard } from '../../../schemas/topics.ts'

/** What an installation adds to the names, and how it makes its topics. */
export interface KafkaNaming {
  /** Before the name of each of our own topics. */
  topicPrefix: string
  /** Before the name of each group. */
  groupPrefix: string
  /** Replicas of new topics; the brokers' default where absent. */
  replicationFactor: number | undefined
}

/** Turns our names into the cluster's. */
export interface KafkaNames {
  /** The cluster's name of a topic; one that is not among our cards has its own name. */
  topicOf: (topic: string) => string
  groupOf: (group: string) => string
  /** -1 for the brokers' default. */
  replicationFactor: number
}

/** Names as an installation wants them; without prefixes unless told. */
export function namesIn(
  cards: readonly TopicCard[],
  { topicPrefix = '', groupPrefix = '', replicationFactor = -1 }: Partial<KafkaNaming> = {},
): KafkaNames {
  const own = new Set(cards.map(({ topic }) => topic))
  return {
    topicOf: (topic) => (own.has(topic) ? topicPrefix + topic : topic),
    groupOf: (group) => groupPrefix + group,
    replicationFactor,
  }
}

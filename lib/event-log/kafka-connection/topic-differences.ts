/** How a topic that exists differs from its card, and what that means for the events in it. */
import type { TopicCard } from '../../../schemas/topics.ts'

/** What a cluster says of a topic. */
export interface TopicSettings {
  partitions: number
  /** `delete`, `compact`, or both with a comma. */
  cleanupPolicy: string
  /** `LogAppendTime` or `CreateTime`. */
  timestampType: string
  /** -1: for ever. */
  retentionMs: number
}

const DAY_MS = 86_400_000

/**
 * A sentence for each difference that matters, to be read after the topic's name; none where there
 * is none.
 */
export function topicDifferences(card: TopicCard, topic: TopicSettings): string[] {
  const texts: string[] = []
  const days = Math.round((10 * topic.retentionMs) / DAY_MS) / 10
  if (topic.cleanupPolicy.split(',').includes('compact'))
    texts.push(
      `is compacted (cleanup.policy=${topic.cleanupPolicy}): of messages with one key Kafka keeps the last, so earlier ones may be gone before they are stored; set cleanup.policy=delete`,
    )
  if (topic.timestampType !== 'LogAppendTime')
    texts.push(
      `has message.timestamp.type=${topic.timestampType}: its times are its producers’ word, so received_at is when a message was read first, and delays are counted from there; set LogAppendTime`,
    )
  if (topic.partitions !== card.partitions)
    texts.push(
      topic.partitions > card.partitions
        ? `has ${topic.partitions} partitions, not ${card.partitions}: ${moreMeans(card)}`
        : `has ${topic.partitions} partitions, not ${card.partitions}: no more than ${topic.partitions} processes share its work`,
    )
  if (topic.retentionMs >= 0 && topic.retentionMs < card.retentionDays * DAY_MS)
    texts.push(
      `keeps messages for ${days} days, not ${card.retentionDays}: what is not read by then is lost`,
    )
  return texts
}

const moreMeans = ({ partitions }: TopicCard) =>
  partitions === 1
    ? 'its messages keep their order by key only'
    : 'each partition remembers ids of its own, so memory for them grows with their number'

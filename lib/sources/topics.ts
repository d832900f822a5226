/** What ranges of a source are stored under. Pure. */
import type { SourceEventType } from './mapping.ts'

/**
 * The `topic` in tables and metrics of a source's events of one type, `fraud-scores/prediction`.
 * Services read a topic of the user's own apart, each for its own events, so its name alone would
 * mean several consumers; no topic of Kafka holds a slash.
 */
export const storedTopic = (source: string, type: SourceEventType): string => `${source}/${type}`

/** Whether a stored topic is that of some source's events of a type. */
export const isStoredTopicOf = (topic: string, type: SourceEventType): boolean =>
  topic.endsWith(`/${type}`)

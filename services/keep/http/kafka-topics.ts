/** What the brokers keep of events, which only they can delete. */
import type { EventLog } from '../../../lib/event-log/port.ts'

/** Topics and how long they are kept; empty where the log is in process. */
export async function kafkaTopics(
  eventLog: EventLog,
): Promise<{ topic: string; retention_ms: number | null }[]> {
  const topics = (await eventLog.retention?.()) ?? []
  return topics.map(({ topic, retentionMs }) => ({
    topic,
    retention_ms: retentionMs < 0 ? null : retentionMs,
  }))
}

/**
 * The health of a process' consumers: who has a place in its group, which partitions stand still
 * and why. `/health/ready` reports it, since a process whose consumers do nothing takes events that
 * nobody stores.
 */

/** Keeps what a process' consumers report, and says which of them do nothing for too long. */
export interface ConsumerHealth {
  /** A consumer begins; it has no place in its group yet. */
  begins: (consumer: string) => void
  /** Its group counts it as a member at this moment. */
  isMember: (consumer: string) => void
  /** It waits for what is not there: a sentence; undefined once it waits no more. */
  waits: (consumer: string, sentence: string | undefined) => void
  /** The sentences of those that wait. */
  waiting: () => string[]
  /** It ends on request, and is missed no more. */
  ends: (consumer: string) => void
  /**
   * The group gives it these partitions of the topic and no others: what stands still elsewhere is
   * not ours to report.
   */
  owns: (topic: string, partitions: readonly number[]) => void
  /** A range of the partition is not stored yet; without a reason, for the reason given last. */
  standsStill: (topic: string, partition: string, reason?: string) => void
  /** A range of the partition was stored. */
  goesOn: (topic: string, partition: string) => void
  /**
   * A sentence for each consumer without a place in its group, and each partition that stands
   * still, for too long.
   */
  problems: () => string[]
}

/** The clock, in epoch milliseconds, and the patience of {@link consumerHealth}. */
export interface ConsumerHealthOptions {
  now: () => number
  /**
   * How long a consumer may be without a place, and a partition may stand still, in milliseconds.
   */
  patienceMs: number
}

/** Makes an empty record: no consumer has begun. */
export function consumerHealth({ now, patienceMs }: ConsumerHealthOptions): ConsumerHealth {
  /** When each consumer was a member last. */
  const members = new Map<string, number>()
  const still = new Map<
    string,
    { topic: string; partition: string; since: number; reason: string }
  >()
  const waits = new Map<string, string>()
  const keyOf = (topic: string, partition: string) => `partition ${partition} of ${topic}`
  const seconds = (since: number) => Math.round((now() - since) / 1000)
  return {
    begins: (consumer) => void members.set(consumer, now()),
    isMember: (consumer) => void members.set(consumer, now()),
    waits: (consumer, sentence) => {
      if (sentence === undefined) waits.delete(consumer)
      else waits.set(consumer, sentence)
    },
    waiting: () => [...waits.values()],
    ends: (consumer) => void members.delete(consumer),
    owns: (topic, partitions) => {
      const own = new Set(partitions.map(String))
      for (const [key, one] of still)
        if (one.topic === topic && !own.has(one.partition)) still.delete(key)
    },
    standsStill: (topic, partition, reason) => {
      const key = keyOf(topic, partition)
      const before = still.get(key)
      still.set(key, {
        topic,
        partition,
        since: before?.since ?? now(),
        reason: reason ?? before?.reason ?? 'its range is being stored',
      })
    },
    goesOn: (topic, partition) => void still.delete(keyOf(topic, partition)),
    problems: () => [
      ...[...members]
        .filter(([, since]) => now() - since > patienceMs)
        .map(
          ([consumer, since]) =>
            `${consumer} has had no place in its group for ${seconds(since)} s`,
        ),
      ...[...still]
        .filter(([, { since }]) => now() - since > patienceMs)
        .map(
          ([what, { since, reason }]) => `${what} stands still for ${seconds(since)} s: ${reason}`,
        ),
    ],
  }
}

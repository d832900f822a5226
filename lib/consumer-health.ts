/**
 * What is known of a process' consumers: who has a place in its group, which partitions stand still and why. `/health/ready`
 * tells it, since a process whose consumers do nothing takes events that nobody stores.
 */

export interface ConsumerHealth {
  /** A consumer begins; it has no place in its group yet. */
  begins: (consumer: string) => void
  /** Its group counts it as a member at this moment. */
  isMember: (consumer: string) => void
  /** It was told to end, and is missed no more. */
  ends: (consumer: string) => void
  /** A range of the partition could not be stored, for this reason. */
  standsStill: (topic: string, partition: string, reason: string) => void
  /** A range of the partition was stored. */
  goesOn: (topic: string, partition: string) => void
  /** A sentence for each consumer without a place in its group, and each partition that stands still, for too long. */
  problems: () => string[]
}

export interface ConsumerHealthOptions {
  now: () => number
  /** How long a consumer may be without a place, and a partition may stand still, in milliseconds. */
  patienceMs: number
}

export function consumerHealth({ now, patienceMs }: ConsumerHealthOptions): ConsumerHealth {
  /** When each consumer was a member last. */
  const members = new Map<string, number>()
  const still = new Map<string, { since: number; reason: string }>()
  const seconds = (since: number) => Math.round((now() - since) / 1000)
  return {
    begins: (consumer) => void members.set(consumer, now()),
    isMember: (consumer) => void members.set(consumer, now()),
    ends: (consumer) => void members.delete(consumer),
    standsStill: (topic, partition, reason) => {
      const key = `partition ${partition} of ${topic}`
      still.set(key, { since: still.get(key)?.since ?? now(), reason })
    },
    goesOn: (topic, partition) => void still.delete(`partition ${partition} of ${topic}`),
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

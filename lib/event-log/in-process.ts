/**
 * The log for a process that has no Kafka. Nothing is kept: `append` resolves once every consumer
 * of the topic has stored the messages, so that accepted still means stored, and a message is lost
 * only with an unanswered request.
 */
import { randomUUID } from 'node:crypto'
import {
  appendTo,
  drainPartition,
  memoryPartition,
  recoverPartition,
  type MemoryLogOptions,
  type MemoryPartition,
} from './in-process-partition.ts'
import type { EventLog, OutgoingMessage } from './port.ts'

/**
 * Makes the log of one process; each consumer of a topic has a partition of its own, with the
 * number 0.
 */
export function memoryLog(options: MemoryLogOptions): EventLog {
  const logEpoch = `memory-${randomUUID()}`
  const rangeConsumers = new Map<string, MemoryPartition[]>()
  const hintConsumers = new Map<string, ((message: OutgoingMessage) => Promise<void>)[]>()
  const register = <T>(map: Map<string, T[]>, topic: string, consumer: T) => {
    map.set(topic, [...(map.get(topic) ?? []), consumer])
  }
  return {
    kind: 'memory',
    append: async (topic, messages) => {
      await Promise.all(
        (rangeConsumers.get(topic) ?? []).map((partition) => appendTo(partition, messages)),
      )
      for (const consumer of hintConsumers.get(topic) ?? []) {
        for (const message of messages) await consumer(message)
      }
    },
    ranges: (consumer) => {
      const partition = memoryPartition(consumer, logEpoch, options)
      register(rangeConsumers, consumer.topic, partition)
      return {
        name: `${consumer.group} of ${consumer.topic}`,
        stop: () => drainPartition(partition),
      }
    },
    wakeUps: (consumer) => {
      register(hintConsumers, consumer.topic, ({ key, value }) =>
        consumer.onMessage({ key, value: value.toString() }),
      )
      return { owns: () => true, module: { name: `${consumer.group} of ${consumer.topic}` } }
    },
    check: async () => {},
    waiting: () => [],
    module: {
      name: 'log in process',
      // What an earlier process was storing when it was killed, before anything new.
      start: async () => {
        const left = options.journal?.left() ?? []
        for (const [topic, partitions] of rangeConsumers) {
          const own = left.filter(({ range }) => range.topic === topic)
          for (const partition of partitions) await recoverPartition(partition, own)
        }
      },
    },
  }
}

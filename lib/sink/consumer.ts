/** A topic that is stored through a sink, by a consumer group of its own. */
import type { EventLog, OffsetRange } from '../event-log/port.ts'
import type { Module } from '../runtime/modules.ts'
import { createSink, type SinkOptions } from './sink.ts'

/** A topic, its consumer group and the sink it is stored through. */
export interface SinkConsumerOptions extends SinkOptions {
  topic: string
  /** As a range consumer has them (`lib/event-log/port.ts`). */
  from?: string | undefined
  maxBytes?: number | undefined
  group: string
  eventLog: EventLog
  /** A range was stored and committed; `models` are those of its events. */
  committed: (range: OffsetRange, models: ReadonlySet<string>) => void
}

const NO_MODELS: ReadonlySet<string> = new Set()

/** Makes the module that stores a topic exactly once; lag and lost messages are counted. */
export function sinkConsumer(options: SinkConsumerOptions): Module {
  const { topic, from, maxBytes, group, service, metrics, eventLog, committed } = options
  const sink = createSink(options)
  /** Models of each partition's range, from the end of its store to its commit. */
  const models = new Map<string, ReadonlySet<string>>()
  return eventLog.ranges({
    topic,
    from,
    maxBytes,
    group,
    mapping: sink.mapping,
    store: async (range) => {
      models.set(range.partition, await sink.store(range))
    },
    lastStored: sink.lastStored,
    committed: (range) => committed(range, models.get(range.partition) ?? NO_MODELS),
    lag: (partition, messages) => metrics.lag.set({ topic, partition }, messages),
    lost: (_partition, messages) =>
      metrics.events.inc({ service, topic, outcome: 'lost', reason: 'expired' }, messages),
  })
}

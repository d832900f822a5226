/** A topic that is stored through a sink, by a consumer group of its own. */
import type { EventLog, OffsetRange } from '../event-log/port.ts'
import type { Module } from '../runtime/modules.ts'
import { createSink, type SinkOptions } from './sink.ts'

/** A topic, its consumer group and the sink it is stored through. */
export interface SinkConsumerOptions extends SinkOptions {
  topic: string
  group: string
  eventLog: EventLog
  /** A range was stored and committed. */
  committed: (range: OffsetRange) => void
}

/** Makes the module that stores a topic exactly once; lag and lost messages are counted. */
export function sinkConsumer(options: SinkConsumerOptions): Module {
  const { topic, group, service, metrics, eventLog, committed } = options
  const sink = createSink(options)
  return eventLog.ranges({
    topic,
    group,
    mapping: sink.mapping,
    store: sink.store,
    lastStored: sink.lastStored,
    committed,
    lag: (partition, messages) => metrics.lag.set({ topic, partition }, messages),
    lost: (_partition, messages) =>
      metrics.events.inc({ service, topic, outcome: 'lost', reason: 'expired' }, messages),
  })
}

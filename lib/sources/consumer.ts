/**
 * Stores the events of one type that a source's topic holds: the same pipeline as our own topics,
 * exactly once, with the source's mapping before its validator.
 */
import type { ClickHouse } from '../clickhouse/port.ts'
import type { MessageReader } from '../events/decode-message.ts'
import type { OffsetRange } from '../event-log/port.ts'
import type { Module } from '../runtime/modules.ts'
import { sinkConsumer, type SinkConsumerOptions } from '../sink/consumer.ts'
import type { EventMapping } from '../sink/mapping.ts'
import type { MappedReading } from '../sink/sink.ts'
import type { SourceEventType } from './mapping.ts'
import type { Consuming } from './changing-consumers.ts'
import { sourceReader } from './reader.ts'
import { parseSource, type Source } from './source-files.ts'
import { storedTopic } from './topics.ts'

/** A source, the events that are taken of it, and the sink they go into. */
export interface SourceConsumerOptions extends Omit<
  SinkConsumerOptions,
  'topic' | 'group' | 'mappings' | 'reader' | 'earlier' | 'committed'
> {
  source: Source
  type: SourceEventType
  /** The reader of our own topics: it knows the schema registry. */
  reader: Pick<MessageReader, 'avro'>
  /** Mapping from events to rows, by its name. */
  mappingOf: (version: string) => EventMapping
  committed: (range: OffsetRange, models: ReadonlySet<string>) => void
}

/** Bytes of one fetch where a message may become many events, so that their rows fit in memory. */
const MAX_FETCHED_OF_MANY = 8 << 20

/** A consumer for each source that has a topic and events of a type, until its file is another. */
export const consumingOf = (
  sources: readonly Source[],
  type: SourceEventType,
  optionsOf: (source: Source) => SourceConsumerOptions,
): readonly Consuming[] =>
  sources
    .filter(({ file }) => file.kafka && file.events.some((event) => event.type === type))
    .map((source) => ({
      key: `${source.name} ${type} ${source.revision}`,
      make: () => sourceConsumer(optionsOf(source)),
    }))

/** Makes the module that stores a source's events of one type. */
export function sourceConsumer(options: SourceConsumerOptions): Module {
  const { source, type, reader, mappingOf, clickhouse } = options
  const { avro } = reader
  const record = recordOnce(clickhouse, source)
  const own = sourceReader(source, type, avro)
  const topic = storedTopic(source.name, type)
  const module = sinkConsumer({
    ...options,
    topic,
    from: source.file.kafka!.topic,
    maxBytes: source.file.events.some(({ each }) => each !== undefined)
      ? MAX_FETCHED_OF_MANY
      : undefined,
    group: `plumbline-source-${source.name}-${type}`,
    mappings: [mappingOf(versionOf(source.revision))],
    reader: {
      ...own,
      prepare: async (messages) => {
        await record()
        await own.prepare(messages)
      },
    },
    earlier: (version) => earlierReading(version, options),
  })
  return {
    ...module,
    stop: async () => {
      await module.stop?.()
      await forgetLag(options.metrics, topic)
    },
  }
}

/** A source that is read no more is not behind. */
async function forgetLag({ lag }: SourceConsumerOptions['metrics'], topic: string): Promise<void> {
  for (const { labels } of (await lag.get()).values) if (labels.topic === topic) lag.remove(labels)
}

const VERSION = /^source-1-([0-9a-f]{16})$/
const versionOf = (revision: string) => `source-1-${revision}`

/**
 * Keeps the source file before anything is stored by it, so that a range which is cut off can be
 * completed by this very mapping after the file has changed.
 */
function recordOnce(clickhouse: ClickHouse, { name, revision, text, proto }: Source) {
  let isRecorded = false
  return async () => {
    if (isRecorded) return
    const row = { source: name, revision, text, proto: proto ?? '' }
    await clickhouse.insertRows('source_revisions', [row])
    isRecorded = true
  }
}

/** The reading that an earlier revision of the file began a range with. */
async function earlierReading(
  version: string,
  { source, type, reader, mappingOf, clickhouse }: SourceConsumerOptions,
): Promise<MappedReading | undefined> {
  const revision = VERSION.exec(version)?.[1]
  if (revision === undefined) return undefined
  const [row] = await clickhouse.query<{ text: string; proto: string }>(
    `SELECT text, proto FROM source_revisions WHERE source = {source:String} AND revision = {revision:String} LIMIT 1`,
    { source: source.name, revision },
  )
  if (!row) return undefined
  const earlier = parseSource(row.text, () => row.proto)
  return { mapping: mappingOf(version), reader: sourceReader(earlier, type, reader.avro) }
}

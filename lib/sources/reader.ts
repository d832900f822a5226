/** Reads the messages of a source's topic as events of one type, for the sink that stores them. */
import type { EventsReader, ReadEvents } from '../events/decode-message.ts'
import type { AvroReader } from '../events/avro/confluent-wire-format.ts'
import type { LoggedMessage } from '../event-log/port.ts'
import type { ValidationResult, Validator } from '../events/validator.ts'
import { decoderOf } from './decode.ts'
import { compileSource, type SourceEventType, type SourceResult } from './mapping.ts'
import type { Source } from './source-files.ts'

/**
 * Makes the reader. A message gives a list with as many results as it becomes events, or one where
 * it cannot be read; one that filters leave out gives why.
 */
export function sourceReader(
  source: Source,
  type: SourceEventType,
  avro: AvroReader | undefined,
): EventsReader {
  const { map } = compileSource(source.file, type)
  const decode = decoderOf(source, avro)
  const readMeta = /\$meta\b/.test(source.text)
  const topic = source.file.kafka?.topic ?? ''
  const read: ReadEvents = (message, validator, range) => {
    const decoded = decode(message.value)
    if ('code' in decoded) return [refusal(decoded.code, decoded.text)]
    const { results, filtered } = map({
      body: decoded.value,
      meta: readMeta ? metaOf(message, topic, range?.partition ?? '') : {},
      bytes: message.value.length,
    })
    if (filtered !== undefined) return { filtered }
    return results.map((result) => validated(result, validator))
  }
  return {
    prepare: async (messages) => {
      if (source.file.format === 'avro') await avro?.prepare(messages)
    },
    read,
  }
}

const refusal = (
  code: (ValidationResult & { ok: false })['rejection']['code'],
  message: string,
): ValidationResult => ({ ok: false, rejection: { code, message } })

const validated = (result: SourceResult, validator: Validator): ValidationResult =>
  'fault' in result ? refusal(result.code, result.fault) : validator.numbersOrNone(result.event)

const metaOf = (message: LoggedMessage, topic: string, partition: string) => ({
  topic,
  partition,
  offset: message.offset,
  timestamp: message.timestampMs,
  key: message.key.toString(),
  headers: message.headers ?? {},
})

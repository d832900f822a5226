/**
 * Reads messages of the log in every format that may be on the wire: JSON, Avro, CloudEvents around
 * either.
 */
import { isUtf8 } from 'node:buffer'
import type { AvroReader } from './avro/confluent-wire-format.ts'
import { binaryEvent, isStructured, structuredEvent } from './cloudevents.ts'
import { spanOf, type LoggedMessage, type OffsetRange, type Span } from '../event-log/port.ts'
import type { Validator, ValidationResult } from './validator.ts'
import { MAX_EVENT_BYTES } from './rejections.ts'

/** Turns a message's bytes into a verdict; the formats that may be on the wire are behind it. */
export type ReadMessage = (message: LoggedMessage, validator: Validator) => ValidationResult

/**
 * Turns a message that may be any number of events into as many results; `filtered` says why it is
 * none of this consumer's, which is no fault.
 */
export type ReadEvents = (
  message: LoggedMessage,
  validator: Validator,
  range?: Pick<OffsetRange, 'partition'>,
) => ValidationResult | readonly ValidationResult[] | { filtered: string }

/** Reads the messages of one consumer, each as any number of events. */
export interface EventsReader {
  /** Fetches what reading these messages needs (schemas), so that reading itself never waits. */
  prepare: (messages: readonly LoggedMessage[]) => Promise<void>
  read: ReadEvents
}

/** Reads the messages of one consumer, each as one event. */
export interface MessageReader extends EventsReader {
  read: ReadMessage
  /** What it reads Avro with, where a schema registry is configured. */
  avro?: AvroReader | undefined
}

/** Confluent's wire format begins with a zero byte, which no JSON does. */
const AVRO = 0

const NO_REGISTRY =
  'the value is Avro, and no schema registry is set: PLUMBLINE_SCHEMA_REGISTRY_URL says where it is'

/** @param avro undefined where no schema registry is configured */
export function messageReader(avro?: AvroReader): MessageReader {
  return {
    avro,
    prepare: async (messages) => {
      await avro?.prepare(messages)
    },
    read: (message, validator) => {
      const { headers, within } = message
      const data = headers ? dataOf(message.value, headers) : (within ?? spanOf(message.value))
      if (data === 'invalid') return validator.refuse('invalid_envelope')
      const { bytes, from, to } = data
      if (from === to) return validator.refuse('empty')
      if (bytes[from] !== AVRO) return validator.bytes(bytes, from, to)
      if (to - from > MAX_EVENT_BYTES) return validator.refuse('too_large')
      return (
        avro?.read(data, validator) ?? validator.refuse('unknown_schema', undefined, NO_REGISTRY)
      )
    },
  }
}

function dataOf(value: Buffer, headers: Record<string, string>): Span | 'invalid' {
  const contentType = headers['content-type'] ?? headers['Content-Type']
  if (isStructured(contentType)) {
    const event = isUtf8(value) ? structuredEvent(value.toString()) : 'invalid'
    return event === 'invalid' ? event : spanOf(event.data)
  }
  const event = binaryEvent(headers, 'ce_', value)
  if (event === undefined) return spanOf(value)
  return event === 'invalid' ? event : spanOf(event.data)
}

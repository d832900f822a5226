/**
 * The fields of OTLP's messages that are read; `otlp-protobuf.test.ts` holds every number, name and
 * type against `schemas/otlp`.
 */

/**
 * `attributes` are all the `KeyValue` of a message, as one map; `nanos` are a time as text, to its
 * last digit, and `fixed64` the nearest number.
 */
export type Scalar = 'string' | 'hex' | 'nanos' | 'fixed64' | 'enum' | 'attributes'

/** A field of a message. */
export interface Field {
  /** As in OTLP's JSON. */
  name: string
  read: Scalar | Shape
  isRepeated: boolean
  /**
   * Each is decoded when it is its turn, and can go again: a batch of spans is more than young
   * memory holds.
   */
  isLazy?: boolean
}

/** The fields of a message by their numbers. */
export type Shape = Record<number, Field>

const one = (name: string, read: Scalar | Shape): Field => ({ name, read, isRepeated: false })
const many = (name: string, read: Shape): Field => ({ name, read, isRepeated: true })

const lazy = (name: string, read: Shape): Field => ({ ...many(name, read), isLazy: true })
const attributes: Field = { name: 'attributes', read: 'attributes', isRepeated: true }

const RESOURCE: Shape = { 1: attributes }
const SPAN_EVENT: Shape = {
  1: one('timeUnixNano', 'fixed64'),
  2: one('name', 'string'),
  3: attributes,
}
const SPAN: Shape = {
  1: one('traceId', 'hex'),
  2: one('spanId', 'hex'),
  5: one('name', 'string'),
  7: one('startTimeUnixNano', 'fixed64'),
  8: one('endTimeUnixNano', 'fixed64'),
  9: attributes,
  11: many('events', SPAN_EVENT),
  15: one('status', { 3: one('code', 'enum') }),
}
const LOG_RECORD: Shape = {
  1: one('timeUnixNano', 'nanos'),
  6: attributes,
  9: one('traceId', 'hex'),
  10: one('spanId', 'hex'),
  11: one('observedTimeUnixNano', 'nanos'),
  12: one('eventName', 'string'),
}

/** `ExportTraceServiceRequest`. */
export const TRACES: Shape = {
  1: many('resourceSpans', {
    1: one('resource', RESOURCE),
    2: many('scopeSpans', { 2: lazy('spans', SPAN) }),
  }),
}
/** `ExportLogsServiceRequest`. */
export const LOGS: Shape = {
  1: many('resourceLogs', {
    1: one('resource', RESOURCE),
    2: many('scopeLogs', { 2: lazy('logRecords', LOG_RECORD) }),
  }),
}

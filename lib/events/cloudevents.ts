/**
 * CloudEvents 1.0 (0.3 is read too): the envelope around an event, on Kafka and over HTTP.
 *
 * Data is taken out as the bytes it came in, so that an event gets the same verdict with and
 * without its envelope. Bindings: https://github.com/cloudevents/spec, kafka-protocol-binding.md
 * and http-protocol-binding.md.
 */
import { memberText } from './json/duplicate-keys.ts'

/** A CloudEvent of version 1.0 or 0.3, its data as bytes. */
export interface CloudEvent {
  id: string
  source: string
  type: string
  time: string | undefined
  /** Every context attribute, extensions too, by its name. */
  attributes: Record<string, string>
  data: Buffer
}

const REQUIRED = ['specversion', 'id', 'source', 'type'] as const

/**
 * Whether a content type says that the whole body is one CloudEvents envelope; batches are not
 * one.
 */
export const isStructured = (contentType: string | undefined) =>
  /^application\/cloudevents(?!-batch)/i.test(contentType ?? '')

/**
 * The event of a message in binary mode: attributes in headers, data in the body.
 *
 * @param prefix `ce_` on Kafka, `ce-` over HTTP
 * @returns undefined where the headers carry no event at all, 'invalid' where a required attribute
 *   is missing
 */
export function binaryEvent(
  headers: Record<string, string>,
  prefix: 'ce_' | 'ce-',
  data: Buffer,
): CloudEvent | 'invalid' | undefined {
  const attributes: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase()
    if (lower.startsWith(prefix)) attributes[lower.slice(prefix.length)] = value
  }
  if (Object.keys(attributes).length === 0) return undefined
  return eventOf(attributes, data)
}

/** The event of a JSON envelope, text as it came. */
export function structuredEvent(text: string): CloudEvent | 'invalid' {
  let envelope: unknown
  try {
    envelope = JSON.parse(text)
  } catch {
    return 'invalid'
  }
  if (typeof envelope !== 'object' || envelope === null || Array.isArray(envelope)) return 'invalid'
  const { data, data_base64, ...rest } = envelope as Record<string, unknown>
  const attributes: Record<string, string> = {}
  for (const [name, value] of Object.entries(rest)) {
    if (typeof value === 'string') attributes[name] = value
    else if (typeof value === 'number' || typeof value === 'boolean')
      attributes[name] = String(value)
  }
  if (typeof data_base64 === 'string')
    return eventOf(attributes, Buffer.from(data_base64, 'base64'))
  if (data === undefined) return 'invalid'
  // Data of a type that is not JSON stands in a string.
  const inText = typeof data === 'string' ? data : memberText(text, 'data')
  return eventOf(attributes, Buffer.from(inText ?? ''))
}

function eventOf(attributes: Record<string, string>, data: Buffer): CloudEvent | 'invalid' {
  if (REQUIRED.some((name) => !attributes[name])) return 'invalid'
  if (!/^(1\.0|0\.3)$/.test(attributes['specversion']!)) return 'invalid'
  return {
    id: attributes['id']!,
    source: attributes['source']!,
    type: attributes['type']!,
    time: attributes['time'],
    attributes,
    data,
  }
}

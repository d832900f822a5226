/** Judges one event in JavaScript, by the schema from which `wire-mapping.ts` makes the judge in SQL. */
import { Ajv } from 'ajv'
import type { TObject } from 'typebox'
import { EARLIEST_MS, LATEST_MS } from '../schemas/fields.ts'
import { scanValue, type ScannedValue } from './json-scan.ts'
import { MAX_EVENT_BYTES, type Rejection, rejectionsOf } from './rejections.ts'

export interface Accepted {
  ok: true
  event: Record<string, unknown>
}
export interface Refused {
  ok: false
  rejection: Rejection
}

/** @param text the bytes of one event, decoded; @param scanned what `scanValue` found, where that was already done */
export type Judge = (text: string, scanned?: ScannedValue) => Accepted | Refused

export function createJudge(schema: TObject): Judge {
  const ajv = new Ajv({ strict: false, allErrors: false, strictNumbers: true })
  ajv.addFormat('event-time', isEventTime)
  const required = new Set<string>(schema.required ?? [])
  const fields = Object.entries(schema.properties).map(([name, property]) => ({
    name,
    required: required.has(name),
    valid: ajv.compile(property),
  }))
  const rejections = rejectionsOf(schema)
  const refuse = (code: Rejection['code'], field?: string): Refused => ({
    ok: false,
    rejection: rejections.find((r) => r.code === code && r.field === field)!,
  })

  return (text, scanned) => {
    if (Buffer.byteLength(text) > MAX_EVENT_BYTES) return refuse('too_large')
    if (text === '') return refuse('empty')
    let event: unknown
    try {
      event = JSON.parse(text)
    } catch {
      return refuse('invalid_json')
    }
    if (typeof event !== 'object' || event === null || Array.isArray(event))
      return refuse('invalid_json')
    const found = scanned ?? scanValue(text, 0)
    if (found.unparsable) return refuse('invalid_json')
    if (found.repeated && found.repeated.field === undefined) return refuse('repeated_key')
    const values = event as Record<string, unknown>
    for (const field of fields) {
      const value = Object.hasOwn(values, field.name) ? values[field.name] : undefined
      if (value === undefined || value === null) {
        if (field.required) return refuse('missing_field', field.name)
        continue
      }
      if (!field.valid(value)) return refuse('invalid_field', field.name)
      if (found.repeated?.field === field.name) {
        const repeated = refuse('repeated_key', field.name)
        return repeated.rejection ? repeated : refuse('invalid_field', field.name)
      }
    }
    return { ok: true, event: values }
  }
}

/** The calendar day exists and the instant lies from 1990 to 2099 (its shape is checked by the pattern). */
function isEventTime(text: string): boolean {
  const [year, month, day] = text.slice(0, 10).split('-').map(Number) as [number, number, number]
  if (month < 1 || month > 12 || day < 1 || day > new Date(Date.UTC(year, month, 0)).getUTCDate())
    return false
  const instant = Date.parse(text)
  return instant >= EARLIEST_MS && instant < LATEST_MS
}

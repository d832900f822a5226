/** Times as others write them: RFC 3339, without an offset, or units since 1970. Pure. */
import { EARLIEST_MS, LATEST_MS } from '../../schemas/fields.ts'
import type { TIME_FORMATS } from '../../schemas/source.ts'
import { scalarText } from './conversions.ts'
import { localTime } from '../models/time-zones.ts'

/** How a time is written. */
export type TimeFormat = (typeof TIME_FORMATS)[number]

/** Milliseconds that a unit is, as numerator and denominator. */
const UNITS: Readonly<Record<Exclude<TimeFormat, 'rfc3339'>, readonly [number, number]>> = {
  epoch_s: [1000, 1],
  epoch_ms: [1, 1],
  epoch_us: [1, 1000],
  epoch_ns: [1, 1_000_000],
}

const DIGITS = /^[+-]?\d{1,19}(\.\d{1,9})?$/
const CLOCK =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?)?\s?(Z|z|UTC|[+-]\d{2}:?\d{2})?$/

/**
 * The time as events have it (`2026-01-31T12:00:00.000Z`; parts of a millisecond are cut off), or
 * why it is none, to follow the name of its field.
 *
 * @param timezone of a time that names none; without one such a time is refused. A wall time that
 * clocks show twice is the same one of the two every time.
 */
export function timeOf(
  value: unknown,
  format: TimeFormat,
  timezone: string | undefined,
): { time: string } | { problem: string } {
  const ms = value instanceof Date ? value.getTime() : msOf(value, format, timezone)
  if (typeof ms === 'string') return { problem: ms }
  if (!(ms >= EARLIEST_MS && ms < LATEST_MS))
    return {
      problem: `${shown(value)} as ${format} is not from 1990 to 2099${fitting(value, format)}`,
    }
  return { time: new Date(Math.floor(ms)).toISOString() }
}

function msOf(value: unknown, format: TimeFormat, timezone: string | undefined): number | string {
  if (format === 'rfc3339') return clockMs(value, timezone)
  const units = unitsOf(value)
  if (units === undefined) return `${shown(value)} is no time in ${format}`
  const [numerator, denominator] = UNITS[format]
  // A double holds seconds with a fraction to a quarter of a microsecond.
  return (units * numerator) / denominator + HALF_MICROSECOND
}

const HALF_MICROSECOND = 0.0005

function unitsOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'string' && DIGITS.test(value) ? Number(value) : undefined
}

function clockMs(value: unknown, timezone: string | undefined): number | string {
  const match = typeof value === 'string' ? CLOCK.exec(value) : null
  if (!match) return `${shown(value)} is no RFC 3339 time${fitting(value, 'rfc3339')}`
  const [, year, month, day, hour = '0', minute = '0', second = '0', part = '', offset] = match
  const wall = Date.UTC(+year!, +month! - 1, +day!, +hour, +minute, +second)
  const isReal =
    new Date(wall).getUTCDate() === +day! &&
    +month! <= 12 &&
    +hour < 24 &&
    +minute < 60 &&
    +second < 60
  if (!isReal) return `${shown(value)} is no time of the calendar`
  const exact = wall + Number(part.slice(1, 4).padEnd(3, '0'))
  if (offset !== undefined) return exact - offsetMs(offset)
  if (timezone === undefined)
    return `${shown(value)} names no time zone, and the source names none for it: timezone`
  return localTime(timezone).toUtc(exact)
}

function offsetMs(offset: string): number {
  if (!/^[+-]/.test(offset)) return 0
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(-2))
  return (offset.startsWith('-') ? -minutes : minutes) * 60_000
}

/** The unit that a number would be a time of our days in, where another was named. */
function fitting(value: unknown, format: TimeFormat): string {
  const units = unitsOf(value)
  if (units === undefined) return ''
  const fits = Object.entries(UNITS).find(([name, [numerator, denominator]]) => {
    const ms = (units * numerator) / denominator
    return name !== format && ms >= EARLIEST_MS && ms < LATEST_MS
  })
  return fits ? `; did you mean ${fits[0]}?` : ''
}

const MAX_SHOWN = 60
const shown = (value: unknown) => {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, MAX_SHOWN))
  return scalarText(value)?.slice(0, MAX_SHOWN) ?? 'an object'
}

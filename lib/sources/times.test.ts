import fc from 'fast-check'
import { expect, test } from 'vitest'
import { timeOf, type TimeFormat } from './times.ts'

test.each<[unknown, TimeFormat, string | undefined, string]>([
  ['2026-01-31T12:00:00Z', 'rfc3339', undefined, '2026-01-31T12:00:00.000Z'],
  ['2026-01-31 12:00:00.123456+02:00', 'rfc3339', undefined, '2026-01-31T10:00:00.123Z'],
  ['2026-01-31T12:00:00 UTC', 'rfc3339', undefined, '2026-01-31T12:00:00.000Z'],
  ['2026-01-31 12:00', 'rfc3339', 'Europe/Berlin', '2026-01-31T11:00:00.000Z'],
  ['2026-07-31', 'rfc3339', 'America/New_York', '2026-07-31T04:00:00.000Z'],
  [1_700_000_000, 'epoch_s', undefined, '2023-11-14T22:13:20.000Z'],
  [1_700_000_000.25, 'epoch_s', undefined, '2023-11-14T22:13:20.250Z'],
  ['1700000000123', 'epoch_ms', undefined, '2023-11-14T22:13:20.123Z'],
  [1_700_000_000_123_456, 'epoch_us', undefined, '2023-11-14T22:13:20.123Z'],
  [1_700_000_000_123_456_789n, 'epoch_ns', undefined, '2023-11-14T22:13:20.123Z'],
  [new Date('2026-01-31T12:00:00Z'), 'epoch_s', undefined, '2026-01-31T12:00:00.000Z'],
])('%s as %s', (value, format, zone, time) => {
  expect(timeOf(value, format, zone)).toEqual({ time })
})

test.each<[unknown, TimeFormat, string]>([
  [
    1_700_000_000,
    'epoch_ms',
    '1700000000 as epoch_ms is not from 1990 to 2099; did you mean epoch_s?',
  ],
  [1_700_000_000, 'rfc3339', '1700000000 is no RFC 3339 time; did you mean epoch_s?'],
  ['2026-02-30T00:00:00Z', 'rfc3339', '"2026-02-30T00:00:00Z" is no time of the calendar'],
  ['2026-13-01T00:00:00Z', 'rfc3339', '"2026-13-01T00:00:00Z" is no time of the calendar'],
  [
    '2026-01-31T12:00:00',
    'rfc3339',
    '"2026-01-31T12:00:00" names no time zone, and the source names none for it: timezone',
  ],
  [{}, 'epoch_s', 'an object is no time in epoch_s'],
  [NaN, 'epoch_s', 'NaN as epoch_s is not from 1990 to 2099'],
  [new Date(NaN), 'rfc3339', 'an object as rfc3339 is not from 1990 to 2099'],
])('%s as %s is refused', (value, format, problem) => {
  expect(timeOf(value, format, undefined)).toEqual({ problem })
})

test('every unit gives the same instant, to the millisecond', () => {
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(1990), max: Date.UTC(2099) }), (ms) => {
      const time = new Date(ms).toISOString()
      expect(timeOf(time, 'rfc3339', undefined)).toEqual({ time })
      expect(timeOf(ms, 'epoch_ms', undefined)).toEqual({ time })
      expect(timeOf(ms * 1000, 'epoch_us', undefined)).toEqual({ time })
      expect(timeOf(BigInt(ms) * 1_000_000n, 'epoch_ns', undefined)).toEqual({ time })
      expect(timeOf(time.slice(0, -1), 'rfc3339', 'UTC')).toEqual({ time })
    }),
  )
})

test('no text makes it throw', () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withDate: true }), (value) => {
      for (const format of ['rfc3339', 'epoch_s', 'epoch_ns'] as const)
        expect(Object.keys(timeOf(value, format, 'Europe/Berlin'))).toHaveLength(1)
    }),
  )
})

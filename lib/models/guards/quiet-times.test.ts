import { expect, test } from 'vitest'
import { areAlwaysQuiet, heldBack, instantOf } from './quiet-times.ts'

const at = (text: string) => Date.parse(text)
const until = (times: Parameters<typeof heldBack>[0], text: string) => {
  const held = heldBack(times, at(text))
  return held && new Date(held.until).toISOString()
}

const NIGHT = { from: '22:00', to: '06:00', timezone: 'Europe/Berlin' }

test.each([
  ['2026-01-05T20:59:59Z', undefined],
  ['2026-01-05T21:00:00Z', '2026-01-06T05:00:00.000Z'],
  ['2026-01-06T04:59:59Z', '2026-01-06T05:00:00.000Z'],
  ['2026-01-06T05:00:00Z', undefined],
  // Clocks are put forward in this night: 06:00 comes an hour earlier.
  ['2026-03-28T21:30:00Z', '2026-03-29T04:00:00.000Z'],
])('quiet hours of a zone hold back at %s until %s', (now, end) => {
  expect(until({ quiet: [NIGHT] }, now)).toBe(end)
})

test('days are those on which quiet hours begin', () => {
  const quiet = [{ ...NIGHT, timezone: 'UTC', days: ['fri' as const] }]
  expect(until({ quiet }, '2026-01-09T23:00:00Z')).toBe('2026-01-10T06:00:00.000Z')
  expect(until({ quiet }, '2026-01-10T05:00:00Z')).toBe('2026-01-10T06:00:00.000Z')
  expect(until({ quiet }, '2026-01-10T23:00:00Z')).toBeUndefined()
})

test('spans that touch are one, and the first says why', () => {
  const times = {
    quiet: [{ from: '22:00', to: '06:00' }],
    freezes: [{ from: '2026-12-24', to: '2026-12-26T23:00', reason: 'holidays' }],
  }
  expect(heldBack(times, at('2026-12-24T12:00:00Z'))).toEqual({
    until: at('2026-12-27T06:00:00Z'),
    why: 'frozen from 2026-12-24 to 2026-12-26T23:00 (holidays)',
  })
  expect(until(times, '2026-12-23T23:00:00Z')).toBe('2026-12-27T06:00:00.000Z')
})

test('a day that no month has is no instant', () => {
  expect(instantOf('2026-02-30')).toBeNaN()
  expect(instantOf('2026-02-28', 'America/New_York')).toBe(at('2026-02-28T05:00:00Z'))
})

test('quiet hours that leave no minute are found', () => {
  expect(areAlwaysQuiet([{ from: '00:00', to: '24:00' }])).toBe(true)
  expect(areAlwaysQuiet([NIGHT, { from: '05:00', to: '22:30', timezone: 'Europe/Berlin' }])).toBe(
    true,
  )
  expect(areAlwaysQuiet([NIGHT])).toBe(false)
  expect(areAlwaysQuiet(undefined)).toBe(false)
})

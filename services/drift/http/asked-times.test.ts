import { expect, test } from 'vitest'
import { endOfSnooze, spanBetween } from './asked-times.ts'

test.each([
  ['-271821-04-20T00:00:00Z', '+275760-09-13T00:00:00Z', 'years 1900 to 2298'],
  ['1899-12-31T23:59:59.999Z', '2026-01-01T00:00:00Z', 'years 1900 to 2298'],
  ['2026-01-01T00:00:00Z', '2299-01-01T00:00:00.001Z', 'years 1900 to 2298'],
  ['2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z', 'the first before the second'],
  ['soon', '2026-01-01T00:00:00Z', 'the first before the second'],
])('%s to %s is no span: %s', (from, to, why) => {
  expect(() => spanBetween('a must be two times', from, to)).toThrow(why)
})

test('a span is what lies between two times that the stores can hold', () => {
  expect(spanBetween('a', '1900-01-01T00:00:00Z', '2299-01-01T00:00:00Z')).toEqual({
    start: Date.UTC(1900, 0, 1),
    end: Date.UTC(2299, 0, 1),
  })
})

test('the end of a snooze is to come, and a time that the stores can hold', () => {
  const now = Date.UTC(2026, 0, 1)
  expect(endOfSnooze(undefined, now)).toBe('1970-01-01T00:00:00.000Z')
  expect(endOfSnooze('2026-01-01T03:00:00+02:00', now)).toBe('2026-01-01T01:00:00.000Z')
  for (const until of ['2026-01-01T00:00:00Z', '9999-12-31T00:00:00Z', 'soon', ''])
    expect(() => endOfSnooze(until, now), until).toThrow('until must be')
})

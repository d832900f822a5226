/** Lines of the model file: which side of them is bad is always said. */
import { describe, expect, test } from 'vitest'
import { crosses, limitOf, lineText, parseAlarmLine, parseOverrides } from './alarm-lines.ts'

test.each([
  ['< 0.75', 0.74, true],
  ['< 0.75', 0.75, false],
  ['< 0.75', 0.9, false],
  ['> 0.25', 0.26, true],
  ['>.25', 0.1, false],
  ['outside 0.8..1.25', 0.79, true],
  ['outside 0.8..1.25', 1.26, true],
  ['outside 0.8 .. 1.25', 1, false],
  ['outside -1..-0.5', -0.7, false],
  ['> 1e-3', 0.002, true],
])('%s of %d: %s', (text, value, isCrossed) => {
  expect(crosses(parseAlarmLine(text, 'neither'), value, null)).toBe(isCrossed)
})

describe('relative lines', () => {
  test('run beside the value of the baseline, on the side that is worse', () => {
    const accuracy = parseAlarmLine('5 % worse', 'lower')
    expect(crosses(accuracy, 0.75, 0.8)).toBe(true)
    expect(crosses(accuracy, 0.77, 0.8)).toBe(false)
    expect(limitOf(accuracy, 0.75, 0.8)).toBeCloseTo(0.76, 12)
    const error = parseAlarmLine('10% worse', 'higher')
    expect(crosses(error, 1.2, 1)).toBe(true)
    expect(crosses(error, 0.8, 1)).toBe(false)
  })
  test('a negative baseline is worse below, not above', () => {
    expect(crosses(parseAlarmLine('10 % worse', 'lower'), -1.2, -1)).toBe(true)
    expect(crosses(parseAlarmLine('10 % worse', 'lower'), -0.95, -1)).toBe(false)
  })
  test('without a baseline nothing is known', () => {
    expect(crosses(parseAlarmLine('5 % worse', 'lower'), 0.1, null)).toBeUndefined()
  })
  test('of a metric that is neither good nor bad the side is asked for', () => {
    expect(() => parseAlarmLine('5 % worse', 'neither')).toThrow('write "higher" or "lower"')
    expect(lineText(parseAlarmLine('5 % lower', 'neither'))).toBe('5 % lower than the baseline')
  })
})

test.each([
  [0.75, '0.75 does not say on which side of it things are bad; write "< 0.75"'],
  ['0.75', 'is no line'],
  ['outside 2..1', 'must have the smaller number first'],
  ['> 1e999', 'is not a finite number'],
  ['0 % worse', 'must be above 0 %'],
  [null, 'is no line'],
  ['> 1 or < 2', 'is no line'],
])('%j is refused', (line, sentence) => {
  expect(() => parseAlarmLine(line, 'lower')).toThrow(sentence)
})

test('a line on a named label says which answer is worse', () => {
  const { lines, problems } = parseOverrides({
    'feedback/mean/groundedness': { alarm: '< 0.8' },
    'feedback/rate/thumbs=down': { warning: '> 0.1' },
    'feedback/mean/stars': { alarm: '5 % worse' },
  })
  expect(lines['feedback/mean/groundedness']?.alarm).toEqual({ kind: 'below', limit: 0.8 })
  expect(lines['feedback/rate/thumbs=down']?.warning).toEqual({ kind: 'above', limit: 0.1 })
  expect(problems).toEqual([
    'alarms.overrides.feedback/mean/stars.alarm: neither more nor less of this metric is worse; write "higher" or "lower"',
  ])
})

test('keys name a family and a metric; near misses are named', () => {
  const { problems, lines } = parseOverrides({
    'performance/r2': { alarm: '< 0.75', warning: '< 0.8' },
    'drift/psi/a/b': { alarm: '> 0.25' },
    'performance/acuracy': { alarm: '< 0.75' },
    'perfomance/r2': { alarm: '< 0.75' },
    'performance/custom.mine': { warning: 'outside 1..2' },
    'quality/missing_ratio': {},
    'operations/error_ratio': { alarm: 0.1 },
  })
  expect(Object.keys(lines)).toContain('drift/psi/a/b')
  expect(problems).toEqual([
    'alarms.overrides.performance/acuracy names no metric of performance; did you mean accuracy?',
    expect.stringContaining('must begin with a family; did you mean performance?'),
    'alarms.overrides.quality/missing_ratio needs a warning or an alarm',
    expect.stringContaining('alarms.overrides.operations/error_ratio.alarm: 0.1 does not say'),
  ])
})

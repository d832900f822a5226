import { expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { baselineInWords } from './baseline-words.ts'
import { learningAt } from './learning.ts'
import { cutInto, shorterWindows } from './shorter-windows.ts'

const DAY = 86_400_000
const modelOf = (windows: string) =>
  parseModel(`{ model_id: m, task: binary, windows: ${windows} }`)

test.each([
  ['{ size: 7d }', { size: '1d', after: 4 }],
  ['{ size: week }', { size: 'day', after: 4 }],
  ['{ size: month }', { size: 'day', after: 1 }],
  ['{ size: 14d }', { size: '2d', after: 2 }],
  ['{ size: 30d }', { size: '3d', after: 1 }],
  ['{ size: 30d, season: 1d }', { size: '3d', after: 1 }],
  ['{ size: 56d, season: 7d }', { size: '7d', after: 1 }],
  ['{ size: 4d }', { size: '2d', after: 7 }],
  ['{ size: 100h }', { size: '50h', after: 7 }],
  ['{ size: 3d }', undefined],
  ['{ size: 1h }', undefined],
  ['{ size: 5000 events }', undefined],
])('windows of %s are learned from parts that are whole days, and seasons', (windows, expected) => {
  expect(shorterWindows(modelOf(windows), 8)).toEqual(expected)
  expect(shorterWindows(modelOf(windows), 1)).toBeUndefined()
})

test('a window is cut at local midnights, through a change of clocks too', () => {
  const week = { start: Date.UTC(2026, 2, 22, 23), end: Date.UTC(2026, 2, 29, 22) }
  const days = cutInto('day', [week], 'Europe/Berlin')
  expect(days).toHaveLength(7)
  expect(days[0]).toEqual({ start: week.start, end: week.start + DAY })
  expect(days.at(-1)).toEqual({ start: week.end - DAY + 3_600_000, end: week.end })
})

const weekOf = (w: number) => ({ start: (3 + 7 * w) * DAY, end: (10 + 7 * w) * DAY })
const pastOf = (weeks: number) => ({
  windows: Array.from({ length: weeks }, (_, w) => ({
    ...weekOf(w),
    events: 5000,
    alarmed: false,
    worst: 'ok' as const,
    episode: '',
  })),
  frozen: new Map(),
  accepted: [],
  put: {},
  promotions: [],
})

test('a weekly model is tested by its days from the fifth week to the eighth', () => {
  const model = modelOf('{ size: 7d, min_count: 100 }')
  const at = (weeks: number) => learningAt(weekOf(weeks), model, pastOf(weeks))
  expect(at(3)).toEqual({ window: 4, of: 8, before: undefined })
  expect(at(4)).toEqual({ window: 5, of: 8, before: undefined, shorter: '1d' })
  expect(at(7)).toMatchObject({ window: 8, shorter: '1d' })
  expect(at(8)).toBeUndefined()
})

test('a model says in words that it starts with shorter windows', () => {
  const model = modelOf('{ size: 7d }')
  const takes =
    'Learning takes 8 windows of 7d, 56 days: it starts with windows of 1d, whose noise drift and data quality are tested by from window 5 on'
  expect(baselineInWords(model, [], undefined)).toContain(takes)
  const [name] = Object.keys(model.references)
  const now = { reference: name!, kind: 'first', reason: '' }
  expect(baselineInWords(model, [], now)).toContain('which are being learned. ' + takes)
  const frozen = {
    modelId: 'm',
    name: name!,
    kind: 'first' as const,
    revision: 1,
    span: { start: 0, end: 56 * DAY },
    modelVersion: '',
  }
  expect(baselineInWords(model, [frozen], now)).not.toContain('starts with')
})

import { expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { learningAt, type PastWindow } from './learning.ts'
import { referencesFor, toFreeze } from './references.ts'

const DAY = 86_400_000
const model = parseModel(`
model_id: m
task: binary
windows: { size: 1d, min_count: 100 }
references:
  ours: { kind: since_promotion, windows: 2, baseline: true }
`)
const day = (start: number, events = 200): PastWindow => ({
  start: start * DAY,
  end: (start + 1) * DAY,
  events,
  alarmed: false,
  worst: 'ok',
  episode: '',
})
const past = {
  windows: [0, 1, 2, 3, 4, 5, 6].map((start) => day(start, start === 4 ? 50 : 200)),
  frozen: new Map(),
  accepted: [],
  put: {},
  promotions: [
    { version: '1', at: 0 },
    { version: '2', at: 2.5 * DAY },
  ],
}
const spans = (start: number) => referencesFor(day(start), model, past)
const days = (...starts: number[]) =>
  starts.map((start) => ({ start: start * DAY, end: (start + 1) * DAY }))

test('since promotion: the first whole, complete windows of the version that was served last', () => {
  expect(spans(0)).toEqual([])
  expect(spans(1)).toMatchObject([{ modelVersion: '1', spans: days(0) }])
  // The window in which version 2 came is not one of its own.
  expect(spans(2)).toEqual([])
  expect(spans(3)).toEqual([])
  expect(spans(4)).toMatchObject([{ modelVersion: '2', spans: days(3) }])
  // Day 4 has too few events; from then on the reference stays.
  expect(spans(6)).toMatchObject([{ modelVersion: '2', spans: days(3, 5) }])
  expect(spans(7)).toMatchObject([{ modelVersion: '2', spans: days(3, 5) }])
})

test('since promotion: until it has as many windows as it asks for, it is being learned', () => {
  const at = (start: number) => learningAt(day(start), model, past)
  expect(at(0)).toMatchObject({ window: 1, of: 2 })
  expect(at(1)).toMatchObject({ window: 2, of: 2 })
  expect(at(2)).toMatchObject({ window: 1 })
  expect(at(4)).toMatchObject({ window: 2 })
  expect(at(6)).toBeUndefined()
})

const learned = (windows: number) => ({
  ...past,
  windows: Array.from({ length: windows }, (_, start) => day(start, start === 2 ? 50 : 200)),
  promotions: [],
})
const undeclared = parseModel(
  '{ model_id: m, task: binary, windows: { size: 1d, min_count: 100 } }',
)

test('a model that declares no baseline learns it from its first eight complete windows', () => {
  const at = (n: number) => learningAt(day(n), undeclared, learned(n))
  expect(at(0)).toMatchObject({ window: 1, of: 8, before: undefined })
  // Day 2 has too few events to be learned from.
  expect(at(3)).toMatchObject({ window: 3 })
  expect(at(8)).toMatchObject({ window: 8 })
  expect(referencesFor(day(3), undeclared, learned(3))).toMatchObject([
    { name: 'baseline', spans: days(0, 1) },
    { name: 'recent' },
  ])
  expect(toFreeze(undeclared, learned(8).windows, new Map())).toEqual([])
  const [whole] = toFreeze(undeclared, learned(10).windows, new Map())
  expect(whole).toEqual({ name: 'baseline', window: { start: 0, end: 9 * DAY } })
  const frozen = { ...learned(12), frozen: new Map([['baseline', whole!.window]]) }
  expect(learningAt(day(9), undeclared, frozen)).toBeUndefined()
  expect(referencesFor(day(9), undeclared, frozen)[0]).toMatchObject({ spans: [whole!.window] })
  // A window of the baseline that is evaluated again still is one that was learned from.
  expect(learningAt(day(4), undeclared, frozen)).toMatchObject({ window: 4, of: 8 })
})

const declared = (more = '') =>
  parseModel(`
model_id: m
task: binary
windows: { size: 1d, min_count: 100 }
references:
  training: { kind: fixed, from: 1970-01-01T00:00:00Z, to: 1970-01-09T00:00:00Z, baseline: true ${more} }
`)
const promotedAt = (windows: number, at: number) => ({
  ...learned(windows),
  promotions: [
    { version: '1', at: 0 },
    { version: '2', at: at * DAY },
  ],
})

test('a version that takes over gets a baseline of its own, and the declared one informs', () => {
  const known = promotedAt(40, 20)
  const references = (n: number) => referencesFor(day(n), declared(), known)
  expect(references(19)).toMatchObject([{ name: 'training', baseline: true }])
  expect(references(20)).toMatchObject([{ name: 'training', baseline: false }])
  expect(references(22)).toMatchObject([
    { name: 'training', baseline: false },
    { name: 'version 2', baseline: true, spans: days(20, 21) },
  ])
  expect(references(39)[1]!.spans).toEqual(days(20, 21, 22, 23, 24, 25, 26, 27))
  expect(learningAt(day(19), declared(), known)).toBeUndefined()
  expect(learningAt(day(22), declared(), known)).toEqual({
    window: 3,
    of: 8,
    // What its performance is compared with meanwhile.
    before: { name: 'before version 2', spans: days(12, 13, 14, 15, 16, 17, 18, 19) },
  })
  expect(learningAt(day(28), declared(), known)).toBeUndefined()
})

test('windows that people accept join the baseline of their own version alone', () => {
  const known = { ...promotedAt(40, 20), accepted: [days(10)[0]!, days(30)[0]!] }
  expect(referencesFor(day(35), declared(), known)[1]!.spans.slice(8)).toEqual(days(30))
})

test.each(['on_promotion: keep', "model_version: '2'"])(
  '%s keeps the declared baseline',
  (more) => {
    const known = promotedAt(40, 20)
    expect(referencesFor(day(30), declared(`, ${more}`), known)).toMatchObject([
      { name: 'training', baseline: true },
    ])
    expect(learningAt(day(21), declared(`, ${more}`), known)).toBeUndefined()
  },
)

import { expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { referencesFor, type PastWindow } from './references.ts'

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
  // From the window in which version 2 came, which is not one of its own.
  expect(spans(2)).toEqual([])
  expect(spans(3)).toEqual([])
  expect(spans(4)).toMatchObject([{ modelVersion: '2', spans: days(3) }])
  // Day 4 has too few events; from then on the reference stays.
  expect(spans(6)).toMatchObject([{ modelVersion: '2', spans: days(3, 5) }])
  expect(spans(7)).toMatchObject([{ modelVersion: '2', spans: days(3, 5) }])
})

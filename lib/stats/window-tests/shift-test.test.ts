/**
 * What the rule of `docs/alarms.md` does to streams with and without a change; its tables are made
 * by `npm run alarms`.
 */
import { expect, test } from 'vitest'
import { counted, feature, normals, type StreamKind } from '../../../bench/streams.ts'
import { uniforms } from '../distributions/random.ts'
import type { BinnedSample } from '../samples/binned-sample.ts'
import { holm, numericShifts, shareShifts } from './shift-test.ts'
import { numericContrast, numericReference } from './window-reference.ts'

/** The p of each feature in the first window after the reference. */
function firstWindow(columns: readonly Float64Array[][], windows: number): number[] {
  return numericShifts(
    columns.map((all) => {
      const samples = all.map((window) => counted(window))
      const current = samples[windows]!
      const { reference, shape, size, logPsi } = numericContrast(
        numericReference(samples.slice(0, windows)),
        current,
      )
      return { reference, history: [{ shape, size, phase: 0 }], logPsi }
    }),
  ).map(({ p }) => p)
}

test.each<StreamKind>(['independent', 'rows AR(1) 0.9', 'window noise'])(
  'nothing has changed, %s: alarms stay within alpha',
  (kind) => {
    const uniform = uniforms(7)
    let alarms = 0
    const repetitions = 150
    for (let r = 0; r < repetitions; r++) {
      const columns = Array.from({ length: 3 }, () => feature(kind, 11, 100, 0, uniform))
      if (Math.min(...firstWindow(columns, 10)) * 3 <= 0.05) alarms++
    }
    // Four standard errors above 5 %.
    expect(alarms / repetitions).toBeLessThan(0.05 + 4 * Math.sqrt((0.05 * 0.95) / repetitions))
  },
)

/**
 * Share of streams of 10 features, 8 windows and 200 rows in which a shift of one feature alarms
 * within so many windows.
 */
function found(shift: number, within: number, streams: number): number {
  const uniform = uniforms(11)
  let hits = 0
  for (let s = 0; s < streams; s++) {
    const columns = Array.from({ length: 10 }, () =>
      feature('independent', 8 + within, 200, 0, uniform).map((window) => counted(window)),
    )
    columns[0] = feature('independent', 8 + within, 200, 0, uniform).map((window, w) =>
      counted(w < 8 ? window : window.map((x) => x + shift)),
    )
    const contrasts = columns.map((all) => {
      const known = numericReference(all.slice(0, 8))
      return all.slice(8).map((window) => numericContrast(known, window))
    })
    const alarms = Array.from({ length: within }, (_, t) => {
      const tests = numericShifts(
        contrasts.map((own) => ({
          reference: own[t]!.reference,
          history: own.slice(0, t + 1).map(({ shape, size }) => ({ shape, size, phase: 0 })),
          logPsi: own[t]!.logPsi,
        })),
      )
      return Math.min(...tests.map(({ p }) => p)) * 10 <= 0.006
    })
    if (alarms.some(Boolean)) hits++
  }
  return hits / streams
}

test('the smallest effect takes nothing off the test: a quarter of a deviation is found within four windows', () => {
  expect(found(0.25, 4, 40)).toBeGreaterThan(0.5)
  expect(found(0.5, 1, 40)).toBeGreaterThan(0.9)
})

test('a location within the smallest effect never alarms, however many rows are sure of it', () => {
  const uniform = uniforms(5)
  const columns = Array.from({ length: 3 }, () => feature('independent', 13, 20_000, 0, uniform))
  columns[0]![12] = columns[0]![12]!.map((x) => x + 0.05)
  const reference = numericReference(columns[0]!.slice(0, 12).map((window) => counted(window)))
  const { shape } = numericContrast(reference, counted(columns[0]![12]!))
  expect(shape.location).toBeGreaterThan(0.03)
  expect(firstWindow(columns, 12)[0]! * 3).toBeGreaterThan(0.006)
})

test.each([
  ['a shift of half a standard deviation', (x: number) => x + 0.5],
  ['half the spread', (x: number) => x / 2],
  ['a spike', (x: number, i: number) => (i % 4 === 0 ? 0.02 : x)],
])('%s is seen in the first window', (_, change) => {
  const uniform = uniforms(9)
  const columns = Array.from({ length: 10 }, () => feature('independent', 13, 500, 0, uniform))
  columns[3]![12] = columns[3]![12]!.map(change)
  const p = firstWindow(columns, 12)
  expect(p[3]! * 10).toBeLessThan(0.006)
  expect(Math.min(...p.filter((_, f) => f !== 3)) * 10).toBeGreaterThan(0.006)
})

test('degenerate references have an answer', () => {
  const constant = (x: number, n = 50) => counted(Float64Array.from({ length: n }, () => x))
  const reference = numericReference(Array.from({ length: 8 }, () => constant(3)))
  const evaluate = (current: BinnedSample) => {
    const { shape, size, logPsi, ...own } = numericContrast(reference, current)
    return numericShifts([{ ...own, history: [{ shape, size, phase: 0 }], logPsi }])[0]!.p
  }
  expect(evaluate(constant(3))).toBe(1)
  expect(evaluate(constant(3, 1))).toBeGreaterThan(0.05)
  expect(evaluate(constant(4))).toBeLessThan(0.01)
  const never = { reference: Array.from({ length: 8 }, () => ({ count: 0, size: 100 })) }
  const [same, more] = shareShifts([
    { ...never, history: [{ count: 0, size: 100, phase: 0 }] },
    { ...never, history: [{ count: 60, size: 100, phase: 0 }] },
  ])
  expect(same).toBeGreaterThan(0.5)
  // Windows that are all alike have no correlation: it once came from rounding, and hid this.
  expect(more).toBeLessThan(1e-5)
})

test('shares: a season that is declared is no drift', () => {
  const normal = normals(uniforms(3))
  const windows = Array.from({ length: 22 }, (_, w) => ({
    count: Math.round(100 * (w % 7 >= 5 ? 0.6 : 0.3) + 3 * normal()),
    size: 100,
    phase: w % 7,
  }))
  const subject = { reference: windows.slice(0, 21), history: [windows[21]!] }
  const season = { length: 7, phases: windows.slice(0, 21).map(({ phase }) => phase) }
  expect(shareShifts([subject], season)[0]).toBeGreaterThan(0.05)
  const weekendOnMonday = { ...subject, history: [{ count: 60, size: 100, phase: 0 }] }
  expect(shareShifts([weekendOnMonday], season)[0]).toBeLessThan(0.005)
  expect(shareShifts([weekendOnMonday])[0]).toBeGreaterThan(0.05)
})

test('Holm', () => {
  expect(holm([])).toEqual([])
  expect(holm([0.01, 0.02], 10)).toEqual([0.1, 0.18])
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { dueWindows, type EvaluatedWindow } from './due-windows.ts'
import {
  horizonNow,
  isTimeToLook,
  learnHorizon,
  learnsHorizon,
  measurableWindows,
  withHorizon,
  type LearnedHorizon,
  type WindowDelays,
} from './label-horizon.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const modelOf = (more = '') => parseModel(`model_id: m\ntask: binary\n${more}`)
/** Daily windows; of each so many labels, with the delays of the least, middle and greatest tenth. */
const daily = (
  count: number,
  delays: readonly [uptoMs: number, labels: number][],
): WindowDelays[] =>
  Array.from({ length: count }, (_, i) => ({
    end: i * DAY,
    delays: delays.map(([uptoMs, labels]) => ({ uptoMs, labels })),
  }))
const learned: LearnedHorizon = {
  horizonMs: 26 * HOUR,
  delayP99Ms: 25.2 * HOUR,
  labels: 12_400,
  windows: 20,
}
const evaluatedAt = (start: number, end: number, more: Partial<EvaluatedWindow> = {}) => ({
  start,
  end,
  revision: 1,
  events: 100,
  changes: 50,
  maturity: 1,
  worst: 'ok' as const,
  alarmed: false,
  episode: '',
  ...more,
})

test('the 99th percentile, rounded up to whole hours', () => {
  const windows = daily(10, [
    [HOUR, 500],
    [25.2 * HOUR, 490],
    [40 * HOUR, 10],
  ])
  expect(learnHorizon(windows, { now: 20 * DAY, latenessMs: HOUR })).toEqual({
    horizonMs: 26 * HOUR,
    delayP99Ms: 25.2 * HOUR,
    labels: 10_000,
    windows: 10,
  })
})

test('windows that are too young to have all their labels are left out', () => {
  // The newest two have had no time yet for those that take a day.
  const windows = [
    ...daily(10, [
      [HOUR, 50],
      [26 * HOUR, 50],
    ]),
    ...[10, 11].map((day) => ({ end: day * DAY, delays: [{ uptoMs: HOUR, labels: 50 }] })),
  ]
  expect(learnHorizon(windows, { now: 11.1 * DAY, latenessMs: 0 })).toMatchObject({
    horizonMs: 26 * HOUR,
    windows: 9,
  })
})

test.each([
  ['seven windows', daily(7, [[DAY, 500]]), 100 * DAY],
  [
    '199 labels',
    daily(10, [[DAY, 19]]).concat({ end: 10 * DAY, delays: [{ uptoMs: DAY, labels: 9 }] }),
    100 * DAY,
  ],
  ['labels that come before a window closes', daily(10, [[HOUR / 2, 500]]), 100 * DAY],
  ['labels that take more than 90 days', daily(10, [[91 * DAY, 500]]), 500 * DAY],
  ['labels that all came just now, as of an import', daily(10, [[30 * DAY, 500]]), 30 * DAY],
])('nothing is learned of %s', (_, windows, now) => {
  expect(learnHorizon(windows, { now, latenessMs: HOUR })).toBeUndefined()
})

test('it is raised where labels take twice as long, and neither lowered nor moved by less', () => {
  const again = (delay: number) =>
    learnHorizon(daily(10, [[delay, 500]]), { now: 100 * DAY, latenessMs: 0, before: learned })
  expect(again(51 * HOUR)).toBeUndefined()
  expect(again(2 * HOUR)).toBeUndefined()
  expect(again(52 * HOUR)).toMatchObject({ horizonMs: 52 * HOUR })
})

test('for any delays: at least the percentile, at most a tenth more, and the same again', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.integer({ min: 60_000, max: 40 * DAY }), fc.integer({ min: 50, max: 500 })),
        {
          minLength: 1,
          maxLength: 10,
        },
      ),
      (delays) => {
        const options = { now: 400 * DAY, latenessMs: 0 }
        const found = learnHorizon(daily(12, delays), options)!
        const all = delays.reduce((sum, [, n]) => sum + n, 0)
        const within = delays.reduce((sum, [ms, n]) => sum + (ms <= found.horizonMs ? n : 0), 0)
        expect(within / all).toBeGreaterThanOrEqual(0.99)
        expect(found.horizonMs).toBeLessThanOrEqual(
          Math.max(found.delayP99Ms * 1.1, found.delayP99Ms + 60_000),
        )
        expect(learnHorizon(daily(12, delays), { ...options, before: found })).toBeUndefined()
      },
    ),
    { numRuns: 100 },
  )
})

test('simulated: slow labels beside instant ones are waited for', () => {
  const uniform = uniforms(5)
  const now = 30 * DAY
  // Half of the labels come in seconds, half after a day or so; what has not come yet is not seen.
  const windows = Array.from({ length: 30 }, (_, day) => {
    const counts = new Map<number, number>()
    for (let i = 0; i < 200; i++) {
      const delay = uniform() < 0.5 ? 2000 : DAY * (1 - 0.3 * Math.log(uniform()))
      const uptoMs = Math.ceil(1000 * 2 ** (Math.ceil(8 * Math.log2(delay / 1000)) / 8))
      if ((day + uniform()) * DAY + delay <= now) counts.set(uptoMs, (counts.get(uptoMs) ?? 0) + 1)
    }
    return {
      end: (day + 1) * DAY,
      delays: [...counts].map(([uptoMs, labels]) => ({ uptoMs, labels })),
    }
  })
  // 99 % of all: 98 % of the slow ones, 1 − 0.3 · ln 0.02 = 2.17 days.
  const { horizonMs } = learnHorizon(windows, { now, latenessMs: 0 })!
  expect(horizonMs).toBeGreaterThan(2 * DAY)
  expect(horizonMs).toBeLessThan(2.8 * DAY)
})

test('windows that are measured do not overlap, have labels, and are the newest', () => {
  const steps = Array.from({ length: 300 }, (_, i) => ({
    step: i * HOUR,
    events: 10,
    changes: i % 2 === 0 ? 10 : 0,
  }))
  const evaluated = Array.from({ length: 299 }, (_, i) => evaluatedAt(i * HOUR, (i + 2) * HOUR))
  const windows = measurableWindows(evaluated, steps)
  expect(windows).toHaveLength(32)
  expect(windows.at(-1)).toEqual({ start: 298 * HOUR, end: 300 * HOUR })
  for (const [i, { start }] of windows.entries())
    if (i > 0) expect(start).toBeGreaterThanOrEqual(windows[i - 1]!.end)
  const many = steps.map((step) => ({ ...step, changes: 1_000_000 }))
  expect(measurableWindows(evaluated, many)).toHaveLength(2)
  expect(measurableWindows(evaluated, [])).toEqual([])
})

test('it is looked at with the eighth window, and with each eighth after that', () => {
  expect([7, 8].map((windows) => isTimeToLook(windows, 0))).toEqual([false, true])
  expect([15, 16].map((windows) => isTimeToLook(windows, 8))).toEqual([false, true])
})

test('a declared horizon is never replaced, not even 0s, nor where a missing label means something', () => {
  for (const labels of [
    'labels: { horizon: 0s }',
    'labels: { horizon: 3d }',
    `labels: { absent_means: '0' }`,
  ]) {
    const model = modelOf(labels)
    expect(learnsHorizon(model)).toBe(false)
    expect(withHorizon(model, learned)).toBe(model)
  }
  expect(withHorizon(modelOf(), undefined).labels.horizon).toBe('0s')
  expect(withHorizon(modelOf(), learned).labels.horizon).toBe(`${26 * HOUR}ms`)
})

test('a window that was mature before stays so and is restated; a younger one waits', () => {
  const model = withHorizon(modelOf('windows: { size: 1h, lateness: 0s }'), learned)
  const steps = [
    { step: 0, events: 100, changes: 60 },
    { step: HOUR, events: 100, changes: 10 },
  ]
  const due = (at: number, evaluated: readonly EvaluatedWindow[]) =>
    dueWindows(steps, evaluated, { watermark: at, idle: false }, model, at)
  const before = evaluatedAt(0, HOUR)
  expect(due(3 * HOUR, [before])).toMatchObject([
    { start: 0, maturity: 1, restates: true },
    { start: HOUR, maturity: 0, restates: false },
  ])
  const after = [
    { ...before, changes: 60 },
    evaluatedAt(HOUR, 2 * HOUR, { maturity: 0, changes: 5 }),
  ]
  // Labels before the horizon are awaited.
  expect(due(4 * HOUR, after)).toEqual([])
  expect(due(28 * HOUR, after)).toMatchObject([{ start: HOUR, maturity: 1 }])
})

test('it says what holds, and why', () => {
  expect(horizonNow(modelOf(), learned)).toEqual({
    horizon_ms: 26 * HOUR,
    source: 'learned',
    says: 'Labels are waited for 26 h, which was learned: of 12400 labels in 20 windows 99 % came within 25.2 h (labels.horizon in the model file declares another)',
  })
  expect(horizonNow(modelOf('labels: { horizon: 3d }'), learned)).toEqual({
    horizon_ms: 3 * DAY,
    source: 'declared',
    says: 'Labels are waited for 3d, as the model file says',
  })
  expect(horizonNow(modelOf(), undefined)).toMatchObject({ horizon_ms: 0, source: 'none' })
  expect(horizonNow(modelOf(`labels: { absent_means: '0' }`), undefined).says).toContain(
    'absent_means',
  )
})

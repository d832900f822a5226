/** What the test of skew does to streams that are like the table, and to streams that are not. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { counted, feature, normals, type StreamKind } from '../../../bench/streams.ts'
import { uniforms } from '../distributions/random.ts'
import { ksInterval, ksPValue } from '../distances/ks.ts'
import { sampleSize } from '../samples/binned-sample.ts'
import {
  distanceTail,
  effectiveSize,
  INDEPENDENT,
  numericDesignEffects,
  shareDesignEffects,
  shareTail,
} from './skew-test.ts'
import { numericReference } from './window-reference.ts'

const FEATURES = 3
/** Four standard errors above a rate. */
const above = (rate: number, n: number) => rate + 4 * Math.sqrt((rate * (1 - rate)) / n)

/** The p of each feature of one window, by the windows before it; `shift` moves the first feature. */
function skewOf(kind: StreamKind, shift: number, rows: number, seed: number): number[] {
  const uniform = uniforms(seed)
  const normal = normals(uniform)
  const columns = Array.from({ length: FEATURES }, (_, f) =>
    feature(kind, 9, rows, 0, uniform).map((window) =>
      counted(window.map((x) => x + (f === 0 ? shift : 0))),
    ),
  )
  const effects = numericDesignEffects(
    columns.map((windows) => numericReference(windows.slice(0, 8))),
  )
  return columns.map((windows, f) => {
    const table = counted(Float64Array.from({ length: 4000 }, normal))
    const now = windows[8]!
    return distanceTail(ksInterval(table, now).low, 4000, sampleSize(now), effects[f]!)
  })
}

/** Share of streams in which some feature is told at alpha. */
function told(kind: StreamKind, shift: number, rows: number, streams: number, alpha: number) {
  let hits = 0
  for (let seed = 1; seed <= streams; seed++)
    if (Math.min(...skewOf(kind, shift, rows, seed)) * FEATURES <= alpha) hits++
  return hits / streams
}

describe('production is like the table', () => {
  test.each<StreamKind>(['independent', 'rows AR(1) 0.9', 'window noise'])(
    '%s: alarms stay within alpha',
    (kind) => {
      expect(told(kind, 0, 200, 120, 0.05)).toBeLessThan(above(0.05, 120))
    },
  )

  test('rows that depend on one another are false alarms by the p of independent rows', () => {
    let hits = 0
    for (let seed = 1; seed <= 40; seed++) {
      const uniform = uniforms(seed)
      const table = counted(Float64Array.from({ length: 4000 }, normals(uniform)))
      const [now] = feature('rows AR(1) 0.9', 1, 200, 0, uniform).map((window) => counted(window))
      if (ksPValue(ksInterval(table, now!).low, 4000, 200) <= 0.05) hits++
    }
    expect(hits / 40).toBeGreaterThan(0.5)
  })

  test('shares that vary from window to window stay within alpha', () => {
    const uniform = uniforms(5)
    const normal = normals(uniform)
    const streams = 400
    let hits = 0
    for (let s = 0; s < streams; s++) {
      const windows = Array.from({ length: 9 }, () => {
        const share = 0.3 + 0.05 * normal()
        return {
          count: Array.from({ length: 500 }, uniform).filter((u) => u < share).length,
          size: 500,
        }
      })
      const [effect] = shareDesignEffects([windows.slice(0, 8)])
      if (shareTail({ count: 30_000, size: 100_000 }, windows[8]!, effect!) <= 0.01) hits++
    }
    expect(hits / streams).toBeLessThan(above(0.01, streams))
  })
})

describe('production is unlike the table', () => {
  test('a constant difference is no noise: it is in the windows before too, and is told', () => {
    expect(told('independent', 0.5, 1000, 40, 0.01)).toBeGreaterThan(0.9)
    expect(told('independent', 0.25, 2000, 40, 0.05)).toBeGreaterThan(0.7)
  })
  test('noise costs power, and less than all of it', () => {
    expect(told('window noise', 1.5, 1000, 40, 0.05)).toBeGreaterThan(0.5)
  })
})

test('without windows the p is that of Kolmogorov', () => {
  expect(distanceTail(0.1, 1000, 1000, INDEPENDENT)).toBe(ksPValue(0.1, 1000, 1000))
})

test('a window is worth no more rows than it has, and more noise is worth fewer', () => {
  const positive = fc.double({ min: 1, max: 1e6, noNaN: true })
  fc.assert(
    fc.property(positive, positive, positive, positive, (n, a, b, meanSize) => {
      const of = (factor: number) => effectiveSize(n, { factor, meanSize, degrees: 7 })
      const [less, more] = [Math.min(a, b), Math.max(a, b)]
      expect(of(less)).toBeLessThanOrEqual(n)
      expect(of(more)).toBeLessThanOrEqual(of(less) * (1 + 1e-12))
    }),
  )
})

test('p falls as the distance grows and as the noise is better known', () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(
    fc.property(share, share, fc.integer({ min: 2, max: 500 }), (a, b, degrees) => {
      const effect = { factor: 2, meanSize: 100, degrees }
      const at = (d: number) => distanceTail(d, 5000, 300, effect)
      expect(at(Math.max(a, b))).toBeLessThanOrEqual(at(Math.min(a, b)) + 1e-12)
      expect(distanceTail(a, 5000, 300, { ...effect, degrees: degrees + 100 })).toBeLessThanOrEqual(
        at(a) + 1e-9,
      )
    }),
  )
})

/**
 * Streams with nothing to find in them, and changes to find: what alarms are measured on. Seeded.
 */
import type { BinnedSample } from '../lib/stats/samples/binned-sample.ts'
import { binned } from '../lib/sink/counts/log-histogram.ts'
import type { Level } from '../lib/stats/window-tests/level-test.ts'

export type StreamKind =
  'independent' | 'rows AR(1) 0.9' | 'window noise' | 'weekly' | 'wandering windows'

/** Standard normal draws, by Box and Muller. */
export function normals(uniform: () => number): () => number {
  let spare: number | undefined
  return () => {
    if (spare !== undefined) {
      const value = spare
      spare = undefined
      return value
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()))
    const angle = 2 * Math.PI * uniform()
    spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }
}

const ROW_CORRELATION = 0.9
const WINDOW_SPREAD = 0.2

/**
 * One feature: `windows` windows of `rows` values, of variance near 1.
 *
 * @param firstDay of the week, 0 to 6
 */
export function feature(
  kind: StreamKind,
  windows: number,
  rows: number,
  firstDay: number,
  uniform: () => number,
): Float64Array[] {
  const normal = normals(uniform)
  const phase = 2 * Math.PI * uniform()
  let row = normal()
  let wander = WINDOW_SPREAD * normal()
  return Array.from({ length: windows }, (_, w) => {
    const day = (firstDay + w) % 7
    const mean =
      kind === 'window noise'
        ? WINDOW_SPREAD * normal()
        : kind === 'wandering windows'
          ? (wander = 0.9 * wander + Math.sqrt(1 - 0.81) * WINDOW_SPREAD * normal())
          : kind === 'weekly'
            ? 0.5 * Math.sin((2 * Math.PI * day) / 7 + phase) - (day >= 5 ? 0.5 : 0)
            : 0
    return Float64Array.from({ length: rows }, () => {
      if (kind !== 'rows AR(1) 0.9') return mean + normal()
      row = ROW_CORRELATION * row + Math.sqrt(1 - ROW_CORRELATION ** 2) * normal()
      return row
    })
  })
}

/** Values counted as ingest counts them. */
export function counted(values: Float64Array, resolution?: number): BinnedSample {
  const { bins, counts, totals, lows, highs, ...rest } = binned(values, values.length, resolution)
  return {
    ...rest,
    bins: [...bins],
    counts: [...counts],
    totals: [...totals],
    lows: [...lows],
    highs: [...highs],
  }
}

export interface AccuracyStream {
  /** Standard deviation of what the accuracy of a window is drawn around. */
  windowNoise: number
  /** How much of it stays from one window to the next. */
  correlation: number
}

/** Accuracies of windows of `size` cases, 80 % right but for `fall` in those from `since` on. */
export function accuracies(
  windows: number,
  size: number,
  { windowNoise, correlation }: AccuracyStream,
  uniform: () => number,
  fall = 0,
  since = Infinity,
): Level[] {
  const normal = normals(uniform)
  let state = normal()
  return Array.from({ length: windows }, (_, w) => {
    state = correlation * state + Math.sqrt(1 - correlation ** 2) * normal()
    const p = 0.8 + windowNoise * state - (w >= since ? fall : 0)
    let right = 0
    for (let i = 0; i < size; i++) if (uniform() < p) right++
    const value = right / size
    return { value, size, standardError: Math.sqrt((value * (1 - value)) / size), phase: 0 }
  })
}

/** How the windows before one differed from the reference, from their results. Pure. */
import type { Shape } from '../../../lib/stats/samples/normal-scores.ts'
import type { Window } from '../../../lib/models/windows.ts'

/** How a window differed from the reference, as its results say. */
export interface PastShift {
  start: number
  end: number
  /** Per subject. */
  shapes: ReadonlyMap<string, { shape: Shape; size: number }>
  /** Subjects that alarmed: the weighted mean begins anew after them. */
  alarmed: ReadonlySet<string>
}

/** A published drift result of an earlier window; times are epoch milliseconds as text. */
export interface ShiftRow {
  /** Key of the cohort. */
  key: string
  start: string
  end: string
  subject: string
  metric: string
  value: number | null
  size: string
  verdict: string
}

const COMPONENTS: Record<string, keyof Shape> = {
  location_shift: 'location',
  scale_shift: 'logScale',
  skew_shift: 'skew',
}

/** @param rows in the order of time */
export function pastShiftsOf(rows: readonly ShiftRow[]): Map<string, PastShift[]> {
  return new Map(
    [...Map.groupBy(rows, (row) => row.key)].map(([key, own]) => [
      key,
      [...Map.groupBy(own, (row) => `${row.start}-${row.end}`).values()].map(shiftOf),
    ]),
  )
}

function shiftOf(results: readonly ShiftRow[]): PastShift {
  const shapes = new Map<string, { shape: Shape; size: number }>()
  const alarmed = new Set<string>()
  for (const { subject, metric, value, size, verdict } of results) {
    if (metric === 'psi') {
      if (verdict === 'alarm') alarmed.add(subject)
      continue
    }
    const component = COMPONENTS[metric]
    if (!component || value === null) continue
    const entry = shapes.get(subject) ?? {
      shape: { location: 0, logScale: 0, skew: 0 },
      size: Number(size),
    }
    entry.shape[component] = value
    shapes.set(subject, entry)
  }
  const { start, end } = results[0]!
  return { start: Number(start), end: Number(end), shapes, alarmed }
}

/** Windows further back weigh nothing in the mean of the last ones. */
const PAST_WINDOWS = 24

/**
 * The span of the windows before one that still weigh: those after the reference, where it lies
 * before.
 *
 * @param windows of the reference, ascending
 */
export function pastSpan(windows: readonly Window[], window: Window): [from: number, to: number] {
  // Windows of a number of events differ in length: those of the reference tell how long they
  // mostly are.
  const size = Math.max(
    window.end - window.start,
    (windows.at(-1)!.end - windows[0]!.start) / windows.length,
  )
  const after = windows.at(-1)!.end <= window.start ? windows.at(-1)!.end : -Infinity
  return [Math.max(after, window.start - PAST_WINDOWS * size), window.start]
}

/** Keeps the hopping windows that follow one another: rows must not count twice. */
export function notOverlapping<T extends Window>(past: readonly T[], window: Window): T[] {
  let before = window.start
  const chosen: T[] = []
  for (const shift of past.toReversed()) {
    if (shift.end > before) continue
    chosen.push(shift)
    before = shift.start
  }
  return chosen.toReversed()
}

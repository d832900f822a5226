/** How the windows before one differed from the reference, from their facts. Pure. */
import type { Shape } from '../../lib/stats/normal-scores.ts'

/** How a window differed from the reference, as its facts say. */
export interface PastShift {
  start: number
  /** Per subject. */
  shapes: ReadonlyMap<string, { shape: Shape; size: number }>
  /** Subjects that alarmed: the weighted mean begins anew after them. */
  alarmed: ReadonlySet<string>
}

export interface ShiftRow {
  /** Of the combination. */
  key: string
  start: string
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
      [...Map.groupBy(own, (row) => row.start)].map(([start, facts]) => shiftOf(start, facts)),
    ]),
  )
}

function shiftOf(start: string, facts: readonly ShiftRow[]): PastShift {
  const shapes = new Map<string, { shape: Shape; size: number }>()
  const alarmed = new Set<string>()
  for (const { subject, metric, value, size, verdict } of facts) {
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
  return { start: Number(start), shapes, alarmed }
}

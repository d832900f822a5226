/**
 * What the performance of earlier windows was while some labels were still to come, beside what it
 * was with all of them: what a now-cast is made of. Pure.
 */
import type { Window } from '../../../lib/models/windows.ts'
import { notOverlapping } from './past-shifts.ts'

/** A measure of a window with the labels that were in. */
export interface Measured {
  value: number
  /** Cases behind it: of precision predicted positives, of accuracy labels. */
  n: number
  labelled: number
  /** Labelled predictions over all predictions of the window, in [0, 1]. */
  share: number
}

/** A measure of an earlier window at the age that another one has now, and once mature. */
export interface EarlyAndFinal extends Window {
  /** Its revisions at that age, in their order: late events may have restated it. */
  early: readonly Measured[]
  final: Measured
}

/** By the name of the metric, windows in the order of time, no two of them overlapping. */
export type EarlyLabels = ReadonlyMap<string, readonly EarlyAndFinal[]>

/** Windows that are looked at: some were evaluated late, so that they tell nothing of the age. */
const MAX_WINDOWS = 60
/** Hopping windows that begin within one window's length at most, of those that are looked at. */
const MAX_OVERLAPPING = 24

/**
 * The newest windows with events before one, of which no two overlap.
 *
 * @param windows ascending by end
 */
export const windowsBefore = <T extends Window & { events: number }>(
  windows: readonly T[],
  window: Window,
): T[] =>
  notOverlapping(
    windows.slice(-MAX_WINDOWS * MAX_OVERLAPPING).filter(({ events }) => events > 0),
    window,
  ).slice(-MAX_WINDOWS)

/** A published measure of an earlier window; 64-bit numbers are text. */
export interface EarlyRow {
  metric: string
  /** Epoch milliseconds. */
  start: string
  end: string
  revision: number
  value: number
  n_current: string
  n_labelled: string
  label_maturity: number
  /** Labelled predictions over all predictions. */
  completeness: number
}

/**
 * Groups published rows.
 *
 * @param rows of windows of which no two overlap, those of the newest revisions first
 */
export function earlyLabelsOf(rows: readonly EarlyRow[]): EarlyLabels {
  return new Map(
    [...Map.groupBy(rows, ({ metric }) => metric)].map(([metric, own]) => [
      metric,
      [...Map.groupBy(own, ({ start, end }) => `${start}-${end}`).values()]
        .flatMap(bothAges)
        .toSorted((a, b) => a.end - b.end),
    ]),
  )
}

/** One window, where it was measured at both ages. */
function bothAges(rows: readonly EarlyRow[]): EarlyAndFinal[] {
  const final = rows.find(({ label_maturity }) => label_maturity === 1)
  const early = rows
    .filter(({ label_maturity }) => label_maturity < 1)
    .toSorted((a, b) => a.revision - b.revision)
  if (!final || early.length === 0) return []
  const window = { start: Number(final.start), end: Number(final.end) }
  return [{ ...window, early: early.map(measuredOf), final: measuredOf(final) }]
}

const measuredOf = ({ value, n_current, n_labelled, completeness }: EarlyRow): Measured => ({
  value,
  n: Number(n_current),
  labelled: Number(n_labelled),
  share: completeness,
})

/**
 * The numbers of earlier windows, from their results: what those of a window are evaluated by, and
 * what they were while some labels were still to come, of which a now-cast is made. Pure.
 */
import { normalQuantile } from '../../../lib/stats/distributions/normal-quantile.ts'
import type { Window } from '../../../lib/models/windows.ts'
import type { MetricResult } from './metric-results.ts'
import { notOverlapping } from './past-shifts.ts'

/** A number of an earlier window. */
export interface PastLevel extends Window {
  value: number
  /** Cases behind it. */
  size: number
  /** 0 where no interval tells it. */
  standardError: number
  alarmed: boolean
}

/** Per {@link levelKey}, in the order of time. */
export type PastLevels = ReadonlyMap<string, readonly PastLevel[]>

/** Names a metric of a cohort across windows: `family/metric/subject`. */
export const levelKey = ({
  family,
  metric,
  subject,
}: Pick<MetricResult, 'family' | 'metric' | 'subject'>) => `${family}/${metric}/${subject}`

/** A published result of an earlier window; times are epoch milliseconds as text. */
export interface LevelRow extends Pick<
  MetricResult,
  | 'family'
  | 'metric'
  | 'subject'
  | 'method'
  | 'ci_low'
  | 'ci_high'
  | 'ci_level'
  | 'verdict'
  | 'n_effective'
> {
  /** Key of the cohort. */
  key: string
  start: string
  end: string
  value: number
  n_current: string
  n_labelled: string
}

/**
 * What a window's numbers are evaluated by: those of the reference's windows, and of the windows
 * since.
 */
export interface LevelHistory {
  reference: PastLevels
  since: PastLevels
}

/**
 * @param ofReference of the cohort that the reference is of
 * @param own of the cohort that is evaluated
 * @param windows of the reference
 */
export function levelHistory(
  ofReference: PastLevels = new Map(),
  own: PastLevels = new Map(),
  windows: readonly Window[],
  window: Window,
): LevelHistory {
  const starts = new Set(windows.map(({ start }) => start))
  const each = (levels: PastLevels, choose: (some: readonly PastLevel[]) => PastLevel[]) =>
    new Map([...levels].map(([name, some]) => [name, choose(some)]))
  return {
    reference: each(ofReference, (some) => some.filter(({ start }) => starts.has(start))),
    since: each(own, (some) =>
      notOverlapping(
        some.filter(({ start }) => !starts.has(start)),
        window,
      ),
    ),
  }
}

/** @param rows in the order of time */
export function pastLevelsOf(rows: readonly LevelRow[]): Map<string, PastLevels> {
  return new Map(
    [...Map.groupBy(rows, (row) => row.key)].map(([key, own]) => [
      key,
      new Map([...Map.groupBy(own, levelKey)].map(([name, some]) => [name, some.map(levelOf)])),
    ]),
  )
}

const levelOf = (row: LevelRow): PastLevel => ({
  start: Number(row.start),
  end: Number(row.end),
  value: row.value,
  size: sizeOf(row),
  standardError: standardErrorOf(row),
  alarmed: row.verdict === 'alarm',
})

/** Standard error of a number as its interval tells it; 0 without one. */
export function standardErrorOf({
  ci_low,
  ci_high,
  ci_level,
}: Pick<MetricResult, 'ci_low' | 'ci_high' | 'ci_level'>): number {
  if (ci_low === null || ci_high === null || ci_level === null) return 0
  return (ci_high - ci_low) / (2 * normalQuantile((1 + ci_level) / 2))
}

/**
 * Cases behind a number: of performance and feedback those with a label, and as many as they are
 * worth where they are weighted.
 */
export const sizeOf = (
  result: Pick<MetricResult, 'family' | 'method' | 'n_effective'> & {
    n_labelled: number | string
    n_current: number | string
  },
): number => {
  if (result.method === 'weighted' && result.n_effective !== null) return result.n_effective
  const isOfLabels = result.family === 'performance' || result.family === 'feedback'
  return Number(isOfLabels ? result.n_labelled : result.n_current)
}

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

/**
 * Windows of one cohort by the name of the metric, in the order of time, no two of them
 * overlapping.
 */
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
  /** Key of the cohort. */
  key: string
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
 * Groups published rows by cohort, as `keyOf` names it.
 *
 * @param rows of windows of which no two overlap, those of the newest revisions first
 */
export const earlyLabelsOf = (rows: readonly EarlyRow[]): Map<string, EarlyLabels> =>
  new Map([...Map.groupBy(rows, ({ key }) => key)].map(([key, own]) => [key, ofCohort(own)]))

function ofCohort(rows: readonly EarlyRow[]): EarlyLabels {
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

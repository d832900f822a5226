/**
 * The numbers of earlier windows, from their results: what those of a window are evaluated by.
 * Pure.
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
  'family' | 'metric' | 'subject' | 'method' | 'ci_low' | 'ci_high' | 'ci_level' | 'verdict' | 'n_effective'
> {
  /** Of the cohort. */
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

/** What past windows would have looked like on another budget, from their adjusted p. Pure. */
import type { Model } from '../../../lib/models/model-files.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { isSkew, type Family } from '../data/metric-results.ts'
import { SKEW_SHARE } from './skew/skew.ts'
import { FAMILY_SHARES, windowAlphaOf } from './thresholds.ts'
import { THROUGHPUT_SHARE } from './silence/throughput.ts'

/** A past window, with the least adjusted p of each metric that was tested. */
export interface TestedWindow extends Window {
  tested: readonly Test[]
}

/** The least adjusted p of one metric in a window. */
interface Test {
  family: Family
  metric: string
  p: number
}

/** What one budget would have done. */
export interface WouldHaveAlarmed {
  false_alarms_per_week: number
  /** Windows with an alarm, and the episodes that they make. */
  windows: number
  episodes: number
}

/** Budgets that are tried, in false alarms a week. */
const TRIED_BUDGETS: readonly number[] = [0.1, 0.25, 1]

/** An episode ends after so many windows without an alarm. */
const CALM_WINDOWS = 2

/**
 * Holds the tests of past windows against other budgets. Fixed lines, overrides and intervals of
 * fairness are on no budget, and what would have alarmed sooner would have started its mean of the
 * last windows anew: both are left out.
 *
 * @param past in the order of time
 */
export function wouldHaveAlarmed(
  past: readonly TestedWindow[],
  model: Model,
  budgets: readonly number[] = TRIED_BUDGETS,
): WouldHaveAlarmed[] {
  const hasTable = past.some(({ tested }) => tested.some(isSkew))
  const hasThroughput = past.some(({ tested }) =>
    tested.some(({ metric }) => metric === 'throughput_per_s'),
  )
  const shareOf = (test: Test) => shareOfMetric(test, { hasTable, hasThroughput })
  return budgets.map((budget) => {
    const alarms = past.map((window) => {
      const alpha = windowAlphaOf({ ...model, falseAlarmsPerWeek: budget }, window)
      return window.tested.some((test) => test.p <= alpha * shareOf(test))
    })
    return {
      false_alarms_per_week: budget,
      windows: alarms.filter(Boolean).length,
      episodes: episodesOf(alarms),
    }
  })
}

/** The share of a window's alpha that the tests of a metric have together. */
function shareOfMetric(
  { family, metric }: Test,
  { hasTable, hasThroughput }: { hasTable: boolean; hasThroughput: boolean },
): number {
  const whole = FAMILY_SHARES[family]
  if (isSkew({ family, metric })) return whole * SKEW_SHARE
  if (family === 'drift') return whole * (hasTable ? 1 - SKEW_SHARE : 1)
  // Each of four kinds of fault has a quarter of the family's.
  if (family === 'quality') return (whole / 4) * (hasTable ? 1 - SKEW_SHARE : 1)
  if (family !== 'operations' || !hasThroughput) return whole
  return whole * (metric === 'throughput_per_s' ? THROUGHPUT_SHARE : 1 - THROUGHPUT_SHARE)
}

function episodesOf(alarms: readonly boolean[]): number {
  let episodes = 0
  let calm = CALM_WINDOWS
  for (const isAlarm of alarms) {
    if (isAlarm && calm >= CALM_WINDOWS) episodes++
    calm = isAlarm ? 0 : calm + 1
  }
  return episodes
}

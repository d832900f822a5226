/**
 * What was said of the windows before one, read at once: how they differed, their numbers, and by
 * how much estimates were wrong.
 */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { pastLevelsOf, type LevelRow, type PastLevels } from '../data/past-metrics.ts'
import { pastShiftsOf, pastSpan, type PastShift, type ShiftRow } from '../data/past-shifts.ts'
import { ALL, COHORT_KEY, keyOf, sqlTime } from '../data/cohort.ts'

/** What one window is to be seen against. */
export interface PastQuestion {
  modelId: string
  window: Window
  /**
   * The baseline, with its windows where it has any, ascending: without them nothing is asked but
   * errors.
   */
  reference: { name: string; windows: readonly Window[] }
  /** Windows that were evaluated, ascending by end. */
  evaluated: readonly Window[]
}

/** Each per cohort, as `keyOf` names it, in the order of time. */
export interface PastAnswers {
  /** How windows since the reference differed from it. */
  shifts: ReadonlyMap<string, PastShift[]>
  /**
   * Numbers of performance, operations and feedback: of the reference's windows, and of those
   * since.
   */
  levels: ReadonlyMap<string, PastLevels>
  /** Estimate minus what came true, of the last windows that have both; of the model as a whole. */
  errors: readonly number[]
}

/** The answers where no window was evaluated before. */
export const NO_PAST: PastAnswers = { shifts: new Map(), levels: new Map(), errors: [] }

/** How many evaluated windows back errors of estimates are looked for. */
const ERROR_WINDOWS = 20

const IS_BETWEEN = `window_start >= {from:DateTime64(3, 'UTC')} AND window_end <= {to:DateTime64(3, 'UTC')}`
const IS_SHIFT = `family = 'drift' AND convention = 'plumbline' AND reference = {reference:String}
  AND metric IN ('psi', 'location_shift', 'scale_shift', 'skew_shift') AND ${IS_BETWEEN}`
const IS_LEVEL = `family IN ('performance', 'operations', 'feedback') AND convention = 'plumbline' AND method IN ('observed', 'weighted')
  AND (window_start IN {starts:Array(DateTime64(3, 'UTC'))} OR (${IS_BETWEEN}))`
const IS_ERROR = `metric = 'estimate_error' AND model_version = '' AND variant = '' AND slice_key = ''
  AND window_start >= {errors_from:DateTime64(3, 'UTC')} AND window_end <= {to:DateTime64(3, 'UTC')}`

/**
 * The newest revision of each, of one whose labels came to be weighted the weighted one; sorting
 * them by time here costs a quarter more than sorting them where they are read.
 */
const PAST = `
SELECT ${COHORT_KEY} AS key, toUnixTimestamp64Milli(window_start) AS start, toUnixTimestamp64Milli(window_end) AS end,
  family, subject, metric, method, value, n_effective, ci_low, ci_high, ci_level, verdict, n_current, n_labelled
FROM window_metrics
WHERE model_id = {model:String} AND ((${IS_SHIFT}) OR (${IS_LEVEL}) OR (${IS_ERROR}))
ORDER BY revision DESC, isNull(value)
LIMIT 1 BY model_version, variant, slice_key, slice_value, window_start, window_end, family, subject, metric`

type PastRow = Omit<LevelRow, 'value'> & Omit<ShiftRow, 'size'>

/** @throws what ClickHouse throws */
export async function pastOf(
  db: ClickHouse,
  { modelId, window, reference, evaluated }: PastQuestion,
): Promise<PastAnswers> {
  const { windows } = reference
  const [from, to] = windows.length > 0 ? pastSpan(windows, window) : [window.start, window.start]
  // The newest go first: a model has years of windows.
  const newest = evaluated.findLastIndex(({ end }) => end <= window.start)
  const before = evaluated.slice(Math.max(0, newest + 1 - ERROR_WINDOWS), newest + 1)
  const rows = await db.query<PastRow>(PAST, {
    model: modelId,
    reference: reference.name,
    starts: windows.map(({ start }) => sqlTime(start)),
    from: sqlTime(from),
    to: sqlTime(to),
    errors_from: sqlTime(Math.min(window.start, ...before.map(({ start }) => start))),
  })
  rows.sort((a, b) => Number(a.start) - Number(b.start))
  const of = (chosen: (row: PastRow) => boolean) => rows.filter(chosen)
  const isError = (row: PastRow) => row.metric === 'estimate_error'
  const isKnown = ({ value, verdict }: PastRow) => value !== null && verdict !== 'incomplete'
  return {
    shifts: pastShiftsOf(
      of(({ family }) => family === 'drift').map((row) => ({ ...row, size: row.n_current })),
    ),
    levels: pastLevelsOf(
      of((row) => row.family !== 'drift' && !isError(row) && isKnown(row)) as LevelRow[],
    ),
    errors: of((row) => isError(row) && row.key === keyOf(ALL)).flatMap(({ value }) =>
      value === null ? [] : [value],
    ),
  }
}

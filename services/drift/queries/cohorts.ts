/** Which cohorts of a model a window holds. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { ALL, paramsOf, SLICE_VALUE, within, type Cohort } from '../data/cohort.ts'
import type { Present } from './event-totals.ts'
import { tablesOf } from './late-attributes.ts'
import { countedValues } from './slice-counts.ts'

/** Values of one slice that are evaluated, the most frequent ones. */
const MAX_SLICES = 50

/** A slice of a model in one window. */
export interface SliceQuestion {
  modelId: string
  window: Window
  key: string
  /**
   * Whether counts of the slice are kept for the window: `ensureCounted` of `slice-counts.ts` says
   * so.
   */
  isCounted: boolean
}

/** The most frequent values of a slice, at most 50; ties in the order of the values. */
export async function sliceValues(
  db: ClickHouse,
  { modelId, window, key, isCounted }: SliceQuestion,
): Promise<string[]> {
  if (isCounted) return countedValues(db, { modelId, window, key, most: MAX_SLICES })
  const { predictions } = await tablesOf(db, true)
  const rows = await db.query<{ value: string }>(
    `SELECT ${SLICE_VALUE} AS value FROM ${predictions} WHERE model_id = {model:String} AND ${within('predicted_at')} AND NOT shadow
     AND value != '' GROUP BY value ORDER BY count() DESC, value LIMIT ${MAX_SLICES}`,
    paramsOf(modelId, [window], { ...ALL, slice: { key, value: '' } }),
  )
  return rows.map(({ value }) => value)
}

/** Everything; each version where there are several; each variant. */
export function unslicedCohorts(present: readonly Present[]): Cohort[] {
  const versions = [...new Set(present.map(({ version }) => version))]
  const variants = [...new Set(present.map(({ variant }) => variant))]
  return [
    ALL,
    ...(versions.length > 1 ? versions.map((modelVersion) => ({ modelVersion, variant: '' })) : []),
    ...variants
      .filter((variant) => variant !== '')
      .map((variant) => ({ modelVersion: '', variant })),
  ]
}

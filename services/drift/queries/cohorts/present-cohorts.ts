/** Which cohorts of a model a window holds. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { Window } from '../../../../lib/models/windows.ts'
import { ALL, paramsOf, within, type Cohort } from '../../data/cohort.ts'
import { sliceValue } from '../../data/slices.ts'
import { OTHER, type SliceDefinition } from '../../../../lib/models/slices.ts'
import type { Present } from '../event-totals.ts'
import { tablesOf } from '../late-attributes.ts'
import {
  countedValues,
  ensureCounted,
  mostFrequent,
  valuesOf,
  type SliceValues,
} from '../slice-counts.ts'

/** The slices of a model in one window. */
export interface SlicesQuestion {
  modelId: string
  window: Window
  slices: readonly SliceDefinition[]
  /** Values of one slice that are evaluated one by one. */
  most: number
}

/** The cohorts of the slices: the most frequent values of each, and all others as one. */
export async function slicedCohorts(
  db: ClickHouse,
  { slices, ...question }: SlicesQuestion,
): Promise<Cohort[]> {
  const found: Cohort[] = []
  for (const slice of slices) {
    const rest = await sliceValues(db, { ...question, slice })
    for (const value of rest.except) found.push({ ...ALL, slice: { ...slice, value } })
    if (rest.values > rest.except.length)
      found.push({ ...ALL, slice: { ...slice, value: OTHER, rest } })
  }
  return found
}

async function sliceValues(
  db: ClickHouse,
  question: Omit<SlicesQuestion, 'slices'> & { slice: SliceDefinition },
): Promise<SliceValues> {
  const { modelId, window, slice, most } = question
  if (await ensureCounted(db, { modelId, spans: [window], slice }))
    return countedValues(db, question)
  const { predictions } = await tablesOf(db, true)
  const rows = await db.query<Parameters<typeof valuesOf>[0][number]>(
    mostFrequent(
      `SELECT ${sliceValue(slice)} AS value, count() AS events FROM ${predictions}
       WHERE model_id = {model:String} AND ${within('predicted_at')} AND NOT shadow AND value != '' GROUP BY value`,
    ),
    { ...paramsOf(modelId, [window], { ...ALL, slice: { ...slice, value: '' } }), most },
  )
  return valuesOf(rows)
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

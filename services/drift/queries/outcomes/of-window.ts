/** Labelled outcomes of some spans, summed up inside ClickHouse. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { Model } from '../../../../lib/models/model-files.ts'
import type { Window } from '../../../../lib/models/windows.ts'
import { ALL, keyOf, type Cohort } from '../../data/cohort.ts'
import type { Slice } from '../../data/slices.ts'
import type { GroupCounts, KnownTruth, OutcomeCounts } from '../../data/window-data.ts'
import { readGroups } from './groups.ts'
import {
  AS_STORED,
  knownTables,
  truthOfEach,
  truthOfSlices,
  truthParams,
  truthSource,
} from './labelled-outcomes.ts'
import { knownBy } from '../known-by.ts'
import { tablesOf, tablesOfSlice } from '../late-attributes.ts'
import { readOutcomes, readOutcomesOfEach } from './read-outcomes.ts'

/** A cohort of a model in some spans. */
export interface OutcomeQuestion {
  model: Model
  spans: readonly Window[]
  c: Cohort
  /**
   * Predictions before this instant have had the label horizon: without a label they mean what the
   * model file says; epoch milliseconds.
   */
  completeUntil: number
  /** Leaves out labels and predictions that came later, epoch milliseconds; none unless given. */
  asOf?: number | undefined
}

/** How much of the truth of a cohort with so many predictions is read. */
export interface KnownTruthQuestion extends Pick<OutcomeQuestion, 'completeUntil' | 'asOf'> {
  predictions: number
}

/** Outcomes of a cohort; `predictions` is how many predictions its spans hold. */
export async function outcomesOf(
  db: ClickHouse,
  { model, spans, c, completeUntil, asOf }: OutcomeQuestion,
  predictions: number,
): Promise<OutcomeCounts> {
  const stored = c.slice ? await tablesOfSlice(db, model.modelId, spans, c.slice) : AS_STORED
  const tables = asOf === undefined ? stored : knownTables(stored)
  return readOutcomes(db, model, predictions, {
    source: truthSource(tables, model, c),
    params: {
      ...truthParams(model, spans, c, completeUntil),
      ...(asOf !== undefined && knownBy(asOf)),
    },
  })
}

/**
 * Outcomes of several cohorts without a slice, by their keys: those alone that have ground truth.
 */
export function outcomesOfEach(
  db: ClickHouse,
  { model, spans, completeUntil }: Omit<OutcomeQuestion, 'c'>,
  cohorts: readonly Cohort[],
): Promise<ReadonlyMap<string, KnownTruth>> {
  const of = (c: Cohort) => ({
    source: truthSource(AS_STORED, model, c),
    params: truthParams(model, spans, c, completeUntil),
  })
  const each = {
    source: truthOfEach(AS_STORED, model),
    params: truthParams(model, spans, ALL, completeUntil),
  }
  return readOutcomesOfEach(db, model, each, new Map(cohorts.map((c) => [keyOf(c), of(c)])))
}

/** Outcomes of cohorts of one slice, by value: those alone that have ground truth. */
export async function sliceOutcomes(
  db: ClickHouse,
  { model, spans, c, completeUntil }: OutcomeQuestion,
  slices: readonly Slice[],
): Promise<ReadonlyMap<string, KnownTruth>> {
  const [first] = slices
  if (!first) return new Map()
  const tables = await tablesOfSlice(db, model.modelId, spans, first)
  const of = (slice: Slice) => ({
    source: truthSource(tables, model, { ...c, slice }),
    params: truthParams(model, spans, { ...c, slice }, completeUntil),
  })
  const values = slices.flatMap(({ value, rest }) => (rest ? [] : [value]))
  const each = {
    source: truthOfSlices(tables, model, c, slices),
    params: { ...of(first).params, slice_values: values },
  }
  return readOutcomesOfEach(db, model, each, new Map(slices.map((one) => [one.value, of(one)])))
}

/** Predictions and outcomes of a cohort per group of a protected attribute. */
export async function groupCounts(
  db: ClickHouse,
  { model, spans, c, completeUntil }: OutcomeQuestion,
  attribute: string,
): Promise<GroupCounts[]> {
  return readGroups(db, model, attribute, c, {
    tables: await tablesOf(db, true),
    params: truthParams(model, spans, c, completeUntil),
  })
}

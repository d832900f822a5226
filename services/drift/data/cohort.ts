/** Which predictions a result is about, and how to say so in SQL. */
import { largest, smallest } from '../../../lib/stats/samples/extremes.ts'
import type { Params } from '../../../lib/clickhouse/port.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { isInSlice, sliceParams, sliceValue, type Slice } from './slices.ts'

/**
 * Predictions of a model; '' means all. All versions leave shadows out, one version counts its own.
 */
export interface Cohort {
  modelVersion: string
  variant: string
  /** Whether shadows count among all versions too. */
  withShadows?: boolean
  /** One value of a slice; absent for all. */
  slice?: Slice
}

/** The model as a whole: every version and variant, without shadows. */
export const ALL: Cohort = { modelVersion: '', variant: '' }

/**
 * The cohort of a reference that a cohort is compared with: a slice with itself, a version or
 * variant with everything.
 */
export const referenceCohort = (
  reference: { modelVersion?: string | undefined } | undefined,
  { slice }: Cohort,
): Cohort => ({
  ...ALL,
  modelVersion: reference?.modelVersion ?? '',
  ...(slice && { slice }),
})

/** A key that two cohorts share only if they are equal. */
export const keyOf = ({ modelVersion, variant, slice }: Cohort) =>
  [modelVersion, variant, slice?.key ?? '', slice?.value ?? ''].join('\u0001')

const sqlKey = (modelVersion: string, variant: string, sliceKey = "''", sliceValue = "''") =>
  `concat(${[modelVersion, variant, sliceKey, sliceValue].join(", '\\x01', ")})`

/** SQL of the key of {@link keyOf}, from the columns that hold a cohort. */
export const COHORT_KEY = sqlKey('model_version', 'variant', 'slice_key', 'slice_value')

/**
 * SQL of the keys of all cohorts without a slice that a prediction is part of; an empty version is
 * no cohort.
 */
export const UNSLICED_KEYS = `arrayConcat(if(shadow, [], [${sqlKey("''", "''")}]),
  if(model_version = '', [], [${sqlKey('model_version', "''")}]),
  if(shadow OR variant = '', [], [${sqlKey("''", 'variant')}]))`

/** SQL condition on the version and variant of a cohort, which counts know; it begins with AND. */
export const cohortCondition = (c: Cohort) =>
  (c.modelVersion !== ''
    ? ' AND model_version = {version:String}'
    : c.withShadows
      ? ''
      : ' AND NOT shadow') + (c.variant === '' ? '' : ' AND variant = {variant:String}')

/** Conditions on raw predictions. */
export const predictionScope = (c: Cohort) =>
  cohortCondition(c) + (c.slice ? ` AND ${isInSlice(c.slice, sliceValue(c.slice))}` : '')

/** Spans are disjoint and few: one window, mostly, or those of a reference. */
export const within = (column: string) =>
  `${column} >= {from:DateTime64(3, 'UTC')} AND ${column} < {to:DateTime64(3, 'UTC')} AND (length({starts:Array(DateTime64(3, 'UTC'))}) = 1 OR arrayExists((s, e) -> ${column} >= s AND ${column} < e, {starts:Array(DateTime64(3, 'UTC'))}, {ends:Array(DateTime64(3, 'UTC'))}))`

/**
 * A table of predictions, or of what became of them, with the attributes that came later in place
 * of those they had; those of the prediction itself go before those of its subject. Rows lie in the
 * spans among the parameters.
 */
export function withLateAttributes(table: 'predictions' | 'outcome_revisions FINAL'): string {
  const [name, final = ''] = table.split(' ')
  const inSpans = `model_id = {model:String} AND ${within('predicted_at')}`
  const late = (id: 'subject_id' | 'prediction_id', others: string) =>
    `(SELECT ${id} AS id, CAST(mapFromArrays(groupArray(name), groupArray(value)), 'Map(LowCardinality(String), String)') AS late
      FROM attributes_latest WHERE ${id} != '' ${others} AND ${id} IN (SELECT ${id} FROM predictions WHERE ${inSpans}) GROUP BY id)`
  return `(SELECT own.* REPLACE (mapUpdate(mapUpdate(own.attributes, subjects.late), own_late.late) AS attributes)
    FROM (SELECT * FROM ${name} ${final} WHERE ${inSpans}) AS own
    LEFT JOIN ${late('subject_id', `AND prediction_id = ''`)} AS subjects ON own.subject_id = subjects.id
    LEFT JOIN ${late('prediction_id', '')} AS own_late ON own.prediction_id = own_late.id)`
}

/** Number of the span in which an instant lies, from 1. */
export const spanOf = (column: string) =>
  `arrayFirstIndex((s, e) -> ${column} >= s AND ${column} < e, {starts:Array(DateTime64(3, 'UTC'))}, {ends:Array(DateTime64(3, 'UTC'))})`

/** Groups of spans, each counted by itself; a span may be part of several. */
export interface SpanGroups {
  groups: readonly (readonly Window[])[]
  /** All spans of the groups, each once. */
  spans: readonly Window[]
  /** The groups, from 1, that each of the spans is part of. */
  memberships: readonly (readonly number[])[]
}

/** @returns undefined where two spans overlap that are not the same */
export function spanGroups(groups: readonly (readonly Window[])[]): SpanGroups | undefined {
  const bySpan = new Map<string, { span: Window; of: number[] }>()
  for (const [i, group] of groups.entries())
    for (const span of group) {
      const name = `${span.start}-${span.end}`
      const known = bySpan.get(name) ?? { span, of: [] }
      known.of.push(i + 1)
      bySpan.set(name, known)
    }
  const all = [...bySpan.values()].toSorted((a, b) => a.span.start - b.span.start)
  if (all.some(({ span }, i) => i > 0 && span.start < all[i - 1]!.span.end)) return undefined
  return { groups, spans: all.map(({ span }) => span), memberships: all.map(({ of }) => of) }
}

/**
 * SQL of an array: the groups of spans, from 1, that an instant lies in, which `groups` among the
 * parameters lists for each of the spans.
 */
export const groupsOf = (column: string) => `{groups:Array(Array(UInt32))}[${spanOf(column)}]`

/** Epoch milliseconds as ClickHouse reads them. */
export const sqlTime = (ms: number) => new Date(ms).toISOString().replace('T', ' ').replace('Z', '')

/**
 * Parameters that the conditions of this file take; times are in UTC. `spans` has at least one
 * entry.
 */
export function paramsOf(modelId: string, spans: readonly Window[], c: Cohort): Params {
  return {
    model: modelId,
    version: c.modelVersion,
    variant: c.variant,
    ...sliceParams(c.slice),
    from: sqlTime(smallest(spans.map((span) => span.start))),
    to: sqlTime(largest(spans.map((span) => span.end))),
    starts: spans.map((span) => sqlTime(span.start)),
    ends: spans.map((span) => sqlTime(span.end)),
  }
}

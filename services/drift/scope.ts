/** Which predictions a fact is about, and how to say so in SQL. */
import type { Params } from '../../lib/clickhouse.ts'
import type { Window } from '../../lib/windows.ts'

/** '' means all; all versions leaves shadows out, one version counts its own shadows. */
export interface Combination {
  modelVersion: string
  variant: string
  /** One value of an attribute, or of a feature; absent for all. */
  slice?: { key: string; value: string }
}

export const ALL: Combination = { modelVersion: '', variant: '' }

/** The same for two combinations only if they are. */
export const keyOf = ({ modelVersion, variant, slice }: Combination) =>
  [modelVersion, variant, slice?.key ?? '', slice?.value ?? ''].join('\u0001')

/** The value a prediction has in a slice: of the attribute, where it has one, else of the feature. */
export const SLICE_VALUE = `if(mapContains(attributes, {slice_key:String}), attributes[{slice_key:String}], if(mapContains(features, {slice_key:String}), toString(features[{slice_key:String}]), ''))`
/** Of outcomes, which keep attributes alone. */
const OUTCOME_SLICE_VALUE = 'attributes[{slice_key:String}]'

/** Conditions on counts, which know versions and variants. */
export const scope = (c: Combination) =>
  (c.modelVersion === '' ? ' AND NOT shadow' : ' AND model_version = {version:String}') +
  (c.variant === '' ? '' : ' AND variant = {variant:String}')

/** Conditions on raw predictions. */
export const predictionScope = (c: Combination) =>
  scope(c) + (c.slice ? ` AND ${SLICE_VALUE} = {slice_value:String}` : '')

/** Conditions on outcomes. */
export const outcomeScope = (c: Combination) =>
  scope(c) + (c.slice ? ` AND ${OUTCOME_SLICE_VALUE} = {slice_value:String}` : '')

/** Spans are disjoint and few: one window, or those of a reference. */
export const within = (column: string) =>
  `${column} >= {from:DateTime64(3, 'UTC')} AND ${column} < {to:DateTime64(3, 'UTC')} AND arrayExists((s, e) -> ${column} >= s AND ${column} < e, {starts:Array(DateTime64(3, 'UTC'))}, {ends:Array(DateTime64(3, 'UTC'))})`

/** In which of the spans an instant lies, from 1. */
export const spanOf = (column: string) =>
  `arrayFirstIndex((s, e) -> ${column} >= s AND ${column} < e, {starts:Array(DateTime64(3, 'UTC'))}, {ends:Array(DateTime64(3, 'UTC'))})`

/** Epoch milliseconds as ClickHouse reads them. */
export const sqlTime = (ms: number) => new Date(ms).toISOString().replace('T', ' ').replace('Z', '')

export function paramsOf(modelId: string, spans: readonly Window[], c: Combination): Params {
  return {
    model: modelId,
    version: c.modelVersion,
    variant: c.variant,
    slice_key: c.slice?.key ?? '',
    slice_value: c.slice?.value ?? '',
    from: sqlTime(Math.min(...spans.map((span) => span.start))),
    to: sqlTime(Math.max(...spans.map((span) => span.end))),
    starts: spans.map((span) => sqlTime(span.start)),
    ends: spans.map((span) => sqlTime(span.end)),
  }
}

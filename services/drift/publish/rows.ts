/** Turns results into rows of `verdicts` and into `verdict.v1`, and finds those that changed. Pure. */
import { createHash } from 'node:crypto'
import type { Row } from '../../../lib/clickhouse/port.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { resultKey, type MetricResult } from '../data/metric-results.ts'
import { keyOf, type Cohort } from '../data/cohort.ts'

/** Names one revision of one cohort of a window; times are epoch milliseconds. */
export interface RevisionKey {
  modelId: string
  cohort: Cohort
  window: Window
  revision: number
  /** Episode of the alarms in which the window lies, or ''. */
  episode: string
  policyRevision: string
  /** Revisions of the references by name; 1 where a name is not among them. */
  referenceRevisions: ReadonlyMap<string, number>
  /** Kinds of the references by name, as the model file names kinds. */
  referenceKinds?: ReadonlyMap<string, string>
  computedAt: number
}

/** The slice of a cohort as columns; empty strings where it has none. */
export const sliceColumns = ({ slice }: Cohort) => ({
  slice_key: slice?.key ?? '',
  slice_value: slice?.value ?? '',
})

const iso = (ms: number) => new Date(ms).toISOString()

/** Names a revision in insert tokens: the same ones again write nothing. */
export const tokenOf = ({ modelId, cohort, window, revision }: RevisionKey) =>
  ['window', modelId, keyOf(cohort), window.start, window.end, revision].join('\u0001')

/** The kind of the reference that a result was compared with, or ''. */
export const kindOf = ({ reference }: MetricResult, { referenceKinds }: RevisionKey) =>
  referenceKinds?.get(reference) ?? ''

/** The episode of a result that alarms or warns, or ''. */
export const episodeOfResult = ({ verdict }: MetricResult, { episode }: RevisionKey) =>
  verdict === 'alarm' || verdict === 'warning' ? episode : ''

/**
 * A result that an earlier revision had and this one has not: written without a value, so that the
 * latest view forgets it.
 */
const vanished = (result: MetricResult): MetricResult => ({
  ...result,
  value: null,
  verdict: 'none',
  reason: 'no longer in the window',
  bound_low: null,
  bound_high: null,
  ci_low: null,
  ci_high: null,
  p_value: null,
  p_adjusted: null,
})

/** A row of `verdicts`, which is also the message on `plumbline.verdicts.v1`. */
export interface VerdictRow extends Row {
  verdict_id: string
  model_id: string
  verdict: string
}

/**
 * Makes rows of one revision.
 *
 * @returns of a result and the verdict of the same result in the earlier revision, or ''
 */
export function verdictRowsOf(
  key: RevisionKey,
): (result: MetricResult, previous: string) => VerdictRow {
  const { modelId, cohort, window, revision } = key
  const { slice_key, slice_value } = sliceColumns(cohort)
  const [window_start, window_end] = [iso(window.start), iso(window.end)]
  const computed_at = iso(key.computedAt)
  const head = [modelId, keyOf(cohort), window.start, window.end].join('\u0001')
  const idOf = (result: MetricResult) =>
    createHash('sha256')
      .update([head, resultKey(result), revision].join('\u0001'))
      .digest('hex')
      .slice(0, 32)
  return (result, previous) => ({
    verdict_id: idOf(result),
    model_id: modelId,
    model_version: cohort.modelVersion,
    variant: cohort.variant,
    window_start,
    window_end,
    slice_key,
    slice_value,
    family: result.family,
    subject: result.subject,
    metric: result.metric,
    convention: result.convention,
    value: result.value,
    baseline_value: result.baseline_value,
    threshold: result.threshold,
    verdict: result.verdict,
    previous_verdict: previous,
    reason: result.reason,
    reference: result.reference,
    reference_kind: kindOf(result, key),
    episode_id: episodeOfResult(result, key),
    revision,
    restates: revision > 1 ? revision - 1 : 0,
    computed_at,
  })
}

/**
 * Results that differ from the earlier revision in value, precision, interval, verdict or sizes,
 * and those that vanished.
 */
export function changedResults(
  now: readonly MetricResult[],
  before: ReadonlyMap<string, MetricResult>,
): MetricResult[] {
  if (before.size === 0) return [...now]
  const current = new Map(now.map((result) => [resultKey(result), result]))
  return [
    ...now.filter((result) => !isSameResult(result, before.get(resultKey(result)))),
    ...[...before].flatMap(([key, result]) =>
      current.has(key) || (result.value === null && result.verdict === 'none')
        ? []
        : [vanished(result)],
    ),
  ]
}

const COMPARED = [
  'value',
  'precision',
  'bound_low',
  'bound_high',
  'ci_low',
  'ci_high',
  'ci_level',
  'p_value',
  'p_adjusted',
  'baseline_value',
  'threshold',
  'verdict',
  'reason',
  'n_reference',
  'n_current',
  'n_effective',
  'n_labelled',
  'completeness',
  'label_maturity',
] as const

const isSameResult = (a: MetricResult, b: MetricResult | undefined) =>
  b !== undefined && COMPARED.every((field) => a[field] === b[field])

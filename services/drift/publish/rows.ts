/** From facts to rows of `window_metrics` and `verdicts`, and to `verdict.v1`. Pure. */
import { createHash } from 'node:crypto'
import type { Row } from '../../../lib/clickhouse/port.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { factKey, type Fact } from '../data/metric-results.ts'
import { keyOf, type Combination } from '../data/cohort.ts'

export interface RevisionKey {
  modelId: string
  combination: Combination
  window: Window
  revision: number
  /** Of the alarms in which the window lies, or ''. */
  episode: string
  policyRevision: string
  /** Revisions of the references by name; 1 where a name is not among them. */
  referenceRevisions: ReadonlyMap<string, number>
  computedAt: number
}

export const sliceColumns = ({ slice }: Combination) => ({
  slice_key: slice?.key ?? '',
  slice_value: slice?.value ?? '',
})

const iso = (ms: number) => new Date(ms).toISOString()

/** Names a revision in insert tokens: the same ones again write nothing. */
export const tokenOf = ({ modelId, combination, window, revision }: RevisionKey) =>
  ['window', modelId, keyOf(combination), window.start, window.end, revision].join('\u0001')

export function metricRows(facts: readonly Fact[], key: RevisionKey): Row[] {
  const same = {
    model_id: key.modelId,
    model_version: key.combination.modelVersion,
    variant: key.combination.variant,
    window_start: iso(key.window.start),
    window_end: iso(key.window.end),
    ...sliceColumns(key.combination),
    policy_revision: key.policyRevision,
    revision: key.revision,
    computed_at: iso(key.computedAt),
  }
  return facts.map((fact) => ({
    ...same,
    ...fact,
    reference_revision: key.referenceRevisions.get(fact.reference) ?? 1,
    n_reference: Math.round(fact.n_reference),
    n_current: Math.round(fact.n_current),
    n_labelled: Math.round(fact.n_labelled),
    episode_id: episodeOfFact(fact, key),
  }))
}

const episodeOfFact = ({ verdict }: Fact, { episode }: RevisionKey) =>
  verdict === 'alarm' || verdict === 'warning' ? episode : ''

/** A fact that an earlier revision had and this one has not: written without a value, so that the latest view forgets it. */
const vanished = (fact: Fact): Fact => ({
  ...fact,
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

export interface VerdictRow extends Row {
  verdict_id: string
  model_id: string
  verdict: string
}

/** @param previous the verdict of the same fact in the earlier revision, or '' */
export function verdictRow(fact: Fact, key: RevisionKey, previous: string): VerdictRow {
  const { modelId, combination, window, revision } = key
  const identity = [
    modelId,
    keyOf(combination),
    window.start,
    window.end,
    factKey(fact),
    revision,
  ].join('\u0001')
  return {
    verdict_id: createHash('sha256').update(identity).digest('hex').slice(0, 32),
    model_id: modelId,
    model_version: combination.modelVersion,
    variant: combination.variant,
    window_start: iso(window.start),
    window_end: iso(window.end),
    ...sliceColumns(combination),
    family: fact.family,
    subject: fact.subject,
    metric: fact.metric,
    convention: fact.convention,
    value: fact.value,
    threshold: fact.threshold,
    verdict: fact.verdict,
    previous_verdict: previous,
    reason: fact.reason,
    reference: fact.reference,
    episode_id: episodeOfFact(fact, key),
    revision,
    restates: revision > 1 ? revision - 1 : 0,
    computed_at: iso(key.computedAt),
  }
}

/** Facts that differ from the earlier revision in value, precision, interval, verdict or sizes, and those that vanished. */
export function changedFacts(now: readonly Fact[], before: ReadonlyMap<string, Fact>): Fact[] {
  if (before.size === 0) return [...now]
  const current = new Map(now.map((fact) => [factKey(fact), fact]))
  return [
    ...now.filter((fact) => !sameFact(fact, before.get(factKey(fact)))),
    ...[...before].flatMap(([key, fact]) =>
      current.has(key) || (fact.value === null && fact.verdict === 'none') ? [] : [vanished(fact)],
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

const sameFact = (a: Fact, b: Fact | undefined) =>
  b !== undefined && COMPARED.every((field) => a[field] === b[field])

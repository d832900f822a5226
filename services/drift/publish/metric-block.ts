/** Results as a Native block of `window_metrics`, whose columns are filled again and again. Pure. */
import * as native from '../../../lib/clickhouse/native/block.ts'
import type { MetricResult } from '../data/metric-results.ts'
import { episodeOfResult, kindOf, sliceColumns, type RevisionKey } from './rows.ts'

/** A block that grows by the results of one revision after another. */
export interface MetricBlock extends native.NativeBlock {
  /** One row for each result. */
  add: (results: readonly MetricResult[], key: RevisionKey) => void
  /** Begins anew without a row. */
  clear: () => void
}

const NUMBERS = [
  'value',
  'bound_low',
  'bound_high',
  'ci_low',
  'ci_high',
  'ci_level',
  'p_value',
  'p_adjusted',
  'baseline_value',
  'threshold',
  'n_effective',
  'label_maturity',
  'completeness',
] as const
const SIZES = ['n_reference', 'n_current', 'n_labelled'] as const
const FEW = [
  'family',
  'metric',
  'convention',
  'method',
  'precision',
  'verdict',
  'reference',
] as const
const TEXTS = ['subject', 'reason'] as const

/** An empty block of `window_metrics`. */
export function metricBlock(): MetricBlock {
  const columns = blockColumns()
  const block: MetricBlock = {
    columns: columns.all,
    rows: 0,
    add: (results, key) => {
      if (results.length === 0) return
      const end = block.rows + results.length
      setRevision(columns, key, { from: block.rows, end })
      for (const result of results) setResult(columns, block.rows++, result, key)
    },
    clear: () => {
      native.clear(columns.all)
      block.rows = 0
    },
  }
  return block
}

type BlockColumns = ReturnType<typeof blockColumns>

function blockColumns() {
  const each = <K extends string, C>(names: readonly K[], make: () => C) =>
    Object.fromEntries(names.map((name) => [name, make()])) as Record<K, C>
  /** What all results of a revision share. */
  const shared = {
    ...each(['model_id', 'model_version', 'variant', 'slice_key'] as const, native.lowCardinality),
    ...each(['window_start', 'window_end', 'computed_at'] as const, () =>
      native.fixed("DateTime64(3, 'UTC')"),
    ),
    revision: native.fixed('UInt32'),
  }
  const texts = each(['slice_value', 'policy_revision', 'episode_id', ...TEXTS], native.strings)
  const few = each(['reference_kind', ...FEW], native.lowCardinality)
  const numbers = each(NUMBERS, () => native.nullable(native.fixed('Float64')))
  const sizes = each(SIZES, () => native.fixed('UInt64'))
  const reference_revision = native.fixed('UInt32')
  const all: native.NativeBlock['columns'] = {
    ...shared,
    ...texts,
    ...few,
    ...numbers,
    ...sizes,
    reference_revision,
  }
  return { shared, texts, few, numbers, sizes, reference_revision, all }
}

function setRevision(
  { shared }: BlockColumns,
  key: RevisionKey,
  { from, end }: { from: number; end: number },
): void {
  shared.model_id.setRun(from, end, key.modelId)
  shared.model_version.setRun(from, end, key.cohort.modelVersion)
  shared.variant.setRun(from, end, key.cohort.variant)
  shared.slice_key.setRun(from, end, sliceColumns(key.cohort).slice_key)
  shared.window_start.setRun(from, end, key.window.start)
  shared.window_end.setRun(from, end, key.window.end)
  shared.computed_at.setRun(from, end, key.computedAt)
  shared.revision.setRun(from, end, key.revision)
}

function setResult(
  { texts, few, numbers, sizes, reference_revision }: BlockColumns,
  row: number,
  result: MetricResult,
  key: RevisionKey,
): void {
  texts.slice_value.set(row, key.cohort.slice?.value ?? '')
  texts.policy_revision.set(row, key.policyRevision)
  texts.episode_id.set(row, episodeOfResult(result, key))
  for (const name of TEXTS) texts[name].set(row, result[name])
  for (const name of FEW) few[name].set(row, result[name])
  few.reference_kind.set(row, kindOf(result, key))
  for (const name of NUMBERS) numbers[name].set(row, finite(result[name]))
  for (const name of SIZES) sizes[name].set(row, Math.round(result[name]))
  reference_revision.set(row, key.referenceRevisions.get(result.reference) ?? 1)
}

/** What is no number cannot be known; readers of the table would take it for one. */
const finite = (value: number | null): number | null =>
  value !== null && Number.isFinite(value) ? value : null

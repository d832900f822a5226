/** Features that are declared or named, and never have a value. Pure. */
import type { Model } from '../../../../lib/models/model-files.ts'
import { isFeature } from '../../../../lib/events/subjects.ts'
import { declaredKinds } from '../../data/declared-features.ts'
import { metricResult, type MetricResult } from '../../data/metric-results.ts'
import type { WindowInput } from '../../data/window-input.ts'
import { effectiveOf, type WindowCounts } from '../../data/window-data.ts'
import { baselineOf } from '../window-levels.ts'

/** Features nobody declared that are told one by one; how many more there are is told by number. */
const MAX_TOLD = 50

/** What is asked of features without a value: needs no baseline, nor one that is whole. */
type Asked = Pick<WindowInput, 'counts' | 'references' | 'isSlice'>

/**
 * `missing_ratio` 1, as a warning, of every feature that has a value neither in the window nor in
 * the baseline: those of the model file, and those that events name as null. A feature that no
 * event names and nobody declares is not known to anyone.
 *
 * @returns at most one result a declared feature and {@link MAX_TOLD} others, sorted by name; where
 *   there are more, `features_without_value` says how many; nothing of slices
 */
export function withoutValues(
  input: Asked,
  model: Pick<Model, 'features' | 'windows'>,
): MetricResult[] {
  if (input.isSlice) return []
  const { counts } = input
  const baseline = baselineOf(input)
  const isValued = (name: string) =>
    hasValue(counts, name) || (baseline !== undefined && hasValue(baseline.counts, name))
  const declared = new Set([...declaredKinds(model).keys()].filter(isFeature))
  const undeclared = [...(counts.empty ?? [])]
    .filter((name) => !declared.has(name) && !isValued(name))
    .toSorted()
  const where = baseline ? 'in the window and in the reference alike' : 'in the window'
  const about = {
    n_current: effectiveOf(counts),
    reference: baseline?.name ?? '',
    verdict: 'warning' as const,
  }
  const told = (name: string, reason: string) =>
    metricResult('quality', name, 'missing_ratio', 1, { ...about, reason })
  const results = [
    ...[...declared]
      .filter((name) => !isValued(name))
      .toSorted()
      .map((name) => told(name, `declared in the model file, and without a value ${where}`)),
    ...undeclared
      .slice(0, MAX_TOLD)
      .map((name) => told(name, `null in every event that names it, ${where}`)),
    ...(undeclared.length > MAX_TOLD
      ? [
          metricResult('quality', '', 'features_without_value', undeclared.length, {
            ...about,
            reason: `${MAX_TOLD} features that are null in every event ${where} are told one by one, ${undeclared.length - MAX_TOLD} more are not`,
          }),
        ]
      : []),
  ]
  return results.map((result) => unlessFew(result, counts.events, model.windows.min_count))
}

const hasValue = ({ numeric, categories }: WindowCounts, name: string) =>
  numeric.has(name) || categories.has(name)

const unlessFew = (result: MetricResult, events: number, minCount: number): MetricResult =>
  events >= minCount
    ? result
    : {
        ...result,
        verdict: 'incomplete',
        reason: `${events} events, below min_count ${minCount}`,
      }

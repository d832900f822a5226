/** Metrics of a window against the levels of the baseline's windows: the settings that all families share. */
import type { Model } from '../../../lib/models/model-files.ts'
import type { MetricResult } from '../data/metric-results.ts'
import type { WindowInput } from '../data/window-input.ts'
import { withLevelVerdicts } from './metric-alarms.ts'
import { FIXED_LINES, marked, windowAlphaOf } from './thresholds.ts'

/** The one reference that verdicts come from; undefined where the model has none yet. */
export const baselineOf = ({ references }: Pick<WindowInput, 'references'>) =>
  references.find((reference) => reference.baseline)

/** The results with verdicts by the baseline's windows and those since; `share`: of the budget, in (0, 1]. */
export const withLevels = (
  results: readonly MetricResult[],
  family: 'performance' | 'operations',
  { levels, window, cohorts, ...input }: WindowInput,
  model: Model,
  share = 1,
) => {
  if (model.hasFixedLines) return results.map((result) => marked(result, FIXED_LINES))
  return withLevelVerdicts(results, family, baselineOf(input), levels, {
    window,
    windowAlpha: windowAlphaOf(model, window) * share,
    cohorts,
    looks: family === 'performance' ? model.labels.evaluate_at.length : 1,
    minCount: model.windows.min_count,
  })
}

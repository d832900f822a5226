/**
 * The family `feedback`: what people and judges say under names of their own, evaluated on the
 * budget. Pure.
 */
import type { Model } from '../../../../lib/models/model-files.ts'
import type { Window } from '../../../../lib/models/windows.ts'
import type { MetricResult } from '../../data/metric-results.ts'
import type { NamedLabelsOfCohort } from '../../data/named-labels.ts'
import { levelKey, sizeOf, type LevelHistory } from '../../data/past-metrics.ts'
import { covers, MIN_WINDOWS, type ReferenceData } from '../../data/reference.ts'
import { learningReason, NO_REFERENCE, PART_OF_REFERENCE } from '../learning.ts'
import type { Learning } from '../../data/window-input.ts'
import { withLevelVerdicts } from '../metric-alarms.ts'
import { overridden, windowAlphaOf } from '../thresholds.ts'
import { areNumbers, namedLabelResults } from './named-labels.ts'

/** What is known of a cohort of a window when its named labels are evaluated. */
export interface FeedbackInput {
  window: Window
  /** Labels of the cohort; undefined where it has none. */
  named: NamedLabelsOfCohort | undefined
  /** Labels of the window as a whole, which decide whether a name has numbers or classes. */
  whole: NamedLabelsOfCohort | undefined
  predictions: number
  baseline: ReferenceData | undefined
  learning: Learning | undefined
  levels: LevelHistory
  /** Cohorts of version and variant that are evaluated of this window. */
  cohorts: number
  maturity: number
}

/** Why a number of a window below the label horizon has no verdict. */
const TOO_YOUNG = 'younger than the label horizon'

/**
 * Mean or rates of each name with verdicts: a change, either way, beyond what the reference's
 * windows differ by. Lines of the model file decide as soon as `min_count` labels are there; the
 * budget decides once labels are mature.
 */
export function evaluateFeedback(input: FeedbackInput, model: Model): MetricResult[] {
  const { named, whole, predictions, maturity } = input
  if (!named) return []
  const numeric = new Set([...(whole?.read ?? []), ...named.read].filter(areNumbers).map(nameOf))
  for (const own of whole?.read ?? []) if (!areNumbers(own)) numeric.delete(own.name)
  const minCount = model.windows.min_count
  const results = namedLabelResults(named, { predictions, maturity, numeric })
    .map((result) => withBaseline(result, input))
    .map((result) => (isLevel(result) ? enough(result, minCount) : result))
  return evaluated(results, input, model).map((result) => overridden(result, model.overrides))
}

const nameOf = ({ name }: { name: string }) => name
const isLevel = ({ metric }: MetricResult) => metric === 'mean' || metric === 'rate'

/**
 * The mean of the number over the reference's windows, each with as much weight as labels stand
 * behind it.
 */
function withBaseline(result: MetricResult, { levels, ...input }: FeedbackInput): MetricResult {
  const reference = (input.learning?.before ?? input.baseline)?.name ?? ''
  const past = levels.reference.get(levelKey(result)) ?? []
  const cases = past.reduce((sum, { size }) => sum + size, 0)
  if (!isLevel(result) || cases === 0)
    return { ...result, reference: isLevel(result) ? reference : '' }
  const total = past.reduce((sum, { size, value }) => sum + size * value, 0)
  return { ...result, reference, baseline_value: total / cases, n_reference: cases }
}

const enough = (result: MetricResult, minCount: number): MetricResult =>
  sizeOf(result) < minCount
    ? {
        ...result,
        verdict: 'incomplete',
        reason: also(result, `fewer labels than min_count ${minCount}`),
      }
    : result

const also = ({ reason }: MetricResult, more: string) => [reason, more].filter(Boolean).join('; ')

/** Verdicts where there is a reference to give them, and otherwise why there is none. */
function evaluated(
  results: readonly MetricResult[],
  { window, learning, baseline, levels, cohorts, maturity }: FeedbackInput,
  model: Model,
): MetricResult[] {
  const reference = learning?.before ?? baseline
  const without = (why: string) =>
    results.map((result) => (isOpen(result) ? { ...result, reason: also(result, why) } : result))
  if (!reference)
    return learning
      ? results.map((result) =>
          isOpen(result) ? { ...result, reason: also(result, learningReason(learning)) } : result,
        )
      : without(NO_REFERENCE)
  if (covers(reference.spans, window)) return without(PART_OF_REFERENCE)
  if (maturity === 0) return without(TOO_YOUNG)
  const open = results.filter(isOpen)
  const tested = withLevelVerdicts(open, 'feedback', reference, levels, {
    window,
    windowAlpha: windowAlphaOf(model, window),
    cohorts,
    looks: model.labels.evaluate_at.length,
    minCount: model.windows.min_count,
  })
  return [
    ...results.filter((result) => !isOpen(result)),
    ...tested.map((result) =>
      isOpen(result)
        ? { ...result, reason: also(result, `fewer than ${MIN_WINDOWS} reference windows hold it`) }
        : result,
    ),
  ]
}

/** Whether a verdict on it is still to be given. */
const isOpen = (result: MetricResult) => isLevel(result) && result.verdict === 'none'

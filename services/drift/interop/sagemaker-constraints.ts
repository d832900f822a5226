/**
 * What SageMaker Model Monitor would write into `constraint_violations.json`: a span beside a
 * baseline, by the default thresholds of its `constraints.json`. Pure.
 *
 * @see https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-violations.html
 */
import type { CategoryCounts } from '../../../lib/sink/counts/category-counts.ts'
import { compareCategories } from '../../../lib/sink/counts/compare-categories.ts'
import { isFeature } from '../../../lib/events/subjects.ts'
import { atOneResolution, type BinnedSample } from '../../../lib/stats/samples/binned-sample.ts'
import { ksInterval } from '../../../lib/stats/distances/ks.ts'
import { effectiveOf, missingOf, valuesOf, type WindowCounts } from '../data/window-data.ts'

/** One entry of SageMaker Model Monitor's `constraint_violations.json`. */
export interface Violation {
  feature_name: string
  constraint_check_type:
    | 'data_type_check'
    | 'completeness_check'
    | 'baseline_drift_check'
    | 'missing_column_check'
    | 'extra_column_check'
    | 'categorical_values_check'
  description: string
}

/** `datatype_check_threshold`, `domain_content_threshold` and `comparison_threshold`. */
const THRESHOLD = 0.1

/** Features of the baseline in the order of their names, then those it does not have. */
export function constraintViolations(current: WindowCounts, baseline: WindowCounts): Violation[] {
  const namesOf = ({ numeric, categories }: WindowCounts) =>
    [...new Set([...numeric.keys(), ...categories.keys()])].filter(isFeature).toSorted()
  const known = namesOf(baseline)
  return [
    ...known.flatMap((name) => ofFeature(name, current, baseline)),
    ...namesOf(current)
      .filter((name) => !known.includes(name))
      .map((name): Violation => ({
        feature_name: name,
        constraint_check_type: 'extra_column_check',
        description: 'There are extra columns in current dataset.',
      })),
  ]
}

/**
 * Values in bins whose least and greatest one are whole: small numbers have a bin each, and hardly
 * any other bin is so by chance.
 */
const wholeNumbers = (sample: BinnedSample | undefined): number =>
  (sample?.counts ?? []).reduce(
    (sum, count, i) =>
      sum + (Number.isInteger(sample!.lows[i]) && Number.isInteger(sample!.highs[i]) ? count : 0),
    0,
  )

function ofFeature(name: string, current: WindowCounts, baseline: WindowCounts): Violation[] {
  const say = (constraint_check_type: Violation['constraint_check_type'], description: string) => [
    { feature_name: name, constraint_check_type, description },
  ]
  const [before, now] = [valuesOf(baseline, name), valuesOf(current, name)]
  const size = now.numbers + now.texts
  if (size === 0)
    return say('missing_column_check', 'The column of the baseline is not in current dataset.')
  const isNumeric = before.numbers >= before.texts
  const isIntegral = isNumeric && wholeNumbers(baseline.numeric.get(name)) === before.numbers
  const type = isIntegral ? 'Integral' : isNumeric ? 'Fractional' : 'String'
  const ofType = isIntegral
    ? wholeNumbers(current.numeric.get(name))
    : isNumeric
      ? now.numbers
      : now.texts
  const matching = ofType / size
  const [expected, observed] = [baseline, current].map(
    (counts) => 1 - missingOf(counts, name) / effectiveOf(counts),
  ) as [number, number]
  return [
    ...(1 - matching > THRESHOLD
      ? say(
          'data_type_check',
          `Data type match requirement is not met. Expected data type: ${type}. Observed: Only ${percent(matching)} of data is ${type}.`,
        )
      : []),
    ...(observed < expected
      ? say(
          'completeness_check',
          `Data completeness requirement is not met. Expected completeness: ${percent(expected)}. Observed completeness: ${percent(observed)}.`,
        )
      : []),
    ...(isNumeric
      ? numericDrift(baseline.numeric.get(name), current.numeric.get(name), say)
      : categoricalDrift(baseline.categories.get(name), current.categories.get(name), say)),
  ]
}

type Say = (type: Violation['constraint_check_type'], description: string) => Violation[]

const drifted = (distance: number, say: Say) =>
  distance > THRESHOLD
    ? say(
        'baseline_drift_check',
        `Baseline drift distance: ${distance} exceeds threshold: ${THRESHOLD}`,
      )
    : []

/** The largest difference of the distribution functions, from below where bins hold it open. */
function numericDrift(
  before: BinnedSample | undefined,
  now: BinnedSample | undefined,
  say: Say,
): Violation[] {
  if (!before || !now) return []
  const [a, b] = atOneResolution([before, now]) as [BinnedSample, BinnedSample]
  return drifted(ksInterval(a, b).low, say)
}

function categoricalDrift(
  before: CategoryCounts | undefined,
  now: CategoryCounts | undefined,
  say: Say,
): Violation[] {
  if (!before || !now) return []
  const { fresh, widest } = compareCategories(before, now)
  const unknown = fresh.value
  return [
    ...(unknown > THRESHOLD
      ? say(
          'categorical_values_check',
          `Value: ${percent(unknown)} of the observed values are unknown to the baseline; the threshold is ${percent(THRESHOLD)}.`,
        )
      : []),
    ...drifted(widest.value, say),
  ]
}

const percent = (share: number) => `${Number((100 * share).toFixed(4))}%`

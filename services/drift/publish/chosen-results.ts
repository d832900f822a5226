/**
 * Which results of a window Prometheus gets by name: those of the headline, the gravest of what
 * alarms, and what the model file chooses. Pure.
 */
import { isChosen, type MetricsChoice } from '../../../lib/models/metrics/metrics-choice.ts'
import { FAMILIES_BY_GRAVITY } from '../../../lib/models/alarm-sentences.ts'
import type { MetricResult } from '../data/metric-results.ts'
import { MIN_CELL } from '../evaluate/thresholds.ts'

/** What says of any model how it is: of each line the first metric that the window has. */
const HEADLINE: readonly (readonly string[])[] = [
  ['operations/throughput_per_s'],
  ['operations/error_ratio'],
  ['drift/drift_share'],
  [
    'performance/accuracy',
    'performance/macro_f1',
    'performance/mae',
    'performance/ndcg_at_k',
    'performance/estimated_accuracy',
    'feedback/mean',
  ],
]

/** Results of a window by how much they matter to whoever is paged. */
export interface ChosenResults {
  /**
   * Results of the headline, and the gravest of what alarms: a dozen or fewer unless the file says
   * more.
   */
  first: readonly MetricResult[]
  /** What the model file chooses besides. */
  rest: readonly MetricResult[]
}

/**
 * Chooses the results that are exported by name, each once.
 *
 * @param results one of each set of labels
 * @param isSnoozed whether nobody wants to hear of a result's verdict
 */
export function chosenResults(
  results: readonly MetricResult[],
  choice: MetricsChoice,
  isSnoozed: (result: MetricResult) => boolean,
): ChosenResults {
  const first = new Set([...headline(results), ...gravest(results, choice.active, isSnoozed)])
  const rest = results.filter((result) => !first.has(result) && isChosen(choice, result))
  return { first: [...first], rest }
}

/**
 * Tells whether a result may be shown. Cells below ten are left out: a result would be about single
 * people. A result that has no value, or counts nothing, shows its verdict.
 */
export const isShown = ({ value, verdict, n_current: n }: MetricResult): boolean =>
  value === null ? verdict !== 'none' : n === 0 || n >= MIN_CELL

function headline(results: readonly MetricResult[]): MetricResult[] {
  const ofModel = results.filter(
    ({ subject, convention, value }) =>
      subject === '' && convention === 'plumbline' && value !== null,
  )
  return HEADLINE.flatMap((names) => {
    for (const name of names) {
      const found = ofModel.filter(({ family, metric }) => `${family}/${metric}` === name)
      // The reference that verdicts come from goes before others.
      const [best] = found.toSorted((a, b) => Number(hasNone(a)) - Number(hasNone(b)))
      if (best) return [best]
    }
    return []
  })
}

const hasNone = ({ verdict }: MetricResult) => verdict === 'none'

/** The order of `activeSeries`, so that an alarm that is named has its value here. */
function gravest(
  results: readonly MetricResult[],
  most: number,
  isSnoozed: (result: MetricResult) => boolean,
): MetricResult[] {
  return results
    .filter((result) => result.verdict === 'alarm' || result.verdict === 'warning')
    .filter((result) => !isSnoozed(result))
    .toSorted(byGravity)
    .slice(0, most)
}

function byGravity(a: MetricResult, b: MetricResult): number {
  const rank = ({ family }: MetricResult) => FAMILIES_BY_GRAVITY.indexOf(family)
  const name = ({ metric, subject }: MetricResult) => `${metric}\u0000${subject}`
  return (
    Number(a.verdict !== 'alarm') - Number(b.verdict !== 'alarm') ||
    rank(a) - rank(b) ||
    (name(a) < name(b) ? -1 : 1)
  )
}

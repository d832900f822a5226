/** The series of evaluated windows, made one by one as a scrape is written. */
import { Gauge } from 'prom-client'
import type { Metrics } from '../../../lib/runtime/metrics.ts'
import type { MetricResult, Verdict } from '../data/metric-results.ts'
import type { withinBudget } from './series-budget.ts'

const COHORT_LABELS = ['model_id', 'model_version', 'variant'] as const
const LABELS = [
  ...COHORT_LABELS,
  'family',
  'subject',
  'metric',
  'slice',
  'reference',
  'convention',
] as const

/** The labels of a result but its subject; a few hundred sets are shared by all models. */
export type Kind = Pick<MetricResult, 'family' | 'metric' | 'reference' | 'convention'>

/**
 * What is exported of the newest window of one cohort, as arrays side by side: an object for each
 * result would take four times the memory. It is never changed once it is made.
 */
export interface Shown {
  end: number
  cohortLabels: Record<'model_id' | 'model_version' | 'variant' | 'slice', string>
  /** How many results have which verdict, by family. */
  counts: readonly { family: string; verdict: Verdict; n: number }[]
  kinds: Kind[]
  subjects: string[]
  values: (number | undefined)[]
  verdicts: (number | undefined)[]
  /** Results that come before those that only the model file chooses. */
  first: number
  /** How many series these are, and how many the rest. */
  size: { first: number; rest: number }
}

interface Series {
  value: number
  labels: Record<string, string>
}

type Budgeted = ReturnType<typeof withinBudget<Shown>>

/**
 * Gauges whose series are made one by one as they are written, at each scrape: kept by the client
 * library they would take far more memory.
 */
export function registerGauges(registry: Metrics['registry'], budgeted: () => Budgeted): void {
  const gauge = (
    name: string,
    help: string,
    labelNames: readonly string[],
    series: (budgeted: Budgeted) => Iterable<Series>,
  ) => {
    const one = new Gauge({ name, help, labelNames, registers: [registry] })
    const described = one.get.bind(one)
    // Whoever writes them reads them once, in order.
    one.get = async () => ({ ...(await described()), values: series(budgeted()) as Series[] })
  }
  gauge(
    'plumbline_verdicts',
    'How many metrics of the last closed window have a verdict, by family.',
    [...COHORT_LABELS, 'slice', 'family', 'verdict'],
    countSeries,
  )
  gauge(
    'plumbline_window_metric',
    'A metric of the last closed window: of its headline, the gravest that alarm, and what the model file chooses.',
    LABELS,
    (parts) => resultSeries(parts, ({ values }) => values),
  )
  gauge(
    'plumbline_verdict',
    'Verdict on a metric of the last closed window that is shown: 0 ok, 1 warning, 2 alarm, -1 incomplete.',
    LABELS,
    (parts) => resultSeries(parts, ({ verdicts }) => verdicts),
  )
  gauge(
    'plumbline_series_left_out',
    'Series of windows that PLUMBLINE_METRICS_SERIES_MAX keeps out of this scrape.',
    [],
    ({ leftOut }) => [{ value: leftOut, labels: {} }],
  )
}

function* countSeries({ parts }: Budgeted): Generator<Series> {
  for (const { one } of parts)
    for (const { family, verdict, n } of one.counts)
      yield { value: n, labels: { ...one.cohortLabels, family, verdict } }
}

function* resultSeries(
  { parts }: Budgeted,
  numbersOf: (shown: Shown) => (number | undefined)[],
): Generator<Series> {
  for (const { one, isWhole } of parts) {
    const { slice, ...ofModel } = one.cohortLabels
    const numbers = numbersOf(one)
    for (let i = 0; i < (isWhole ? numbers.length : one.first); i++) {
      const value = numbers[i]
      if (value === undefined) continue
      const { family, metric, reference, convention } = one.kinds[i]!
      const subject = one.subjects[i]!
      // The labels come in the order in which they are documented.
      const labels = { ...ofModel, family, subject, metric, slice, reference, convention }
      yield { value, labels }
    }
  }
}

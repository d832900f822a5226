/** What of a slice is evaluated value by value, where that is not all of it. Pure. */
import type { Cohort } from '../../data/cohort.ts'
import { metricResult, type MetricResult } from '../../data/metric-results.ts'

/** One result for each slice with more values than are evaluated: how many are, and the rest. */
export const cohortsEvaluated = (cohorts: readonly Cohort[]): MetricResult[] =>
  cohorts.flatMap(({ slice }) => {
    if (!slice?.rest) return []
    const { except, values, events, ofOwn } = slice.rest
    return [
      metricResult('quality', slice.key, 'cohorts_evaluated', except.length, {
        n_current: events,
        reason: `${except.length} of ${values} values, with ${ofOwn} of ${events} events, are evaluated one by one; the other ${values - except.length} are the cohort ${slice.value}`,
      }),
    ]
  })

/** Numbers two samples as other tools would: exact, from raw values. Pure. */
import { categoryTotal, MAX_NAMED } from '../../../lib/sink/counts/category-counts.ts'
import type { INTEROP_CONVENTIONS } from '../../../schemas/http/metric-results.ts'
import { azureJs, azurePsi } from './azure.ts'
import {
  evidentlyCategorical,
  evidentlyJs,
  evidentlyKl,
  evidentlyNumeric,
  evidentlyPsi,
  evidentlyWasserstein,
} from './evidently.ts'
import { nannymlHellinger, nannymlJs } from './nannyml.ts'
import { scouterPsi } from './scouter.ts'
import { sampleSize, type BinnedSample } from '../../../lib/stats/samples/binned-sample.ts'
import { ksStatistic } from '../../../lib/stats/distances/two-samples.ts'
import { metricResult, type MetricResult } from '../data/metric-results.ts'
import type { WindowCounts } from '../data/window-data.ts'

type Numeric = (reference: Float64Array, current: Float64Array) => number

const NUMERIC = {
  evidently: {
    psi: evidentlyPsi,
    js_distance: evidentlyJs,
    kl: evidentlyKl,
    wasserstein: evidentlyWasserstein,
  },
  nannyml: { js_distance: nannymlJs, hellinger: nannymlHellinger },
  azure: { psi: azurePsi, js_distance: azureJs },
  scouter: { psi: scouterPsi },
  trustyai: { ks: ksStatistic },
} satisfies Record<(typeof INTEROP_CONVENTIONS)[number], Record<string, Numeric>>

/** The name of an interop convention. */
export type Convention = keyof typeof NUMERIC

/**
 * @param reference counts whose bins are single values
 * @param current the same
 */
export function compareByConvention(
  convention: Convention,
  current: WindowCounts,
  reference: WindowCounts,
): MetricResult[] {
  const results: MetricResult[] = []
  for (const [subject, sample] of [...reference.numeric].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const other = current.numeric.get(subject)
    if (!other) continue
    const [a, b] = [valuesOf(sample), valuesOf(other)]
    const more = { convention: convention, n_reference: a.length, n_current: b.length }
    for (const [metric, of] of Object.entries<Numeric>(NUMERIC[convention]))
      results.push(metricResult('drift', subject, metric, of(a, b), more))
    if (convention === 'evidently') results.push(defaultOf(subject, evidentlyNumeric(a, b), more))
  }
  if (convention !== 'evidently') return results
  for (const [subject, counts] of [...reference.categories].toSorted(([a], [b]) =>
    a < b ? -1 : 1,
  )) {
    const other = current.categories.get(subject)
    if (!other) continue
    const more = {
      convention: convention,
      n_reference: categoryTotal(counts),
      n_current: categoryTotal(other),
    }
    if (counts.cut || other.cut) {
      results.push(
        metricResult('drift', subject, 'js_distance', null, {
          ...more,
          verdict: 'incomplete',
          reason: `more than ${MAX_NAMED} categories: not all of them are read by name`,
        }),
      )
      continue
    }
    results.push(defaultOf(subject, evidentlyCategorical(counts, other), more))
  }
  return results
}

/** What Evidently would have said of the column unasked. */
const defaultOf = (
  subject: string,
  { metric, value, p, drifted }: ReturnType<typeof evidentlyNumeric>,
  more: Partial<MetricResult>,
): MetricResult =>
  metricResult('drift', subject, metric, value, {
    ...more,
    p_value: p ?? null,
    verdict: drifted ? 'alarm' : 'ok',
    reason: 'Evidently’s default test of this column',
  })

/** Every value as often as it came, ascending. */
function valuesOf(sample: BinnedSample): Float64Array {
  const values = new Float64Array(sampleSize(sample))
  let at = 0
  sample.counts.forEach((count, i) => {
    values.fill(sample.lows[i]!, at, at + count)
    at += count
  })
  return values
}

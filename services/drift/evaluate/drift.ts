/** How far the inputs and outputs of a model have moved from a reference. Pure. */
import type { ReferenceData } from '../data/reference.ts'
import { isFeature, OWN_NUMBERS } from '../../../lib/events/subjects.ts'
import type { Kind } from '../data/declared-features.ts'
import { categoricalResults } from './category-drift.ts'
import { numericResults } from './numeric-drift.ts'
import { metricResult, type MetricResult } from '../data/metric-results.ts'
import { effectiveOf, valuesOf, type WindowCounts } from '../data/window-data.ts'

/** Numbers of the model that are no inputs: they are evaluated as operations. */
export const NOT_DRIFT: ReadonlySet<string> = new Set(
  OWN_NUMBERS.flatMap(({ subject, isInput }) => (isInput ? [] : [subject])),
)

/**
 * Drift results of every input and output of a window against one reference, sorted by subject.
 *
 * @param minCount events below which a verdict is `incomplete`, in the window or in the reference
 * @param kinds what subjects are by the model file; others are what most of their values are
 */
export function evaluateDrift(
  current: WindowCounts,
  reference: ReferenceData,
  minCount: number,
  kinds: ReadonlyMap<string, Kind> = new Map(),
): MetricResult[] {
  const results: MetricResult[] = []
  const numeric = new Set([...current.numeric.keys(), ...reference.counts.numeric.keys()])
  const categorical = new Set([...current.categories.keys(), ...reference.counts.categories.keys()])
  for (const subject of [...new Set([...numeric, ...categorical])].toSorted()) {
    if (NOT_DRIFT.has(subject)) continue
    for (const one of driftOf(subject, current, reference.counts, kinds.get(subject)))
      results.push(one)
    if (!isFeature(subject)) continue
    const now = valuesOf(current, subject)
    results.push(missing(subject, current, now.numbers + now.texts))
  }
  return results.map((result) => withReference(result, current, reference, minCount))
}

/** @param declared the kind by the model file; without one it is what most values are */
function driftOf(
  subject: string,
  current: WindowCounts,
  reference: WindowCounts,
  declared: Kind | undefined,
): MetricResult[] {
  const before = valuesOf(reference, subject)
  const now = valuesOf(current, subject)
  const numbers = before.numbers + now.numbers
  const kind = declared ?? (numbers >= before.texts + now.texts ? 'numeric' : 'categorical')
  if (declared === 'categorical' && numbers > 0)
    return [
      unknown(
        subject,
        'declared categorical, and counted as numbers before it was: several codes share a bin',
      ),
    ]
  if (kind === 'numeric') {
    const [a, b] = [reference.numeric.get(subject), current.numeric.get(subject)]
    return a && b ? numericResults(subject, a, b) : [absent(subject, a !== undefined, 'number')]
  }
  const [a, b] = [reference.categories.get(subject), current.categories.get(subject)]
  return a && b ? categoricalResults(subject, a, b) : [absent(subject, a !== undefined, 'value')]
}

const absent = (subject: string, inReference: boolean, what: 'number' | 'value'): MetricResult =>
  unknown(subject, inReference ? `no ${what} in this window` : `no ${what} in the reference`)

const unknown = (subject: string, reason: string): MetricResult =>
  metricResult('drift', subject, 'psi', null, { verdict: 'incomplete', reason })

function missing(subject: string, current: WindowCounts, present: number): MetricResult {
  const size = effectiveOf(current)
  return metricResult(
    'quality',
    subject,
    'missing_ratio',
    size > 0 ? Math.max(0, 1 - present / size) : null,
    {
      n_current: size,
    },
  )
}

/**
 * Adds the name of the reference. Too little data makes any verdict `incomplete`; a reference that
 * is not the baseline gives no verdict.
 */
function withReference(
  result: MetricResult,
  current: WindowCounts,
  reference: ReferenceData,
  minCount: number,
): MetricResult {
  const named = { ...result, reference: reference.name }
  if (!reference.baseline) return { ...named, verdict: 'none' }
  if (result.verdict === 'none' || result.verdict === 'incomplete') return named
  if (current.events < minCount)
    return {
      ...named,
      verdict: 'incomplete',
      reason: `${current.events} events, below min_count ${minCount}`,
    }
  if (reference.counts.events < minCount)
    return {
      ...named,
      verdict: 'incomplete',
      reason: `the reference has ${reference.counts.events} events, below min_count ${minCount}`,
    }
  return named
}

/** How far the categories of one feature have moved from a reference. Pure. */
import {
  categoryTotal,
  countOf,
  type CategoryCounts,
} from '../../../lib/sink/counts/category-counts.ts'
import {
  compareCategories,
  unseenDivergence,
  type Bounded,
  type ComparedCategories,
} from '../../../lib/sink/counts/compare-categories.ts'
import { chiSquared } from '../../../lib/stats/distributions/chi-squared.ts'
import {
  hellinger,
  jsDistance,
  kullbackLeibler,
  totalVariation,
} from '../../../lib/stats/distances/histogram-distances.ts'
import { psi } from '../../../lib/stats/distances/psi.ts'
import { isFeature } from '../../../lib/events/subjects.ts'
import { metricResult, type MetricResult } from '../data/metric-results.ts'
import { psiAlarmLine, psiVerdict } from './thresholds.ts'

/** Every result about one subject, with the verdict of the fixed default. */
export function categoricalResults(
  subject: string,
  reference: CategoryCounts,
  current: CategoryCounts,
): MetricResult[] {
  const compared = compareCategories(reference, current)
  const [a, b] = [compared.reference, compared.current]
  const n = categoryTotal(reference)
  const m = categoryTotal(current)
  const sizes = { n_reference: n, n_current: m, ...knownOf(compared) }
  const test = chiSquared(a, b)
  const cells = a.length + (compared.unseen ? 1 : 0)
  const value = (a.length > 1 ? psi(a, b) : 0) + unseenDivergence(compared)
  const line = psiAlarmLine(cells, n, m)
  const how = describeCells(compared)
  return [
    metricResult('drift', subject, 'psi', value, {
      ...sizes,
      threshold: line,
      verdict: psiVerdict(value, line),
      reason: how,
    }),
    ...(['plumbline', 'iid'] as const).map((convention) =>
      metricResult('drift', subject, 'chi_squared', test.statistic, {
        ...sizes,
        convention,
        p_value: convention === 'iid' ? test.p : null,
        reason: [
          convention === 'iid' ? 'p of independent rows' : `${test.degrees} degrees of freedom`,
          ...(compared.unseen ? [how] : []),
        ].join('; '),
      }),
    ),
    ...(cells > 1 ? categoricalDistances(subject, compared, sizes, value) : []),
    ...(isFeature(subject) ? [newCategoryRatio(subject, reference, current, compared, sizes)] : []),
  ]
}

/**
 * Distances over the same cells as PSI, which of groups are no larger than those of their
 * categories one by one.
 */
function categoricalDistances(
  subject: string,
  compared: ComparedCategories,
  sizes: Partial<MetricResult> & Pick<MetricResult, 'n_reference' | 'n_current'>,
  psiOfAll: number,
): MetricResult[] {
  const { reference: a, current: b, unseen, widest } = compared
  const { n_reference: n, n_current: m } = sizes
  const excess = psiOfAll - (a.length - (unseen ? 0 : 1)) * (1 / n + 1 / m)
  const least = (value: number) => (unseen ? { bound_low: value, bound_high: 1 } : {})
  const of = (metric: string, value: number, more: Partial<MetricResult> = {}) =>
    metricResult('drift', subject, metric, value, { ...sizes, ...more })
  const [js, root, tv] = [jsDistance(a, b), hellinger(a, b), totalVariation(a, b)]
  return [
    of('psi_excess', excess),
    of('js_distance', js, least(js)),
    of('hellinger', root, least(root)),
    of('kl', a.length > 1 ? kullbackLeibler(a, b) : 0),
    of('tv', tv, least(tv)),
    of('l_infinity', widest.value, certificate(widest)),
  ]
}

/** How well what is made of the cells is known: exactly, where each category is one. */
const knownOf = ({ unseen }: ComparedCategories): Pick<MetricResult, 'precision'> => ({
  precision: unseen ? 'bounded' : 'exact',
})

const certificate = ({ low, high }: Bounded): Partial<MetricResult> =>
  low === high ? { precision: 'exact' } : { precision: 'bounded', bound_low: low, bound_high: high }

const describeCells = ({ reference, named, categories, unseen }: ComparedCategories): string =>
  unseen
    ? `${categories} categories: ${named} by name, the rest in ${reference.length - named} groups by hash`
    : `${categories} categories`

function newCategoryRatio(
  subject: string,
  reference: CategoryCounts,
  current: CategoryCounts,
  { fresh, isCut }: ComparedCategories,
  sizes: Partial<MetricResult>,
): MetricResult {
  return metricResult('quality', subject, 'new_category_ratio', fresh.value, {
    ...sizes,
    ...certificate(fresh),
    reason: [
      ...(fresh.high > fresh.low
        ? ['estimated from the categories that both sides keep by name']
        : []),
      ...(fresh.value > 0 ? newCategories(reference, current, isCut) : []),
    ].join('; '),
  })
}

/** The most frequent ones that the reference surely does not have. */
function newCategories(
  reference: CategoryCounts,
  current: CategoryCounts,
  isCut: boolean,
): string[] {
  const fresh = [...current.keys()]
    .filter((name) => countOf(reference, name) === 0 && !reference.has(name))
    .toSorted((x, y) => current.get(y)! - current.get(x)! || (x < y ? -1 : 1))
  if (fresh.length === 0) return []
  const more = fresh.length > 5 ? ` and ${isCut ? 'more' : `${fresh.length - 5} more`}` : ''
  return [
    `new: ${fresh
      .slice(0, 5)
      .map((name) => name.slice(0, 40))
      .join(', ')}${more}`,
  ]
}

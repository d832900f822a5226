/** The cohorts of a window by metric, as people read them. Pure. */
import { largest } from '../../../../lib/stats/samples/extremes.ts'
import type { Cell, CohortsAnswer } from '../../../../schemas/http/cohorts.ts'
import { metricResult, type Family, type Verdict } from '../../data/metric-results.ts'
import { scaleOf } from '../metric-scales.ts'
import { standingsOf, type Published } from './beside-whole.ts'

/** Cohorts of one answer. */
const MAX_COHORTS = 400

/** One metric of one cohort of a window, as it stands. */
export interface CohortResult {
  model_version: string
  variant: string
  slice_key: string
  slice_value: string
  family: Family
  subject: string
  metric: string
  value: number | null
  ci_low: number | null
  ci_high: number | null
  baseline_value: number | null
  p_adjusted: number | null
  verdict: Verdict
  reason: string
  n_current: number
  n_labelled: number
}

/**
 * The table of a window, the model as a whole first.
 *
 * @param metrics the columns that are asked for; those that no cohort has are left out
 * @param minCount cases below which a number is too little
 */
export function cohortTable(
  results: readonly CohortResult[],
  metrics: readonly string[],
  minCount: number,
): Pick<CohortsAnswer, 'metrics' | 'cohorts' | 'left_out'> {
  const ofCohorts = Map.groupBy(
    results.filter((row) => !isOfSearch(row)),
    keyOf,
  )
  const all = [...ofCohorts.values()].toSorted(byKind)
  const listed = all.slice(0, MAX_COHORTS)
  const columns = metrics.flatMap((metric) => columnOf(metric, listed, minCount))
  return {
    metrics: columns.map(({ metric, family, worse, tested }) => ({
      metric,
      family,
      worse,
      tested,
    })),
    cohorts: listed.map((rows, i) => ({
      ...cohortNames(rows[0]!),
      events: largest([0, ...rows.filter(isOfEvents).map((row) => row.n_current)]),
      labelled: largest(rows.map((row) => row.n_labelled)),
      cells: columns.map(({ cells }) => cells[i]!),
    })),
    left_out: all.length - listed.length,
  }
}

const isOfSearch = ({ metric }: CohortResult) =>
  metric === 'worst_cohort_gap' || metric === 'cohort_gap'
/** Counts of these metrics are those of events. */
const isOfEvents = ({ metric }: CohortResult) =>
  metric === 'throughput_per_s' || metric === 'label_coverage'

const cohortNames = ({ model_version, variant, slice_key, slice_value }: CohortResult) => ({
  model_version,
  variant,
  slice_key,
  slice_value,
})
const keyOf = (row: CohortResult) => JSON.stringify(cohortNames(row))

/** The model as a whole, versions, variants, then slices by name; of each those with most first. */
function byKind(a: readonly CohortResult[], b: readonly CohortResult[]): number {
  const kindOf = ({ model_version, variant, slice_key }: CohortResult) =>
    slice_key !== '' ? `3${slice_key}` : variant !== '' ? '2' : model_version !== '' ? '1' : '0'
  const [x, y] = [kindOf(a[0]!), kindOf(b[0]!)]
  const size = (rows: readonly CohortResult[]) => largest(rows.map((row) => row.n_current))
  return x < y ? -1 : x > y ? 1 : size(b) - size(a)
}

type Column = CohortsAnswer['metrics'][number] & { cells: (Cell | null)[] }

/** One metric of all cohorts; nothing where none has it. The first cohort is the model as a whole. */
function columnOf(
  metric: string,
  cohorts: readonly (readonly CohortResult[])[],
  minCount: number,
): Column[] {
  const rows = cohorts.map((own) => own.find((row) => row.metric === metric))
  const known = rows.filter((row) => row !== undefined)
  const [first] = known
  if (!first) return []
  const worse = scaleOf(metricResult(first.family, '', metric, null), [])?.worse ?? 0
  const [whole, ...others] = rows
  const isWhole = whole !== undefined && keyOf(whole) === keyOf(WHOLE)
  const beside = (isWhole ? others : rows).map((row) => row && publishedOf(row))
  const given = beside.filter((cell) => cell !== undefined)
  const standings = standingsOf(isWhole ? whole.value : null, given, { worse, minCount })
  let next = 0
  const cells = beside.map((cell) => (cell ? { ...cell, standing: standings[next++]! } : null))
  const tested = standings.filter((one) => !['too_few', 'unknown'].includes(one)).length
  const ofWhole: Cell[] = isWhole ? [{ ...publishedOf(whole), standing: 'unknown' }] : []
  return [{ metric, family: first.family, worse, tested, cells: [...ofWhole, ...cells] }]
}

const WHOLE = { model_version: '', variant: '', slice_key: '', slice_value: '' } as CohortResult

const publishedOf = ({ n_current, ...row }: CohortResult): Published => ({
  value: row.value,
  ci_low: row.ci_low,
  ci_high: row.ci_high,
  baseline_value: row.baseline_value,
  n: n_current,
  verdict: row.verdict,
  reason: row.reason,
})

/** What the search of a window found; `isAsked`: the model file has `cohorts.search`. */
export function searchedOf(
  results: readonly CohortResult[],
  isAsked: boolean,
): CohortsAnswer['searched'] {
  const rows = results.filter(isOfSearch)
  const said = rows.find(({ metric }) => metric === 'worst_cohort_gap')
  return {
    is_asked: isAsked,
    verdict: said?.verdict ?? null,
    p_adjusted: said?.p_adjusted ?? null,
    reason: said?.reason ?? '',
    worst: rows
      .filter(({ metric }) => metric === 'cohort_gap')
      .toSorted((a, b) => (b.value ?? 0) - (a.value ?? 0))
      .map((row) => ({
        name: row.subject,
        gap: row.value,
        ci_low: row.ci_low,
        ci_high: row.ci_high,
        baseline_gap: row.baseline_value,
        n: row.n_current,
        reason: row.reason,
      })),
  }
}

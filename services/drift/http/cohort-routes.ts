/** The cohorts of one window by metric, and the worst of those that were searched. */
import type { Static } from 'typebox'
import type { Http } from '../../../lib/http/server.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import {
  CohortsAnswer,
  CohortsQuery,
  type Cell,
  type CohortsAnswer as Answer,
} from '../../../schemas/http/cohorts.ts'
import { answers } from '../../../schemas/http/errors.ts'
import { ModelPath } from '../../../schemas/http/parts.ts'
import { metricResult } from '../data/metric-results.ts'
import { standingsOf, type Published } from '../evaluate/cohorts/beside-whole.ts'
import { scaleOf } from '../evaluate/metric-scales.ts'
import { cohortResults, type CohortResult } from '../queries/cohorts/cohort-results.ts'
import type { DriftRoutesOptions } from './model-routes.ts'

type Asked = Static<typeof CohortsQuery>

const MAX_COHORTS = 400

/** Adds `GET /v1/models/{id}/cohorts`. */
export function cohortRoutes(
  http: Http,
  { db, models }: Pick<DriftRoutesOptions, 'db' | 'models'>,
): void {
  http.get(
    '/v1/models/:id/cohorts',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Every cohort of a window by metric, beside the model as a whole',
        tags: ['models'],
        params: ModelPath,
        querystring: CohortsQuery,
        response: answers({ 200: CohortsAnswer }),
      },
    },
    async ({ params, query }) => cohortsOf(db, models.get(params.id), query),
  )
}

async function cohortsOf(
  db: DriftRoutesOptions['db'],
  model: Model,
  { to = '', metrics: asked }: Asked,
): Promise<Answer> {
  const metrics = [...new Set(asked.split(','))]
  const found = await cohortResults(db, { modelId: model.modelId, to, metrics })
  const ofCohorts = Map.groupBy(
    found.results.filter((row) => !isOfSearch(row)),
    keyOf,
  )
  const all = [...ofCohorts.values()].toSorted(byKind)
  const listed = all.slice(0, MAX_COHORTS)
  const minCount = model.windows.min_count
  const columns = metrics.flatMap((metric) => columnOf(metric, listed, minCount))
  return {
    model_id: model.modelId,
    window_start: found.window?.start ?? null,
    window_end: found.window?.end ?? null,
    windows: found.windows,
    min_count: minCount,
    metrics: columns.map(({ cells: _, ...metric }) => metric),
    cohorts: listed.map((rows, i) => ({
      ...cohortNames(rows[0]!),
      events: Math.max(...rows.filter(isOfEvents).map((row) => row.n_current), 0),
      labelled: Math.max(...rows.map((row) => row.n_labelled)),
      cells: columns.map(({ cells }) => cells[i]!),
    })),
    left_out: all.length - listed.length,
    searched: searchedOf(found.results.filter(isOfSearch), model),
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
  const size = (rows: readonly CohortResult[]) => Math.max(...rows.map((row) => row.n_current))
  return x < y ? -1 : x > y ? 1 : size(b) - size(a)
}

type Column = Answer['metrics'][number] & { cells: (Cell | null)[] }

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

function searchedOf(rows: readonly CohortResult[], model: Model): Answer['searched'] {
  const said = rows.find(({ metric }) => metric === 'worst_cohort_gap')
  return {
    is_asked: model.cohorts.search !== undefined,
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

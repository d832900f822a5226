/** Any two spans of a model beside one another, in our numbers or in those of another product. */
import type { Static } from 'typebox'
import type { Http } from '../../../lib/http/server.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import {
  CompareAnswer,
  CompareQuery,
  SpansQuery,
  ViolationsAnswer,
} from '../../../schemas/http/metric-results.ts'
import { answers } from '../../../schemas/http/errors.ts'
import { ModelPath } from '../../../schemas/http/parts.ts'
import { ALL } from '../data/cohort.ts'
import { asDeclared, declaredKinds } from '../data/declared-features.ts'
import type { WindowCounts } from '../data/window-data.ts'
import { evaluateDrift } from '../evaluate/drift.ts'
import { compareByConvention } from '../interop/compare.ts'
import { constraintViolations } from '../interop/sagemaker-constraints.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import { knowledgeTime } from './asked-times.ts'
import type { DriftRoutesOptions } from './model-routes.ts'
import { countsAsOf, fromRows, sidesOf, spanAsked, type Side } from './sides.ts'

type CompareAsked = Static<typeof CompareQuery>
type SpansAsked = Static<typeof SpansQuery>
type CompareOptions = Pick<DriftRoutesOptions, 'db' | 'queries' | 'models'>

/** Registers `GET /v1/models/{id}/compare`: two spans side by side. */
export function compareRoutes(http: Http, options: CompareOptions): void {
  const { queries, models } = options
  const config = { scope: 'read' as const }
  const tags = ['models']
  http.get(
    '/v1/models/:id/constraint_violations.json',
    {
      config,
      schema: {
        summary: 'The span b beside the baseline a, as SageMaker Model Monitor reports it',
        tags,
        params: ModelPath,
        querystring: SpansQuery,
        response: answers({ 200: ViolationsAnswer }, 404),
      },
    },
    async ({ params, query }) => violations(queries, models.get(params.id), query),
  )
  http.get(
    '/v1/models/:id/compare',
    {
      config,
      schema: {
        summary:
          'Drift between any two sides: spans or references, of all or of a version, variant or cohort',
        tags,
        params: ModelPath,
        querystring: CompareQuery,
        response: answers({ 200: CompareAnswer }, 404),
      },
    },
    async ({ params, query }) => compare(options, models.get(params.id), query),
  )
}

async function violations(queries: DriftQueries, model: Model, query: SpansAsked) {
  const baseline = await mergedOf(queries, model, spanAsked('a', query.a))
  const current = await mergedOf(queries, model, spanAsked('b', query.b))
  if (baseline.events === 0 || current.events === 0)
    throw new Problem(404, 'no_events', `${baseline.events === 0 ? 'a' : 'b'} holds no events`)
  return { violations: constraintViolations(current, baseline) }
}

async function compare(options: CompareOptions, model: Model, query: CompareAsked) {
  const { queries } = options
  const { convention, exact, as_of, ...asked } = query
  const asOf = knowledgeTime(as_of)
  const { a, b } = await sidesOf(options, model, asked)
  const isOfOthers = convention !== 'plumbline'
  const isExact = exact || isOfOthers
  const countsOf = async (side: Side) =>
    isExact
      ? fromRows(queries, model, side, { exact: true, unweighted: isOfOthers, asOf })
      : countsAsOf(queries, model, side, asOf)
  const counts = await countsOf(a)
  const current = await countsOf(b)
  if (isOfOthers)
    return { model_id: model.modelId, metrics: compareByConvention(convention, current, counts) }
  const name = a.reference?.name ?? asked.a!
  const reference = { name, baseline: true, spans: a.spans, outcomes: undefined, counts }
  const { min_count: minCount } = model.windows
  return {
    model_id: model.modelId,
    metrics: evaluateDrift(current, reference, minCount, declaredKinds(model)),
  }
}

const mergedOf = async (queries: DriftQueries, model: Model, span: Window): Promise<WindowCounts> =>
  asDeclared(await queries.counts(model.modelId, [span], ALL), model)

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
import { MAX_EXACT } from '../loop/exact-followups.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import type { DriftRoutesOptions } from './model-routes.ts'
import { spanBetween } from './asked-times.ts'

type CompareAsked = Static<typeof CompareQuery>
type SpansAsked = Pick<CompareAsked, 'a' | 'b'>
type CompareOptions = Pick<DriftRoutesOptions, 'queries' | 'models'>

/** Registers `GET /v1/models/{id}/compare`: two spans side by side. */
export function compareRoutes(http: Http, { queries, models }: CompareOptions): void {
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
          'Drift between any two spans, each from/to as two RFC 3339 times with a slash between',
        tags,
        params: ModelPath,
        querystring: CompareQuery,
        response: answers({ 200: CompareAnswer }),
      },
    },
    async ({ params, query }) => compare(queries, models.get(params.id), query),
  )
}

async function violations(queries: DriftQueries, model: Model, query: SpansAsked) {
  const baseline = await mergedOf(queries, model, spanOf('a', query.a))
  const current = await mergedOf(queries, model, spanOf('b', query.b))
  if (baseline.events === 0 || current.events === 0)
    throw new Problem(404, 'no_events', `${baseline.events === 0 ? 'a' : 'b'} holds no events`)
  return { violations: constraintViolations(current, baseline) }
}

async function compare(queries: DriftQueries, model: Model, query: CompareAsked) {
  const { convention } = query
  const [a, b] = [spanOf('a', query.a), spanOf('b', query.b)]
  const isExact = query.exact || convention !== 'plumbline'
  const countsOf = (span: Window) =>
    isExact
      ? exactOf(queries, model, span, convention !== 'plumbline')
      : mergedOf(queries, model, span)
  const counts = await countsOf(a)
  const current = await countsOf(b)
  if (convention !== 'plumbline')
    return { model_id: model.modelId, metrics: compareByConvention(convention, current, counts) }
  const reference = { name: query.a, baseline: true, spans: [a], outcomes: undefined, counts }
  const { min_count: minCount } = model.windows
  return {
    model_id: model.modelId,
    metrics: evaluateDrift(current, reference, minCount, declaredKinds(model)),
  }
}

const mergedOf = async (queries: DriftQueries, model: Model, span: Window): Promise<WindowCounts> =>
  asDeclared(await queries.counts(model.modelId, [span], ALL), model)

/**
 * Counts of a span from raw rows.
 *
 * @param unweighted sampled events count as they came: other products know no weights
 * @throws Problem where the span holds more events than are read one by one
 */
async function exactOf(
  queries: DriftQueries,
  model: Model,
  span: Window,
  unweighted: boolean,
): Promise<WindowCounts> {
  const { modelId } = model
  const present = await queries.present({ modelId, spans: [span] })
  const { events } = await queries.eventCounts(modelId, [span], ALL, present)
  if (events > MAX_EXACT)
    throw new Problem(
      400,
      'too_many_events',
      `exact numbers are made of at most ${MAX_EXACT} events a span; this one has ${events}`,
    )
  const raw = await queries.rawCounts(modelId, [span], ALL, { exact: true, unweighted })
  return asDeclared(raw, model)
}

function spanOf(name: string, between: string): Window {
  const [from = '', to = ''] = between.split('/')
  return spanBetween(`${name} must be two RFC 3339 times with a slash between`, from, to)
}

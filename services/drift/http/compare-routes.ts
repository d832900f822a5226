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
import { sidesOf, spanAsked, type Side } from './sides.ts'

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
  const { convention, exact, ...asked } = query
  const { a, b } = await sidesOf(options, model, asked)
  const isExact = exact || convention !== 'plumbline'
  const countsOf = async (side: Side) =>
    isExact
      ? exactOf(queries, model, side, convention !== 'plumbline')
      : asDeclared(await queries.counts(side.countedAs, side.spans, side.c), model)
  const counts = await countsOf(a)
  const current = await countsOf(b)
  if (convention !== 'plumbline')
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

/**
 * Counts of a side from raw rows.
 *
 * @param unweighted sampled events count as they came: other products know no weights
 * @throws Problem where the side holds more events than are read one by one, or was uploaded
 */
async function exactOf(
  queries: DriftQueries,
  model: Model,
  { spans, c, countedAs, reference }: Side,
  unweighted: boolean,
): Promise<WindowCounts> {
  const { modelId } = model
  if (countedAs !== modelId)
    throw new Problem(
      400,
      'no_rows',
      `exact numbers are made of events; of the reference ${reference?.name ?? ''} counts are kept`,
    )
  const present = await queries.present({ modelId, spans })
  const { events } = await queries.eventCounts(modelId, spans, c, present)
  if (events > MAX_EXACT)
    throw new Problem(
      400,
      'too_many_events',
      `exact numbers are made of at most ${MAX_EXACT} events a span; this one has ${events}`,
    )
  const raw = await queries.rawCounts(modelId, spans, c, { exact: true, unweighted })
  return asDeclared(raw, model)
}

/** Two sides of a model beside one another: every number with its difference, every feature. */
import type { Static } from 'typebox'
import type { Http } from '../../../lib/http/server.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import { answers } from '../../../schemas/http/errors.ts'
import { ModelPath } from '../../../schemas/http/parts.ts'
import {
  SideBySideAnswer,
  SideBySideQuery,
  type SideBySideAnswer as Answer,
} from '../../../schemas/http/side-by-side.ts'
import { declaredKinds } from '../data/declared-features.ts'
import {
  effectiveOf,
  noOutcomes,
  type OutcomeCounts,
  type WindowCounts,
} from '../data/window-data.ts'
import { bothSides, mayShare, type SideData } from '../evaluate/beside/both-sides.ts'
import { featuresBeside } from '../evaluate/beside/features-beside.ts'
import { classFaults, isBinary } from '../evaluate/labelled-window.ts'
import { completeUntil, progressOf } from '../plan/due-windows.ts'
import { withHorizon } from '../plan/label-horizon.ts'
import type { DriftRoutesOptions } from './model-routes.ts'
import { EVER } from '../queries/known-by.ts'
import { knowledgeTime } from './asked-times.ts'
import { countsAsOf, sidesOf, type Side } from './sides.ts'

type Options = Pick<DriftRoutesOptions, 'db' | 'queries' | 'models' | 'now'>
type Asked = Static<typeof SideBySideQuery>

const MAX_SPANS = 50

/** Adds `GET /v1/models/{id}/side-by-side`. */
export function sideBySideRoutes(http: Http, options: Options): void {
  http.get(
    '/v1/models/:id/side-by-side',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Every number and feature of any two sides: spans, references, versions, cohorts',
        tags: ['models'],
        params: ModelPath,
        querystring: SideBySideQuery,
        response: answers({ 200: SideBySideAnswer }, 404),
      },
    },
    async ({ params, query }) => sideBySide(options, options.models.get(params.id), query),
  )
}

async function sideBySide(options: Options, model: Model, query: Asked): Promise<Answer> {
  const { subject, as_of, ...asked } = query
  const asOf = knowledgeTime(as_of)
  const sides = await sidesOf(options, model, asked)
  const a = await readSide(options, model, sides.a, asOf)
  const b = await readSide(options, model, sides.b, asOf)
  const none = noOutcomes(0)
  const binary = isBinary(model, b.outcomes ?? a.outcomes ?? none)
  const faults = classFaults(b.outcomes ?? none, a.outcomes, model, binary)
  const { positiveClass, businessValue } = model
  const shared = mayShare(sides.a, sides.b)
  const { features, leftOut } = featuresBeside(a.counts, b.counts, declaredKinds(model), subject)
  return {
    model_id: model.modelId,
    a: described(sides.a, a),
    b: described(sides.b, b),
    shared,
    metrics: bothSides({ ...a, fault: faults.reference }, { ...b, fault: faults.current }, shared, {
      positiveClass,
      binary,
      businessValue,
    }),
    features,
    left_out: leftOut,
  }
}

/**
 * Counts of a side, and its labels where it is made of events, of what had been received by `asOf`
 * (epoch milliseconds).
 */
async function readSide(
  options: Options,
  model: Model,
  side: Side,
  asOf: number,
): Promise<SideData> {
  const { queries } = options
  const { spans, countedAs } = side
  const counts = await countsAsOf(queries, model, side, asOf)
  const isOfEvents = countedAs === model.modelId
  return {
    counts,
    ms: isOfEvents ? spans.reduce((sum, { start, end }) => sum + end - start, 0) : undefined,
    outcomes: isOfEvents ? await outcomesOf(options, model, side, { counts, asOf }) : undefined,
    fault: undefined,
  }
}

async function outcomesOf(
  { queries, now }: Options,
  declared: Model,
  { spans, c }: Side,
  { counts, asOf }: { counts: WindowCounts; asOf: number },
): Promise<OutcomeCounts> {
  const model = withHorizon(declared, await queries.learnedHorizon(declared.modelId))
  const at = now()
  const reached = progressOf(await queries.partitions(model.modelId), model, at)
  return queries.outcomes(model, spans, c, {
    predictions: counts.events,
    completeUntil: Math.min(completeUntil(reached, model, at), asOf),
    asOf: asOf === EVER ? undefined : asOf,
  })
}

const described = ({ reference, spans }: Side, { counts, outcomes }: SideData): Answer['a'] => ({
  reference: reference?.name ?? null,
  spans: spans.slice(0, MAX_SPANS).map(({ start, end }) => ({
    from: new Date(start).toISOString(),
    to: new Date(end).toISOString(),
  })),
  span_count: spans.length,
  events: effectiveOf(counts),
  labelled: outcomes?.labelled ?? null,
})

/** A feature's values in a span beside those of a reference. */
import type { Static } from 'typebox'
import type { Http } from '../../../lib/http/server.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import { DistributionAnswer, DistributionQuery } from '../../../schemas/http/console.ts'
import { answers } from '../../../schemas/http/errors.ts'
import { ModelPath } from '../../../schemas/http/parts.ts'
import { ALL } from '../data/cohort.ts'
import { asDeclared } from '../data/declared-features.ts'
import { distributionOf } from '../data/distributions.ts'
import { effectiveOf } from '../data/window-data.ts'
import { referencesFor } from '../plan/references.ts'
import { knownPast } from './known-past.ts'
import type { DriftRoutesOptions } from './model-routes.ts'
import { knowledgeTime, spanBetween } from './asked-times.ts'
import { fromRows, isKeptAsOf, type Side } from './sides.ts'

type Asked = Static<typeof DistributionQuery>
type Options = Pick<DriftRoutesOptions, 'db' | 'queries' | 'models'>

/** Adds `GET /v1/models/{id}/distributions`. */
export function distributionRoutes(http: Http, options: Options): void {
  http.get(
    '/v1/models/:id/distributions',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'The values of a feature in a span, beside those of a reference',
        tags: ['models'],
        params: ModelPath,
        querystring: DistributionQuery,
        response: answers({ 200: DistributionAnswer }, 404),
      },
    },
    async ({ params, query }) => distribution(options, options.models.get(params.id), query),
  )
}

async function distribution(options: Options, model: Model, asked: Asked) {
  const { queries } = options
  const { modelId } = model
  const { subject } = asked
  const window = spanBetween('from and to must be RFC 3339 times', asked.from, asked.to)
  const reference = await referenceOf(options, model, window, asked.reference)
  const asOf = knowledgeTime(asked.as_of)
  const countsOf = async (side: Side) =>
    (await isKeptAsOf(queries, model, side, asOf))
      ? asDeclared(
          await queries.subjectCounts({ ...side, modelId: side.countedAs }, subject),
          model,
        )
      : fromRows(queries, model, side, { exact: false, unweighted: false, asOf })
  const current = await countsOf({ spans: [window], c: ALL, countedAs: modelId })
  const beside =
    reference &&
    (await countsOf({
      reference,
      spans: reference.spans,
      c: { ...ALL, modelVersion: reference.modelVersion ?? '' },
      countedAs: reference.countedAs ?? modelId,
    }))
  return {
    model_id: modelId,
    subject,
    reference: reference?.name ?? null,
    reference_spans: (reference?.spans ?? []).map(({ start, end }) => ({
      from: new Date(start).toISOString(),
      to: new Date(end).toISOString(),
    })),
    n_current: effectiveOf(current),
    n_reference: beside ? effectiveOf(beside) : 0,
    ...distributionOf(subject, current, beside),
  }
}

/**
 * The reference as it stands for a window that begins and ends with the span.
 *
 * @throws {Problem} 404 `unknown_reference` for a name that is given and has no span yet
 */
async function referenceOf(
  options: Options,
  model: Model,
  window: ReturnType<typeof spanBetween>,
  name: string | undefined,
) {
  const all = referencesFor(window, model, await knownPast(options, model))
  const found = all.find((one) => (name === undefined ? one.baseline : one.name === name))
  if (!found && name !== undefined)
    throw new Problem(404, 'unknown_reference', `the reference ${name} has no span for these times`)
  return found
}

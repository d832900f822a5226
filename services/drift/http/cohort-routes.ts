/** The cohorts of one window by metric, and the worst of those that were searched. */
import type { Static } from 'typebox'
import type { Http } from '../../../lib/http/server.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import {
  CohortsAnswer,
  CohortsQuery,
  type CohortsAnswer as Answer,
} from '../../../schemas/http/cohorts.ts'
import { answers } from '../../../schemas/http/errors.ts'
import { ModelPath } from '../../../schemas/http/parts.ts'
import { cohortTable, searchedOf } from '../evaluate/cohorts/cohort-table.ts'
import { cohortResults } from '../queries/cohorts/cohort-results.ts'
import { knowledgeTime } from './asked-times.ts'
import type { DriftRoutesOptions } from './model-routes.ts'

type Asked = Static<typeof CohortsQuery>

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
  { to = '', metrics: asked, as_of }: Asked,
): Promise<Answer> {
  const metrics = [...new Set(asked.split(','))]
  const asOf = knowledgeTime(as_of)
  const found = await cohortResults(db, { modelId: model.modelId, to, metrics, asOf })
  const { window, windows, results } = found
  return {
    model_id: model.modelId,
    window_start: window?.start ?? null,
    window_end: window?.end ?? null,
    windows,
    min_count: model.windows.min_count,
    ...cohortTable(results, metrics, model.windows.min_count),
    searched: searchedOf(results, model.cohorts.search !== undefined),
  }
}

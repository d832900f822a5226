/** What the pages read at a glance: active alarms, and every feature of a model in one answer. */
import type { Http } from '../../../lib/http/server.ts'
import { isBaseline } from '../../../lib/models/model-files.ts'
import {
  AlarmsAnswer,
  AlarmsQuery,
  FeaturesAnswer,
  FeaturesQuery,
} from '../../../schemas/http/console.ts'
import { answers } from '../../../schemas/http/errors.ts'
import { ModelPath } from '../../../schemas/http/parts.ts'
import { shownAlarms } from '../queries/active-alarms.ts'
import { modelFeatures } from '../queries/at-a-glance.ts'
import { knowledgeTime } from './asked-times.ts'
import type { DriftRoutesOptions } from './model-routes.ts'

/** Adds `GET /v1/alarms` and `GET /v1/models/{id}/features`. */
export function overviewRoutes(
  http: Http,
  { db, models }: Pick<DriftRoutesOptions, 'db' | 'models'>,
): void {
  const config = { scope: 'read' as const }
  http.get(
    '/v1/alarms',
    {
      config: { ...config, isByModel: true },
      schema: {
        summary: 'Alarms and warnings that are active, with their age',
        tags: ['verdicts'],
        querystring: AlarmsQuery,
        response: answers({ 200: AlarmsAnswer }),
      },
    },
    async ({ query: { model_id: id }, reach }) => {
      const { ids, require } = reach('read')
      if (id !== undefined) require(id)
      return { alarms: await shownAlarms(db, id === undefined ? ids : [id]) }
    },
  )
  http.get(
    '/v1/models/:id/features',
    {
      config,
      schema: {
        summary: 'Every feature in the newest window: verdict, distances, history',
        tags: ['models'],
        params: ModelPath,
        querystring: FeaturesQuery,
        response: answers({ 200: FeaturesAnswer }),
      },
    },
    async ({ params, query }) => {
      const { modelId, references } = models.get(params.id)
      const baseline = Object.entries(references).find(([, one]) => isBaseline(one))?.[0] ?? ''
      const { windows: most, to = '' } = query
      const asked = { modelId, baseline, most, to, asOf: knowledgeTime(query.as_of) }
      return { model_id: modelId, ...(await modelFeatures(db, asked)) }
    },
  )
}

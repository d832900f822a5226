/** The metric results of a model's windows. */
import type { Http } from '../../../lib/http/server.ts'
import { WindowsAnswer, WindowsQuery } from '../../../schemas/http/metric-results.ts'
import { answers } from '../../../schemas/http/errors.ts'
import { ModelPath } from '../../../schemas/http/parts.ts'
import { windowMetrics } from '../queries/published-windows.ts'
import { knowledgeTime } from './asked-times.ts'
import type { DriftRoutesOptions } from './model-routes.ts'

/** Registers `GET /v1/models/{id}/windows`. */
export function windowRoutes(http: Http, { db }: Pick<DriftRoutesOptions, 'db'>): void {
  http.get(
    '/v1/models/:id/windows',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Results of windows, as they stand or stood; filters narrow them',
        tags: ['models'],
        params: ModelPath,
        querystring: WindowsQuery,
        response: answers({ 200: WindowsAnswer }),
      },
    },
    async ({ params, query }) => {
      const {
        slice = '',
        model_version: modelVersion = '',
        subject,
        newest,
        as_of: asOf,
        ...texts
      } = query
      const [sliceKey = '', ...sliceValue] = slice.split(':')
      const { from = '', to = '', family = '', metric = '', variant = '' } = texts
      const metrics = await windowMetrics(db, {
        modelId: params.id,
        from,
        to,
        sliceKey,
        sliceValue: sliceValue.join(':'),
        family,
        metric,
        subject,
        modelVersion,
        variant,
        newest,
        asOf: knowledgeTime(asOf),
      })
      return { model_id: params.id, metrics }
    },
  )
}

/** The metric results of a model's windows. */
import type { Http } from '../../../lib/http/server.ts'
import { windowMetrics } from '../queries/published-windows.ts'
import type { DriftRoutesOptions } from './model-routes.ts'

interface WindowsQuery {
  from?: string
  to?: string
  slice?: string
  family?: string
  metric?: string
  subject?: string
  model_version?: string
  variant?: string
}

const text = { type: 'string' }
const WINDOWS_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    from: text,
    to: text,
    slice: { ...text, description: 'key:value' },
    family: text,
    metric: { ...text, description: 'One metric, or several with commas between' },
    subject: text,
    model_version: { ...text, description: 'One version, or * for each; without it the total' },
    variant: text,
  },
}

export function windowRoutes(http: Http, { db }: Pick<DriftRoutesOptions, 'db'>): void {
  http.get<{ Params: { id: string }; Querystring: WindowsQuery }>(
    '/v1/models/:id/windows',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Results of windows, as they stand; filters narrow them',
        querystring: WINDOWS_QUERY,
      },
    },
    async ({ params, query }) => {
      const { slice = '', model_version: modelVersion = '', subject, ...texts } = query
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
      })
      return { model_id: params.id, metrics }
    },
  )
}

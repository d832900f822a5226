import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Http } from '../../../lib/http/server.ts'
import { answers } from '../../../schemas/http/errors.ts'
import { DaysQuery, LabelReport } from '../../../schemas/http/labels.ts'
import { ModelPath } from '../../../schemas/http/parts.ts'
import { labelReport } from '../queries/label-report.ts'

/** Registers the routes that tell of a model's labels. */
export function labelRoutes(http: Http, db: ClickHouse, now: () => number): void {
  http.get(
    '/v1/models/:id/labels',
    {
      config: { scope: 'read' },
      schema: {
        summary:
          'What is odd about the labels of a model: refused, respelled, early, ahead, waiting',
        tags: ['models'],
        params: ModelPath,
        querystring: DaysQuery,
        response: answers({ 200: LabelReport }),
      },
    },
    ({ params, query }) => labelReport(db, { modelId: params.id, days: query.days!, now: now() }),
  )
}

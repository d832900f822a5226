/** Events that were kept of a model's windows. */
import type { Http } from '../../../lib/http/server.ts'
import { answers } from '../../../schemas/http/errors.ts'
import { ExamplesAnswer, ExamplesQuery } from '../../../schemas/http/examples.ts'
import { ModelPath } from '../../../schemas/http/parts.ts'
import { tracesOf, windowExamples, type WindowExample } from '../queries/window-examples.ts'
import type { DriftRoutesOptions } from './model-routes.ts'

/** Registers `GET /v1/models/{id}/examples`. */
export function exampleRoutes(
  http: Http,
  { db, models }: Pick<DriftRoutesOptions, 'db' | 'models'>,
): void {
  http.get(
    '/v1/models/:id/examples',
    {
      config: { scope: 'read', isPersonal: true },
      schema: {
        summary: 'Events that violate an expectation, and the most unusual ones',
        tags: ['models'],
        params: ModelPath,
        querystring: ExamplesQuery,
        response: answers({ 200: ExamplesAnswer }),
      },
    },
    async ({ params, query }) => {
      const { from = '', to = '', kind = '', subject = '', limit: most } = query
      const found = await windowExamples(db, { modelId: params.id, from, to, kind, subject, most })
      const { traceUrl } = models.get(params.id)
      const traces =
        traceUrl === undefined ? NO_TRACES : await tracesOf(db, { modelId: params.id, of: found })
      return {
        model_id: params.id,
        examples: found.map((example) => ({
          ...exampleOf(example),
          trace_url: addressOf(traceUrl, traces.get(example.prediction_id)),
        })),
      }
    },
  )
}

const NO_TRACES: ReadonlyMap<string, string> = new Map()

/** A trace's id is the emitter's own text: it fills one part of the address, and no more. */
const addressOf = (traceUrl: string | undefined, traceId: string | undefined): string | null =>
  traceUrl === undefined || !traceId
    ? null
    : traceUrl.replaceAll('{trace_id}', () => encodeURIComponent(traceId))

function exampleOf({ detail, ...example }: WindowExample) {
  const { features, because, beyond } = detailOf(detail, example.kind)
  return { ...example, features, because, beyond }
}

/** What a row says of its event; nothing where it was cut. */
function detailOf(detail: string, kind: WindowExample['kind']) {
  const nothing = { features: {}, because: [], beyond: null }
  try {
    const found = JSON.parse(detail) as Record<string, unknown>
    if (kind === 'expectation') return { ...nothing, features: found }
    return { ...nothing, ...found } as {
      features: Record<string, unknown>
      because: string[]
      beyond: number | null
    }
  } catch {
    return nothing
  }
}

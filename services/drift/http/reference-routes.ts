import type { Static } from 'typebox'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { Http } from '../../../lib/http/server.ts'
import type { Models } from '../../../lib/models/model-files.ts'
import type { Spool } from '../../../lib/clickhouse/spool.ts'
import type { Privacy } from '../../../lib/events/privacy/redactor.ts'
import { createValidator } from '../../../lib/events/validator.ts'
import { PredictionV1 } from '../../../schemas/events/prediction.v1.ts'
import { requirePrintable } from '../../../lib/events/text-rules.ts'
import { ReferenceAnswer, ReferenceBody, UploadedPredictions } from '../../../schemas/http/drift.ts'
import { answersToBody } from '../../../schemas/http/errors.ts'
import { ReferencePath } from '../../../schemas/http/parts.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import { uploadedId, type StoredReference } from '../plan/stored-references.ts'
import { spanBetween } from './spans.ts'
import { storeUploaded } from './uploaded-reference.ts'

const MAX_UPLOAD_BYTES = 256 << 20
/**
 * Fastify infers no type from a body of several content types, so the types of this route's schemas
 * are named.
 */
interface PutReference {
  Params: Static<typeof ReferencePath>
  Body: ReferenceBody | Buffer
  Reply: Static<typeof ReferenceAnswer>
}

/** What references are put and read with. */
export interface ReferenceRoutesOptions {
  db: ClickHouse
  spool: Spool
  /** What model files take out of events: uploaded ones are counted without it. */
  privacy: Privacy
  queries: DriftQueries
  models: Models
  now: () => number
}

/** Registers `PUT /v1/models/{id}/references/{name}`. */
export function referenceRoutes(
  http: Http,
  { db, spool, queries, models, privacy, now }: ReferenceRoutesOptions,
): void {
  const validator = createValidator(PredictionV1, privacy)
  void http.register(async (scope: Http) => {
    scope.addContentTypeParser(
      'application/x-ndjson',
      { parseAs: 'buffer', bodyLimit: MAX_UPLOAD_BYTES },
      (_request, body, done) => done(null, body),
    )
    scope.put<PutReference>(
      '/v1/models/:id/references/:name',
      {
        config: { scope: 'operate' },
        schema: {
          summary:
            'Freezes a reference that informs: a span, all predictions of a version, or predictions of the body (NDJSON)',
          tags: ['models'],
          params: ReferencePath,
          body: {
            content: {
              'application/json': { schema: ReferenceBody },
              'application/x-ndjson': { schema: UploadedPredictions },
            },
          },
          response: answersToBody({ 200: ReferenceAnswer, 201: ReferenceAnswer }, 409),
        },
      },
      async ({ params, body }, reply) => {
        // Without a content type no schema says what the body must be.
        if (typeof body !== 'object' || body === null)
          throw new Problem(400, 'invalid_request', 'a reference needs a body, JSON or NDJSON')
        requirePrintable('path', params)
        if (!Buffer.isBuffer(body)) requirePrintable('body', body)
        const { modelId, references } = models.get(params.id)
        if (params.name in references)
          throw new Problem(
            409,
            'owned_by_file',
            `the model file owns the reference ${params.name}`,
          )
        const revision = (await queries.referenceRevision(modelId, params.name)) + 1
        const { events, ...reference } = Buffer.isBuffer(body)
          ? await uploaded(modelId, params.name, revision, body)
          : { ...referenceOf(body), events: undefined }
        await queries.putReference({ modelId, name: params.name, ...reference, revision }, now())
        void reply.code(revision === 1 ? 201 : 200)
        return {
          name: params.name,
          kind: reference.kind,
          ...(reference.kind === 'version'
            ? { model_version: reference.modelVersion }
            : {
                from: new Date(reference.span.start).toISOString(),
                to: new Date(reference.span.end).toISOString(),
              }),
          ...(events !== undefined && { events }),
          revision,
        }
      },
    )
  })

  async function uploaded(modelId: string, name: string, revision: number, body: Buffer) {
    const under = uploadedId(modelId, name, revision)
    const { events, ...span } = await storeUploaded({ db, spool, validator }, modelId, body, under)
    return { kind: 'uploaded' as const, span, modelVersion: '', events }
  }
}

const NO_SPAN = { start: 0, end: 0 }

function referenceOf({
  from,
  to,
  model_version,
}: ReferenceBody): Pick<StoredReference, 'kind' | 'span' | 'modelVersion'> {
  if (model_version !== undefined && from === undefined && to === undefined)
    return { kind: 'version', span: NO_SPAN, modelVersion: model_version }
  if (model_version !== undefined || from === undefined || to === undefined)
    throw new Problem(400, 'invalid_request', 'give either from and to, or model_version')
  const span = spanBetween('from and to must be RFC 3339 times', from, to)
  return { kind: 'fixed', span, modelVersion: '' }
}

import type { Readable } from 'node:stream'
import type { Static } from 'typebox'
import { actorOf } from '../../../../lib/http/callers.ts'
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import { Problem } from '../../../../lib/runtime/errors.ts'
import type { Http } from '../../../../lib/http/server.ts'
import type { Model, Models } from '../../../../lib/models/model-files.ts'
import type { Spool } from '../../../../lib/clickhouse/spool.ts'
import type { TableFile, TableFormat } from '../../../../lib/clickhouse/table-files.ts'
import type { Window } from '../../../../lib/models/windows.ts'
import type { Privacy } from '../../../../lib/events/privacy/redactor.ts'
import { createValidator, type Validator } from '../../../../lib/events/validator.ts'
import { PredictionV1 } from '../../../../schemas/events/prediction.v1.ts'
import { requirePrintable } from '../../../../lib/events/text-rules.ts'
import {
  ReferenceAnswer,
  ReferenceBody,
  ReferenceQuery,
  UploadedPredictions,
  UploadedTable,
} from '../../../../schemas/http/references.ts'
import { answersToBody } from '../../../../schemas/http/errors.ts'
import { ReferencePath } from '../../../../schemas/http/parts.ts'
import type { DriftQueries } from '../../queries/drift-queries.ts'
import { TABLE_SPAN, uploadedId, type StoredReference } from '../../plan/stored-references.ts'
import { spanBetween } from '../asked-times.ts'
import { storeUploaded } from './uploaded-reference.ts'
import { inTurn, TABLE_TYPES, withUploadedTable } from './uploaded-table.ts'

const MAX_UPLOAD_BYTES = 256 << 20
/**
 * Fastify infers no type from a body of several content types, so the types of this route's schemas
 * are named.
 */
interface PutReference {
  Params: Static<typeof ReferencePath>
  Querystring: ReferenceQuery
  Body: ReferenceBody | Buffer | Readable
  Reply: Static<typeof ReferenceAnswer>
}

/** What references are put and read with. */
export interface ReferenceRoutesOptions {
  db: ClickHouse
  spool: Spool
  /** What model files take out of events: uploaded ones, and tables, are read without it. */
  privacy: Privacy
  queries: DriftQueries
  models: Models
  now: () => number
}

interface RouteParts extends ReferenceRoutesOptions {
  validator: Validator
  tablesInTurn: ReturnType<typeof inTurn>
}

/** Registers `PUT /v1/models/{id}/references/{name}`. */
export function referenceRoutes(http: Http, options: ReferenceRoutesOptions): void {
  const validator = createValidator(PredictionV1, options.privacy)
  const parts = { ...options, validator, tablesInTurn: inTurn() }
  void http.register(async (scope: Http) => {
    scope.addContentTypeParser(
      'application/x-ndjson',
      { parseAs: 'buffer', bodyLimit: MAX_UPLOAD_BYTES },
      (_request, body, done) => done(null, body),
    )
    // Tables are read as they come: the file they go to has no bound in memory.
    scope.addContentTypeParser(STREAMED, (_request, body, done) => done(null, body))
    scope.put<PutReference>(
      '/v1/models/:id/references/:name',
      {
        config: { scope: 'operate' },
        schema: {
          summary:
            'Freezes a reference that informs: a span, all predictions of a version, or predictions of the body (NDJSON); or a table (Parquet, CSV, NDJSON), which production is held against',
          tags: ['models'],
          params: ReferencePath,
          querystring: ReferenceQuery,
          body: {
            content: {
              'application/json': { schema: ReferenceBody },
              'application/x-ndjson': { schema: UploadedPredictions },
              'text/csv': { schema: UploadedTable },
              'application/vnd.apache.parquet': { schema: UploadedTable },
            },
          },
          response: answersToBody({ 200: ReferenceAnswer, 201: ReferenceAnswer }, 409),
        },
      },
      async ({ params, query, body, headers, caller }, reply) => {
        // A body without a content type has no schema that says what it must be.
        if (typeof body !== 'object' || body === null)
          throw new Problem(
            400,
            'invalid_request',
            'a reference needs a body: JSON, NDJSON, CSV or Parquet',
          )
        const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? ''
        const given = givenBody(body, query, type)
        const actor = actorOf(caller, caller?.isKnown ? undefined : 'anonymous')
        const answer = await put(parts, { ...params, query, given, actor })
        void reply.code(answer.revision === 1 ? 201 : 200)
        return answer
      },
    )
  })
}

const STREAMED = ['text/csv', 'application/vnd.apache.parquet']

/** A body by what it is: JSON, predictions, or a table. */
type Given =
  | { kind: 'json'; body: ReferenceBody }
  | { kind: 'predictions'; body: Buffer }
  | { kind: 'table'; body: Buffer | Readable; format: TableFormat }

function givenBody(
  body: ReferenceBody | Buffer | Readable,
  { kind, ...columns }: ReferenceQuery,
  type: string,
): Given {
  const format = TABLE_TYPES[type]
  const isTable = STREAMED.includes(type) || (kind === 'table' && format !== undefined)
  if (isTable) return { kind: 'table', body: body as Buffer | Readable, format: format! }
  if (kind !== undefined || Object.keys(columns).length > 0)
    throw new Problem(
      400,
      'invalid_request',
      'kind, label, prediction and score of the query are of tables: CSV, Parquet, or NDJSON with kind=table',
    )
  if (Buffer.isBuffer(body)) return { kind: 'predictions', body }
  requirePrintable('body', body)
  return { kind: 'json', body: body as ReferenceBody }
}

interface PutQuestion {
  id: string
  name: string
  query: ReferenceQuery
  given: Given
  /** Who puts it. */
  actor: string
}

type Answer = Static<typeof ReferenceAnswer>

/** Stores a reference as its next revision. */
async function put(options: RouteParts, question: PutQuestion): Promise<Answer> {
  const { name, given } = question
  const model = options.models.get(question.id)
  if (name in model.references)
    throw new Problem(409, 'owned_by_file', `the model file owns the reference ${name}`)
  if (given.kind !== 'table') return putSpan(options, model.modelId, question)
  return withUploadedTable(options.spool, given.body, (path) =>
    options.tablesInTurn(() =>
      putTable(options, model, { ...question, file: { path, format: given.format } }),
    ),
  )
}

async function putTable(
  { queries, privacy, now }: RouteParts,
  model: Model,
  { name, query, file, actor }: PutQuestion & { file: TableFile },
): Promise<Answer> {
  const { modelId } = model
  const { kind: _, ...columns } = query
  const revision = (await queries.referenceRevision(modelId, name)) + 1
  const under = uploadedId(modelId, name, revision)
  const { rows, note } = await queries.storeTable({
    file,
    shown: 'the table',
    model,
    privacy,
    columns,
    under,
  })
  const table = { kind: 'table' as const, span: TABLE_SPAN, modelVersion: '', note }
  await queries.putReference({ modelId, name, ...table, revision, actor }, now())
  return { name, kind: 'table', rows, note, revision }
}

/** A span, a version, or predictions of the body. */
async function putSpan(
  { db, spool, validator, queries, now }: RouteParts,
  modelId: string,
  { name, given, actor }: PutQuestion,
): Promise<Answer> {
  const revision = (await queries.referenceRevision(modelId, name)) + 1
  const { events, ...reference } =
    given.kind === 'predictions'
      ? uploaded(
          await storeUploaded(
            { db, spool, validator },
            modelId,
            given.body,
            uploadedId(modelId, name, revision),
          ),
        )
      : { ...referenceOf(given.body as ReferenceBody), events: undefined }
  await queries.putReference({ modelId, name, ...reference, revision, actor }, now())
  return {
    name,
    kind: reference.kind,
    ...(reference.kind === 'version'
      ? { model_version: reference.modelVersion }
      : between(reference.span)),
    ...(events !== undefined && { events }),
    revision,
  }
}

const uploaded = ({ events, ...span }: Window & { events: number }) => ({
  kind: 'uploaded' as const,
  span,
  modelVersion: '',
  events,
})

const between = ({ start, end }: Window) => ({
  from: new Date(start).toISOString(),
  to: new Date(end).toISOString(),
})

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

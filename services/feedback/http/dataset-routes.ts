/** The routes of data sets. */
import { randomUUID } from 'node:crypto'
import { actorOf } from '../../../lib/http/callers.ts'
import { atOnce, type AtOnce } from '../../../lib/http/limits/at-once.ts'
import type { FastifyRequest, Http } from '../../../lib/http/server.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import type { Postgres } from '../../../lib/postgres/port.ts'
import { requirePrintable } from '../../../lib/events/text-rules.ts'
import { answers, answersToBody } from '../../../schemas/http/errors.ts'
import {
  DatasetAnswer,
  DatasetBody,
  DatasetPath,
  DatasetQuery,
  DatasetRows,
  DatasetsAnswer,
  DatasetsQuery,
  type DatasetFormat,
} from '../../../schemas/http/labels/datasets.ts'
import { withheldFrom } from '../data/datasets/columns.ts'
import { readQuestion } from '../data/datasets/question.ts'
import {
  makeDataset,
  remakeDataset,
  requireDatasetSeen,
  type DatasetMaker,
} from '../queries/datasets/make.ts'
import {
  keepManifest,
  listManifests,
  noteFetched,
  readManifest,
} from '../queries/datasets/manifests.ts'

/** What the routes ask. */
export interface DatasetRoutesOptions {
  maker: DatasetMaker
  postgres: Postgres
  now: () => number
  modelOf: (modelId: string) => Model
}

/** The options, and what keeps data sets from taking the whole process. */
type Options = DatasetRoutesOptions & { inTurn: AtOnce }

const config = { scope: 'read' as const, isByModel: true }
const tags = ['data']
/** Data sets that a process writes at the same time. */
const MAX_AT_ONCE = 2

const TYPES: Record<DatasetFormat, { type: string; end: string }> = {
  parquet: { type: 'application/vnd.apache.parquet', end: 'parquet' },
  csv: { type: 'text/csv; charset=utf-8', end: 'csv' },
  jsonl: { type: 'application/x-ndjson; charset=utf-8', end: 'jsonl' },
  pairs: { type: 'application/x-ndjson; charset=utf-8', end: 'jsonl' },
  label_studio: { type: 'application/json; charset=utf-8', end: 'json' },
  argilla: { type: 'application/json; charset=utf-8', end: 'json' },
}

/** Registers `/v1/datasets` and what is below it. */
export function datasetRoutes(http: Http, given: DatasetRoutesOptions): void {
  const options = { ...given, inTurn: atOnce(MAX_AT_ONCE, 'data sets are being written', 10) }
  makeRoute(http, options)
  listRoute(http, options)
  manifestRoute(http, options)
  rowsRoute(http, options)
}

const isWithheldFrom = ({ reach }: Pick<FastifyRequest, 'reach'>, model: Model) =>
  withheldFrom(reach('admin').has(model.modelId), model.privacy?.withhold)

function makeRoute(http: Http, { maker, postgres, now, modelOf, inTurn }: Options): void {
  http.post(
    '/v1/datasets',
    {
      config: { ...config, isPersonal: true },
      schema: {
        summary: 'Makes a data set of predictions and their labels, and tells what it is made of',
        tags,
        body: DatasetBody,
        response: answersToBody({ 200: DatasetAnswer }),
      },
    },
    async (request) => {
      const { body, caller } = request
      for (const [field, text] of texts(body)) requirePrintable(field, text)
      request.reach('read').require(body.model_id)
      const acting = { actor: actorOf(caller, body.actor), now: now() }
      const model = modelOf(body.model_id)
      const question = readQuestion(body, model, acting.now)
      const manifest = await inTurn(() =>
        makeDataset(maker, question, model, isWithheldFrom(request, model)),
      )
      return keepManifest(postgres, randomUUID(), manifest, acting)
    },
  )
}

/** Texts of a body that are kept, by field. */
function* texts({ model_id, label, cohort, where, columns, pairs }: DatasetBody) {
  yield* Object.entries({ model_id, label, cohort, where })
  for (const text of columns ?? []) yield ['columns', text] as const
  for (const text of pairs?.order ?? []) yield ['pairs.order', text] as const
}

function listRoute(http: Http, { postgres }: Options): void {
  http.get(
    '/v1/datasets',
    {
      config,
      schema: {
        summary: 'Data sets that were made, the newest first',
        tags,
        querystring: DatasetsQuery,
        response: answers({ 200: DatasetsAnswer }),
      },
    },
    async ({ query, reach }) => {
      const { ids, require } = reach('read')
      if (query.model_id !== undefined) require(query.model_id)
      const models = query.model_id === undefined ? ids : [query.model_id]
      return { datasets: await listManifests(postgres, models, query.limit) }
    },
  )
}

/** A data set that the caller may see. */
async function seen(request: FastifyRequest, id: string, { postgres, modelOf }: Options) {
  const dataset = await readManifest(postgres, id, request.reach('read').require)
  const model = modelOf(dataset.model_id)
  requireDatasetSeen(dataset.manifest, model, isWithheldFrom(request, model))
  return { dataset, model }
}

function manifestRoute(http: Http, options: Options): void {
  http.get(
    '/v1/datasets/:id',
    {
      config,
      schema: {
        summary: 'What a data set is made of',
        tags,
        params: DatasetPath,
        response: answers({ 200: DatasetAnswer }, 404, 409),
      },
    },
    async (request) => (await seen(request, request.params.id, options)).dataset,
  )
}

function rowsRoute(http: Http, options: Options): void {
  const { maker, postgres, now, inTurn } = options
  http.get(
    '/v1/datasets/:id/rows',
    {
      config: { ...config, isPersonal: true },
      schema: {
        summary: 'The file of a data set: the same bytes each time, or why not',
        tags,
        params: DatasetPath,
        querystring: DatasetQuery,
        response: { ...answers({}, 404, 409, 429), 200: DatasetRows },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request.caller, request.query.actor)
      const { dataset, model } = await seen(request, request.params.id, options)
      const { question, file } = dataset.manifest
      const made = await inTurn(() => remakeDataset(maker, dataset.manifest, model))
      try {
        await noteFetched(postgres, dataset, { actor, now: now() })
      } catch (error) {
        await made.close()
        throw error
      }
      const { type, end } = TYPES[question.format]
      return reply
        .type(type)
        .header('content-length', file.bytes)
        .header('etag', `"${file.sha256}"`)
        .header(
          'content-disposition',
          `attachment; filename="dataset-${dataset.dataset_id}.${end}"`,
        )
        .send(made.createReadStream() as never)
    },
  )
}

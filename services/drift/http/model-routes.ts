import { decisionQueries } from '../queries/verdict-feedback.ts'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { Http } from '../../../lib/http/server.ts'
import type { Models } from '../../../lib/models/model-files.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { asDeclared, declaredKinds } from '../data/declared-features.ts'
import { DIALECTS, evaluateDialect, type Dialect } from '../interop/compare.ts'
import { constraintViolations } from '../interop/sagemaker-constraints.ts'
import { evaluateDrift } from '../evaluate/drift.ts'
import { MOST_EXACT } from '../loop/exact-followups.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import { frozenSpans, putReferences } from '../plan/references.ts'
import { LEAST_CELL } from '../evaluate/thresholds.ts'
import { ALL } from '../data/cohort.ts'
import { spanBetween } from './spans.ts'
import { progressOf } from '../plan/due-windows.ts'

/** What is active of each model as a whole, and what its newest window could not tell. */
const OVERVIEW = `WITH wholes AS (SELECT * FROM verdicts_latest WHERE model_version = '' AND variant = '' AND slice_key = ''),
    newest AS (SELECT model_id, window_end AS newest_end FROM cohort_newest_windows
               WHERE model_version = '' AND variant = '' AND slice_key = ''),
    active AS (SELECT model_id, countIf(severity = 'alarm') AS n_alarms, countIf(severity = 'warning') AS n_warnings
               FROM active_alarms WHERE NOT is_snoozed AND model_version = '' AND variant = '' AND slice_key = ''
               GROUP BY model_id)
  SELECT model_id, uniqExact(window_end) AS windows, max(window_end) AS last_window_end,
    any(n_alarms) AS alarms, any(n_warnings) AS warnings,
    countIf(verdict = 'incomplete' AND window_end = newest_end) AS incomplete
  FROM wholes JOIN newest USING (model_id) LEFT JOIN active USING (model_id)
  GROUP BY model_id ORDER BY model_id`
const MAX_ROWS = 20_000
/** Models without a file in one answer, those with the most events. */
const MAX_MODELS = 10_000

export interface DriftRoutesOptions {
  db: ClickHouse
  queries: DriftQueries
  models: Models
  now: () => number
}

export function driftRoutes(http: Http, { db, queries, models, now }: DriftRoutesOptions): void {
  const config = { scope: 'read' as const }
  const decisions = decisionQueries(db)

  http.get(
    '/v1/models',
    { config, schema: { summary: 'Every model that is declared or has sent an event' } },
    async () => {
      const rows = await db.query<{ model_id: string }>(OVERVIEW)
      const declared = models.declared.map((model) => model.modelId)
      const seen = new Map(rows.map((row) => [row.model_id, row]))
      const ids = new Set([
        ...declared,
        ...(await queries.modelIds(
          declared,
          MAX_MODELS,
          (await queries.modelCount()) <= MAX_MODELS,
        )),
      ])
      return {
        models: [...ids].toSorted().map((id) => ({
          task: models.get(id).task ?? null,
          ...(seen.get(id) ?? {
            windows: '0',
            last_window_end: null,
            alarms: '0',
            warnings: '0',
            incomplete: '0',
          }),
          model_id: id,
        })),
      }
    },
  )

  http.get<{ Params: { id: string } }>(
    '/v1/models/:id',
    { config, schema: { summary: 'One model: its file, watermark and references' } },
    async (request) => {
      const model = models.get(request.params.id)
      const partitions = await queries.partitions(model.modelId)
      if (partitions.length === 0 && model.task === undefined) throw unknownModel(model.modelId)
      const { watermark, idle } = progressOf(partitions, model, now())
      const stored = await queries.referencesOf(model.modelId)
      const frozen = frozenSpans(stored, model.modelId)
      return {
        model_id: model.modelId,
        task: model.task ?? null,
        watermark: Number.isFinite(watermark) ? new Date(watermark).toISOString() : null,
        idle,
        windows: model.windows,
        references: Object.entries({
          ...putReferences(stored, model.modelId),
          ...model.references,
        }).map(([name, reference]) => {
          const span = frozen.get(name)
          return {
            name,
            ...reference,
            ...(span && {
              from: new Date(span.start).toISOString(),
              to: new Date(span.end).toISOString(),
            }),
          }
        }),
        alarms: await decisions.rate(model.modelId, model.falseAlarmsPerWeek),
        retrain: model.retrain.map(({ name, when, approval }) => ({ name, when, approval })),
      }
    },
  )

  http.get<{ Params: { id: string }; Querystring: WindowsQuery }>(
    '/v1/models/:id/windows',
    {
      config,
      schema: {
        summary: 'Facts of windows, as they stand; filters narrow them',
        querystring: WINDOWS_QUERY,
      },
    },
    async (request) => {
      const {
        from,
        to,
        slice = '',
        family = '',
        metric = '',
        subject,
        model_version = '',
        variant = '',
      } = request.query
      const [sliceKey = '', ...sliceValue] = slice.split(':')
      const rows = await db.query(
        // Where there are too many, the newest.
        `SELECT * FROM (SELECT * FROM window_metrics_latest
         WHERE model_id = {model:String} AND slice_key = {key:String} AND slice_value = {value:String}
           AND ({from:String} = '' OR window_end > parseDateTime64BestEffortOrZero({from:String}, 3, 'UTC'))
           AND ({to:String} = '' OR window_start < parseDateTime64BestEffortOrZero({to:String}, 3, 'UTC'))
           AND ({family:String} = '' OR family = {family:String}) AND ({metric:String} = '' OR has(splitByChar(',', {metric:String}), metric))
           AND ({any_subject:UInt8} OR subject = {subject:String})
           AND ({version:String} = '*' OR model_version = {version:String}) AND ({variant:String} = '*' OR variant = {variant:String})
           AND NOT (n_current < ${LEAST_CELL} AND family = 'fairness') AND NOT (isNull(value) AND verdict = 'none')
         ORDER BY window_end DESC LIMIT ${MAX_ROWS}) ORDER BY window_end, family, metric, subject`,
        {
          model: request.params.id,
          key: sliceKey,
          value: sliceValue.join(':'),
          from: from ?? '',
          to: to ?? '',
          family,
          metric,
          any_subject: subject === undefined ? 1 : 0,
          subject: subject ?? '',
          version: model_version,
          variant,
        },
      )
      return { model_id: request.params.id, metrics: rows }
    },
  )

  http.get<{ Params: { id: string }; Querystring: Pick<CompareQuery, 'a' | 'b'> }>(
    '/v1/models/:id/constraint_violations.json',
    {
      config,
      schema: {
        summary: 'The span b beside the baseline a, as SageMaker Model Monitor reports it',
        querystring: {
          type: 'object',
          required: ['a', 'b'],
          additionalProperties: false,
          properties: { a: COMPARE_QUERY.properties.a, b: COMPARE_QUERY.properties.b },
        },
      },
    },
    async ({ params, query }) => {
      const model = models.get(params.id)
      const countsOf = async (span: Window) =>
        asDeclared(await queries.counts(model.modelId, [span], ALL), model)
      const [baseline, current] = [
        await countsOf(spanOf('a', query.a)),
        await countsOf(spanOf('b', query.b)),
      ]
      if (baseline.events === 0 || current.events === 0)
        throw new Problem(404, 'no_events', `${baseline.events === 0 ? 'a' : 'b'} holds no events`)
      return { violations: constraintViolations(current, baseline) }
    },
  )

  http.get<{ Params: { id: string }; Querystring: CompareQuery }>(
    '/v1/models/:id/compare',
    {
      config,
      schema: {
        summary:
          'Drift between any two spans, each from/to as two RFC 3339 times with a slash between',
        querystring: COMPARE_QUERY,
      },
    },
    async ({ params, query }) => {
      const model = models.get(params.id)
      const [a, b] = [spanOf('a', query.a), spanOf('b', query.b)]
      const isExact = query.exact || query.convention !== 'plumbline'
      const countsOf = async (span: Window) => {
        if (!isExact) return asDeclared(await queries.counts(model.modelId, [span], ALL), model)
        const { events } = await queries.eventCounts(
          model.modelId,
          [span],
          ALL,
          await queries.present({ modelId: model.modelId, spans: [span] }),
        )
        if (events > MOST_EXACT)
          throw new Problem(
            400,
            'too_many_events',
            `exact numbers are made of at most ${MOST_EXACT} events a span; this one has ${events}`,
          )
        // Others know no weights.
        const unweighted = query.convention !== 'plumbline'
        return asDeclared(
          await queries.rawCounts(model.modelId, [span], ALL, { exact: true, unweighted }),
          model,
        )
      }
      const reference = {
        name: query.a,
        judge: true,
        spans: [a],
        outcomes: undefined,
        counts: await countsOf(a),
      }
      const current = await countsOf(b)
      const metrics =
        query.convention === 'plumbline'
          ? evaluateDrift(current, reference, model.windows.min_count, declaredKinds(model))
          : evaluateDialect(query.convention, current, reference.counts)
      return { model_id: model.modelId, metrics }
    },
  )
}

interface CompareQuery {
  a: string
  b: string
  exact: boolean
  convention: 'plumbline' | Dialect
}

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

const COMPARE_QUERY = {
  type: 'object',
  required: ['a', 'b'],
  additionalProperties: false,
  properties: {
    a: text,
    b: text,
    exact: {
      type: 'boolean',
      default: false,
      description: 'From raw rows, where counts would only bound the numbers.',
    },
    convention: {
      enum: ['plumbline', ...DIALECTS],
      default: 'plumbline',
      description: 'Whose numbers; those of others are always exact.',
    },
  },
}

const unknownModel = (id: string) =>
  new Problem(404, 'unknown_model', `no model ${id} is declared, and none has sent an event`)

function spanOf(name: string, text: string): Window {
  const [from = '', to = ''] = text.split('/')
  return spanBetween(`${name} must be two RFC 3339 times with a slash between`, from, to)
}

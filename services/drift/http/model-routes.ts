/** Which models there are, and what is known of one. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Reach } from '../../../lib/http/model-access.ts'
import type { Http } from '../../../lib/http/server.ts'
import type { Model, Models } from '../../../lib/models/model-files.ts'
import {
  causesOf,
  clauseOf,
  rankedAlarms,
  scoreMoveOf,
  type SaidAlarm,
} from '../../../lib/models/alarm-sentences.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import { ModelAnswer, ModelsAnswer } from '../../../schemas/http/drift.ts'
import { answers } from '../../../schemas/http/errors.ts'
import { ModelPath } from '../../../schemas/http/parts.ts'
import { windowAlphaOf } from '../evaluate/thresholds.ts'
import { baselineInWords, calmnessInWords } from '../plan/baseline-words.ts'
import { progressOf } from '../plan/due-windows.ts'
import { horizonNow } from '../plan/label-horizon.ts'
import { frozenSpans, putReferences, type StoredReference } from '../plan/stored-references.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import { headlineOf } from '../publish/headline.ts'
import { alarmsOfHeadlines } from '../queries/active-alarms.ts'
import { newestBaseline } from '../queries/baselines/tested-windows.ts'
import { pastBudgets, type PastBudgets } from './past-budgets.ts'
import { modelSummaries, newestEvents, type NewestWindow } from '../queries/model-summaries.ts'
import { verdictFeedbackQueries } from '../queries/verdict-feedback.ts'

/** Models without a file in one answer, those with the most events. */
const MAX_MODELS = 10_000

/** What the routes of drift answer from. */
export interface DriftRoutesOptions {
  db: ClickHouse
  queries: DriftQueries
  models: Models
  /** Epoch milliseconds. */
  now: () => number
}

/** Registers `GET /v1/models` and `GET /v1/models/{id}`. */
export function modelRoutes(http: Http, options: DriftRoutesOptions): void {
  const config = { scope: 'read' as const }
  const tags = ['models']
  const past = pastBudgets(options.db)
  http.get(
    '/v1/models',
    {
      config: { ...config, isByModel: true },
      schema: {
        summary: 'Every model that is declared or has sent an event',
        tags,
        response: answers({ 200: ModelsAnswer }),
      },
    },
    async ({ reach }) => ({ models: await listModels(options, reach('read')) }),
  )
  http.get(
    '/v1/models/:id',
    {
      config,
      schema: {
        summary: 'One model: its file, watermark and references',
        tags,
        params: ModelPath,
        response: answers({ 200: ModelAnswer }, 404),
      },
    },
    async ({ params }) => describeModel({ ...options, past }, params.id),
  )
}

const NO_WINDOWS = {
  windows: '0',
  last_window_end: null,
  incomplete: '0',
}
const NO_WINDOW: NewestWindow = {
  events: '0',
  evaluated: '0',
  learning: '',
  drift_share: null,
  features: '0',
}

/** Causes of one answer. */
const MAX_CAUSES = 5

const causeOf = (alarm: SaidAlarm) => {
  const move = scoreMoveOf(alarm.reason)
  return {
    family: alarm.family,
    metric: alarm.metric,
    subject: alarm.subject,
    slice: alarm.slice_key === '' ? '' : `${alarm.slice_key}:${alarm.slice_value}`,
    score_moved_alone: move?.alone ?? null,
    score_moved: move?.all ?? null,
    says: clauseOf(alarm),
  }
}

/** What is worst of each family that is no cause. */
function worstOf(alarms: readonly SaidAlarm[]) {
  const ranked = rankedAlarms(alarms)
  const of = (wanted: string) => {
    const own = ranked.filter(({ family }) => family === wanted)
    const found = own.find(({ severity }) => severity === 'alarm') ?? own[0]
    return found ? clauseOf(found) : null
  }
  return { performance: of('performance'), fairness: of('fairness'), quality: of('quality') }
}

/** Reads what headlines are made of, of all models or of one. */
async function headlines({ db }: Pick<DriftRoutesOptions, 'db'>, model = '') {
  const seen = new Map((await modelSummaries(db, model)).map((row) => [row.model_id, row]))
  const { active, counts } = await alarmsOfHeadlines(db, model)
  const newest = await newestEvents(db, model)
  return (id: string) => {
    const row = seen.get(id)
    const { events, evaluated, learning, drift_share, features, ...summary } = row ?? {
      ...NO_WINDOWS,
      ...NO_WINDOW,
    }
    const lastEvent = newest.get(id)
    const found = headlineOf({
      active: active.get(id) ?? [],
      lastWindowEnd: row?.last_window_end ? Date.parse(row.last_window_end) : undefined,
      events: Number(events),
      lastEvent,
      evaluated: Number(evaluated),
      learning,
      driftShare: drift_share,
      features: Number(features),
    })
    const isKnown = lastEvent !== undefined && Number.isFinite(lastEvent) && lastEvent > 0
    return {
      summary: { ...summary, ...(counts.get(id) ?? { alarms: '0', warnings: '0' }) },
      described: {
        ...found,
        causes: causesOf(active.get(id) ?? [], MAX_CAUSES).map(causeOf),
        worst: worstOf(active.get(id) ?? []),
        drift_share,
        last_event_at: isKnown ? new Date(lastEvent).toISOString() : null,
      },
    }
  }
}

async function listModels({ db, queries, models }: DriftRoutesOptions, reach: Reach) {
  const of = await headlines({ db })
  const declared = models.declared.map((model) => model.modelId)
  const isRoom = (await queries.modelCount()) <= MAX_MODELS
  const known = await queries.modelIds({ declared, most: MAX_MODELS, isRoom })
  const ids = [...new Set([...declared, ...known])].filter(reach.has).toSorted()
  return ids.map((id) => {
    const { summary, described } = of(id)
    return { task: models.get(id).task ?? null, ...summary, ...described, model_id: id }
  })
}

/**
 * A model, and how far each of its log partitions is.
 *
 * @throws {Problem} 404 `unknown_model` where it has no file and has sent no event
 */
export async function knownModel(
  { queries, models }: Pick<DriftRoutesOptions, 'queries' | 'models'>,
  id: string,
) {
  const model = models.get(id)
  const partitions = await queries.partitions(model.modelId)
  if (partitions.length === 0 && model.task === undefined)
    throw new Problem(
      404,
      'unknown_model',
      `no model ${id} is declared, and none has sent an event`,
    )
  return { model, partitions }
}

async function describeModel(options: DriftRoutesOptions & { past: PastBudgets }, id: string) {
  const { db, queries, now } = options
  const { model, partitions } = await knownModel(options, id)
  const { watermark, idle } = progressOf(partitions, model, now())
  const stored = await queries.referencesOf(model.modelId)
  return {
    model_id: model.modelId,
    task: model.task ?? null,
    ...(await headlines({ db }, model.modelId))(model.modelId).described,
    watermark: Number.isFinite(watermark) ? new Date(watermark).toISOString() : null,
    idle,
    windows: model.windows,
    references: referencesOf(model, stored),
    baseline: await describeBaseline(options, model, stored),
    label_horizon: horizonNow(model, await queries.learnedHorizon(model.modelId)),
    alarms: await verdictFeedbackQueries(db).rate(model.modelId, model.falseAlarmsPerWeek),
    retrain: model.retrain.map(({ name, when, approval }) => ({ name, when, approval })),
  }
}

/** What a model is compared with, how calm it is set, and what other budgets would have done. */
async function describeBaseline(
  { db, past }: DriftRoutesOptions & { past: PastBudgets },
  model: Model,
  stored: readonly StoredReference[],
) {
  const { newest, windows, tried } = await past(model)
  return {
    compared_with: baselineInWords(model, stored, await newestBaseline(db, model.modelId)),
    set_to: calmnessInWords(model, newest, newest && windowAlphaOf(model, newest)),
    tested_windows: windows,
    last_90_days: tried,
  }
}

/** References of the model file and those put over HTTP, with the span of those that are frozen. */
function referencesOf(model: Model, stored: readonly StoredReference[]) {
  const frozen = frozenSpans(stored, model.modelId)
  const put = putReferences(stored, model.modelId)
  const all = { ...put, ...model.references }
  const notes = new Map(stored.map(({ name, note }) => [name, note ?? '']))
  return Object.entries(all).map(([name, reference]) => {
    const span = frozen.get(name)
    return {
      name,
      ...reference,
      ...(reference.kind === 'table' &&
        (notes.get(name) ?? '') !== '' && { note: notes.get(name)! }),
      ...(span && {
        from: new Date(span.start).toISOString(),
        to: new Date(span.end).toISOString(),
      }),
    }
  })
}

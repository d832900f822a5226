/** The report of a model over a period: one page that an auditor can read, keep and print. */
import { createHash } from 'node:crypto'
import { isBaseline, type Model } from '../../../lib/models/model-files.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { Http } from '../../../lib/http/server.ts'
import { answers } from '../../../schemas/http/errors.ts'
import { ModelPath } from '../../../schemas/http/parts.ts'
import { ReportAnswer, ReportQuery } from '../../../schemas/http/pages/report.ts'
import { windowAlphaOf } from '../evaluate/thresholds.ts'
import { baselineInWords, calmnessInWords } from '../plan/baseline-words.ts'
import { summaryOf } from '../plan/episode-history.ts'
import { modelFeatures } from '../queries/at-a-glance.ts'
import { newestBaseline } from '../queries/baselines/tested-windows.ts'
import { readEpisodes } from '../queries/episodes/read-episodes.ts'
import { EVER } from '../queries/known-by.ts'
import { windowMetrics } from '../queries/published-windows.ts'
import {
  newestSpan,
  reportWindows,
  runSteps,
  saidOfEpisodes,
  type ReportQuestion,
} from '../queries/report/read-report.ts'
import { estimatesOf, fairnessOf, performanceOf } from '../report/chosen-values.ts'
import { renderReport } from '../report/render-report.ts'
import type { Capped, ReportData, ReportSettings } from '../report/report-data.ts'
import { REPORT_POLICY } from '../report/style.ts'
import { knowledgeTime, spanBetween } from './asked-times.ts'
import type { DriftRoutesOptions } from './model-routes.ts'
import { pastBudgets, type PastBudgets } from './past-budgets.ts'

type Options = DriftRoutesOptions & { past: PastBudgets }

/** Windows of a report whose beginning nobody names. */
const WINDOWS_UNASKED = 90
const MAX_FEATURES = 50
/** Windows of the small pictures of features. */
const MAX_HISTORY = 30
const MAX_EPISODES = 40
const MAX_STEPS = 100

/** Adds `GET /v1/models/{id}/report`. */
export function reportRoutes(http: Http, parts: DriftRoutesOptions): void {
  const options = { ...parts, past: pastBudgets(parts.db) }
  http.get(
    '/v1/models/:id/report',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'A period of a model as one page to read, print and keep',
        tags: ['models'],
        params: ModelPath,
        querystring: ReportQuery,
        response: { ...answers({}, 404), 200: ReportAnswer },
      },
    },
    async ({ params, query, caller, protocol, host }, reply) => {
      const model = options.models.get(params.id)
      const question = await periodOf(options, model, query)
      const read = await readReport(options, model, question)
      const data = {
        ...read,
        made_for: caller?.isKnown ? caller.id : null,
        page: `${protocol}://${host}/models/${encodeURIComponent(model.modelId)}?from=${read.from}&to=${read.to}`,
      }
      void reply
        .header('content-security-policy', REPORT_POLICY)
        .header('content-disposition', `inline; filename="${fileOf(data)}"`)
        .type('text/html; charset=utf-8')
      return renderReport(data)
    },
  )
}

/** A name for the file, of letters that every system takes. */
const fileOf = ({ model_id: id, from, to }: ReportData) =>
  `report-${id.replaceAll(/[^\w.-]+/g, '_').slice(0, 80)}-${from.slice(0, 10)}-${to.slice(0, 10)}.html`

/** @throws {Problem} 400 for times that are none, 404 where the model has no evaluated window */
async function periodOf(
  { db }: Options,
  { modelId }: Model,
  asked: { from?: string; to?: string; as_of?: string },
): Promise<ReportQuestion> {
  const asOf = knowledgeTime(asked.as_of)
  if (asked.from !== undefined && asked.to !== undefined) {
    const { start, end } = spanBetween('from and to must be RFC 3339 times', asked.from, asked.to)
    return { modelId, from: start, to: end, asOf }
  }
  const before = asked.to === undefined ? EVER : Date.parse(asked.to)
  if (!(before > 0 && before <= EVER))
    throw new Problem(400, 'invalid_request', 'to must be an RFC 3339 time')
  const found = await newestSpan(db, { modelId, to: before, asOf }, WINDOWS_UNASKED)
  if (!found)
    throw new Problem(
      404,
      'no_window',
      `no window of ${modelId.slice(0, 200)} had been evaluated by then`,
    )
  if (asked.from === undefined) return { modelId, ...found, asOf }
  const to = new Date(found.to).toISOString()
  const { start, end } = spanBetween(
    'from must be an RFC 3339 time before the newest window ends',
    asked.from,
    to,
  )
  return { modelId, from: start, to: end, asOf }
}

const iso = (ms: number) => new Date(ms).toISOString()
const capped = <T>(all: readonly T[], most: number): Capped<T> => ({
  shown: all.slice(0, most),
  left_out: Math.max(0, all.length - most),
})

async function readReport(
  options: Options,
  model: Model,
  question: ReportQuestion,
): Promise<Omit<ReportData, 'made_for' | 'page'>> {
  const { db, now } = options
  const { modelId, asOf } = question
  const span = { from: iso(question.from), to: iso(question.to) }
  const baseline = Object.entries(model.references).find(([, one]) => isBaseline(one))?.[0] ?? ''
  const metrics = (family: string, newest: boolean, subject: string | undefined) =>
    windowMetrics(db, {
      modelId,
      ...span,
      family,
      newest,
      subject,
      asOf,
      metric: '',
      sliceKey: '',
      sliceValue: '',
      modelVersion: '',
      variant: '',
    })
  const { windows, left_out: leftOut } = await reportWindows(db, question)
  const { features } = await modelFeatures(db, {
    modelId,
    baseline,
    most: MAX_HISTORY,
    to: span.to,
    asOf,
  })
  const performance = await metrics('performance', false, '')
  return {
    model_id: modelId,
    task: model.task ?? null,
    ...span,
    as_of: asOf === EVER ? null : iso(asOf),
    made_at: iso(now()),
    windows: { shown: windows.toReversed(), left_out: leftOut },
    performance: performanceOf(performance, model.task, baseline),
    estimates: estimatesOf(performance),
    features: capped(features, MAX_FEATURES),
    fairness: fairnessOf(await metrics('fairness', true, undefined)),
    episodes: await episodesOf(options, question),
    runs: capped(await runSteps(db, question), MAX_STEPS),
    settings: await settingsOf(options, model),
  }
}

async function episodesOf(
  { db }: Options,
  { modelId, from, to, asOf }: ReportQuestion,
): Promise<ReportData['episodes']> {
  // One more window may begin an episode at the very end of the span.
  const asked = { modelId, episodeId: '', before: to + 1, after: from, most: 200, asOf }
  const found = await readEpisodes(db, asked)
  const { shown, left_out } = capped(found, MAX_EPISODES)
  const ids = shown.map(({ episode_id: id }) => id)
  const said = Map.groupBy(
    await saidOfEpisodes(db, { modelId, asOf }, ids),
    (one) => one.episode_id,
  )
  return {
    shown: shown.map((episode) => ({
      ...summaryOf(modelId, episode),
      feedback: said.get(episode.episode_id) ?? [],
    })),
    left_out,
  }
}

/** Settings by a list of those that decide what is evaluated: launches may hold addresses. */
async function settingsOf({ db, queries, past }: Options, model: Model): Promise<ReportSettings> {
  const stored = await queries.referencesOf(model.modelId)
  const { newest } = await past(model)
  const inForce = {
    task: model.task ?? null,
    positive_class: model.positiveClass,
    threshold: model.threshold,
    windows: model.windows,
    labels: model.labels,
    references: model.references,
    false_alarms_per_week: model.falseAlarmsPerWeek,
    fixed_lines: model.hasFixedLines,
    overrides: model.overrides,
    fairness: model.fairness,
    slices: model.slices.map(({ key }) => key),
    policies: model.retrain.map(({ name, when, approval }) => ({ name, when, approval })),
    labels_of_alerts: model.ownership.labels,
  }
  return {
    revision: model.revision ?? '',
    in_force: inForce,
    sha256: createHash('sha256').update(JSON.stringify(inForce)).digest('hex'),
    compared_with: baselineInWords(model, stored, await newestBaseline(db, model.modelId)),
    set_to: calmnessInWords(model, newest, newest && windowAlphaOf(model, newest)),
  }
}

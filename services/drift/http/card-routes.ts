/** The card of a model: what its file says, what was measured, what was done, and what is missing. */
import type { Http } from '../../../lib/http/server.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import { CardAnswer, CardQuery } from '../../../schemas/http/cards/model-card.ts'
import { answers } from '../../../schemas/http/errors.ts'
import { ModelPath } from '../../../schemas/http/parts.ts'
import type { ModelReference } from '../../../schemas/model-references.ts'
import type { CardFacts } from '../interop/card/facts.ts'
import { htmlOf, markdownOf } from '../interop/card/render.ts'
import { sectionsOf } from '../interop/card/sections.ts'
import { toolkitOf } from '../interop/card/toolkit.ts'
import { summaryOf } from '../plan/episode-history.ts'
import type { StoredReference } from '../plan/stored-references.ts'
import {
  readActs,
  readDrift,
  readNewestMetrics,
  readTopics,
  readVersions,
} from '../queries/card/read-card.ts'
import { readEpisodes } from '../queries/episodes/read-episodes.ts'
import type { DriftRoutesOptions } from './model-routes.ts'

/** Episodes of one card, the newest. */
const MAX_EPISODES = 50
/** Features that a card names. */
const MAX_FEATURES = 200
/** Alarms that an episode names. */
const MAX_ALARMS = 10
/** Later than any window. */
const EVER = Date.UTC(2298, 0, 1)

type Form = 'markdown' | 'json' | 'html'

/** Adds `GET /v1/models/{id}/card`. */
export function cardRoutes(http: Http, options: DriftRoutesOptions): void {
  http.get(
    '/v1/models/:id/card',
    {
      config: { scope: 'read' },
      schema: {
        summary:
          'The model card: purpose, data, performance by cohort, fairness, drift, incidents, approvals, and what the EU AI Act asks for',
        tags: ['models'],
        params: ModelPath,
        querystring: CardQuery,
        response: { ...answers({}), 200: CardAnswer },
      },
    },
    async ({ params, query, headers }, reply) => {
      const facts = await readFacts(options, params.id)
      const form = query.format ?? formOf(headers.accept)
      const sections = sectionsOf(facts)
      void reply.header('vary', 'accept')
      if (form === 'json') {
        const { made_at } = facts
        return { model_card: toolkitOf(facts), made_at, sections } as never
      }
      const isHtml = form === 'html'
      void reply.type(isHtml ? 'text/html; charset=utf-8' : 'text/markdown; charset=utf-8')
      return (isHtml ? htmlOf : markdownOf)(facts, sections)
    },
  )
}

const FORMS: readonly [string, Form][] = [
  ['application/json', 'json'],
  ['text/html', 'html'],
  ['text/markdown', 'markdown'],
]

/** The form that `Accept` names first; JSON where it names none. */
function formOf(accept = ''): Form {
  const named = FORMS.map(([type, form]) => ({ at: accept.indexOf(type), form })).filter(
    ({ at }) => at >= 0,
  )
  return named.toSorted((a, b) => a.at - b.at)[0]?.form ?? 'json'
}

async function readFacts(
  { db, queries, models, now }: DriftRoutesOptions,
  id: string,
): Promise<CardFacts> {
  const model = models.get(id)
  const stored = await queries.referencesOf(id)
  const drift = await readDrift(db, id)
  const performance = await readNewestMetrics(db, id, 'performance')
  const fairness = await readNewestMetrics(db, id, 'fairness')
  const question = { modelId: id, episodeId: '', before: EVER, asOf: EVER, most: MAX_EPISODES }
  const episodes = await readEpisodes(db, question)
  return {
    ...declaredFacts(model, stored),
    made_at: new Date(now()).toISOString(),
    topics: await readTopics(db, id),
    versions: await readVersions(db, id),
    evaluated_windows: drift.windows,
    last_window_end: drift.newest[0]?.window_end ?? null,
    performance_window: performance.window,
    performance: performance.metrics,
    fairness_window: fairness.window,
    fairness: fairness.metrics,
    drift: drift.newest,
    episodes: episodes.map((one) => {
      const { episode, until, severity, ended, alarms } = summaryOf(id, one)
      const named = alarms.slice(0, MAX_ALARMS).map((what) => {
        const subject = what.subject === '' ? '' : ` of ${what.subject}`
        return `${what.family}.${what.metric}${subject}`
      })
      const more = alarms.length - named.length
      return {
        episode,
        until,
        severity,
        ended,
        alarms: more > 0 ? [...named, `${more} more`] : named,
      }
    }),
    acts: await readActs(db, id),
  }
}

/** What the model file says, and what was put over HTTP. */
function declaredFacts(model: Model, stored: readonly StoredReference[]) {
  const { ownership, windows, privacy, retention, retrain, fairness } = model
  const declared = Object.entries(model.references)
  const put = stored.filter(({ name }) => !(name in model.references))
  return {
    model_id: model.modelId,
    task: model.task,
    labels: ownership.labels,
    runbook_url: ownership.runbookUrl,
    card: model.card,
    revision: model.revision,
    windows: { size: windows.size, min_count: windows.min_count },
    features: Object.entries(model.features)
      .slice(0, MAX_FEATURES)
      .map(([name, kind]) => `${name} (${kind})`),
    references: [
      ...declared.map(([name, reference]) => ({
        name,
        kind: reference.kind,
        says: wordsOf(reference),
      })),
      ...put.map(({ name, kind, revision, note = '' }) => ({
        name,
        kind,
        says: `put over HTTP, revision ${revision}${note === '' ? '' : `: ${note}`}`,
      })),
    ],
    privacy: Object.entries(privacy ?? {}).map(([how, what]) => `${how} ${JSON.stringify(what)}`),
    retention: { predictions: retention?.predictions, labels: retention?.labels },
    policies: retrain.map(({ name, when, approval }) => ({ name, when, approval })),
    expectations: model.expectations.length,
    protected_attributes: Object.keys(fairness.attributes),
  }
}

/** What a reference of the model file says of itself, apart from its kind. */
const wordsOf = ({ kind: _kind, ...more }: ModelReference): string =>
  Object.entries(more)
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ')

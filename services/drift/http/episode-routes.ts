/** Alert episodes: which there were, what one is about, and what people say of it. */
import type { Http } from '../../../lib/http/server.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import {
  clauseOf,
  ofWhole,
  rankedAlarms,
  scoreMoveOf,
} from '../../../lib/models/alarm-sentences.ts'
import { windowMs, type Window } from '../../../lib/models/windows.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import {
  EpisodeAnswer,
  EpisodePath,
  EpisodeQuery,
  EpisodesAnswer,
  EpisodesQuery,
  type AcceptPreview,
  type EpisodeAlarm,
} from '../../../schemas/http/episodes.ts'
import { answers } from '../../../schemas/http/errors.ts'
import { ModelPath } from '../../../schemas/http/parts.ts'
import { ALL } from '../data/cohort.ts'
import {
  episodeIdOf,
  joinedSpans,
  previewInWords,
  similarTo,
  summaryOf,
  type KnownEpisode,
} from '../plan/episode-history.ts'
import { referencesFor, type ReferenceSpans } from '../plan/references.ts'
import { answeredVerdicts } from '../queries/episodes/answered-verdicts.ts'
import {
  episodeFeedback,
  episodePerformance,
  episodeResults,
  episodeRuns,
  episodeWindows,
  type EvidenceQuestion,
} from '../queries/episodes/read-evidence.ts'
import { readEpisodes } from '../queries/episodes/read-episodes.ts'
import { EVER } from '../queries/known-by.ts'
import { presentEvents, totalsOf } from '../queries/event-totals.ts'
import { knowledgeTime } from './asked-times.ts'
import { knownPast } from './known-past.ts'
import type { DriftRoutesOptions } from './model-routes.ts'

type Options = Pick<DriftRoutesOptions, 'db' | 'queries' | 'models'>

/** Earlier episodes that similar ones are sought among. */
const MAX_EARLIER = 200
/** Alarms that a headline names. */
const MAX_NAMED = 3

/** Registers `GET /v1/models/{id}/episodes` and `GET /v1/models/{id}/episodes/{episode}`. */
export function episodeRoutes(http: Http, options: Options): void {
  const config = { scope: 'read' as const }
  const tags = ['verdicts']
  http.get(
    '/v1/models/:id/episodes',
    {
      config,
      schema: {
        summary: 'Alert episodes, the newest first, and how each ended',
        tags,
        params: ModelPath,
        querystring: EpisodesQuery,
        response: answers({ 200: EpisodesAnswer }),
      },
    },
    async ({ params: { id }, query }) => {
      const asOf = knowledgeTime(query.as_of)
      const question = { modelId: id, episodeId: '', before: EVER, most: query.limit, asOf }
      const found = await readEpisodes(options.db, question)
      return { model_id: id, episodes: found.map((episode) => summaryOf(id, episode)) }
    },
  )
  http.get(
    '/v1/models/:id/episodes/:episode',
    {
      config,
      schema: {
        summary: 'One alert episode: what it rests on, what it did, what was done, what is alike',
        tags,
        params: EpisodePath,
        querystring: EpisodeQuery,
        response: answers({ 200: EpisodeAnswer }, 404),
      },
    },
    async ({ params, query }) => describeEpisode(options, params, knowledgeTime(query.as_of)),
  )
}

/**
 * Reads an episode by the end of its first window.
 *
 * @throws {Problem} 400 where that is no time, 404 where the model has no such episode
 */
export async function foundEpisode(
  db: Options['db'],
  { id, episode }: { id: string; episode: string },
  asOf = EVER,
): Promise<{ known: KnownEpisode; question: EvidenceQuestion }> {
  const firstEnd = Date.parse(episode)
  if (!(firstEnd > 0 && firstEnd < EVER))
    throw new Problem(
      400,
      'invalid_request',
      'episode must be the end of its first window, an RFC 3339 time',
    )
  const episodeId = episodeIdOf(id, firstEnd)
  const [known] = await readEpisodes(db, { modelId: id, episodeId, before: EVER, most: 1, asOf })
  if (!known)
    throw new Problem(
      404,
      'unknown_episode',
      `there is no alert episode ${episodeId.slice(0, 250)}`,
    )
  const from = Date.parse(known.window_start)
  return { known, question: { modelId: id, episodeId, from, to: Date.parse(known.until), asOf } }
}

async function describeEpisode(
  options: Options,
  path: { id: string; episode: string },
  asOf: number,
) {
  const { db } = options
  const { known, question } = await foundEpisode(db, path, asOf)
  const evidence = await episodeWindows(db, question)
  // A long episode is read by its newest windows: what is read is bounded.
  const from = Date.parse(evidence[0]?.window_start ?? known.window_start)
  const newest = { ...question, from }
  const results = (await episodeResults(db, newest)).map(withScoreMove)
  const earlier = await readEpisodes(db, {
    modelId: path.id,
    episodeId: '',
    before: Date.parse(known.first_end),
    most: MAX_EARLIER,
    asOf,
  })
  return {
    model_id: path.id,
    ...summaryOf(path.id, known),
    headline: headlineOf(results),
    evidence,
    results,
    performance: await episodePerformance(db, newest),
    feedback: await episodeFeedback(db, question),
    runs: await episodeRuns(db, { ...question, computedAt: known.computed_at }),
    similar: similarTo(
      known,
      earlier.map((episode) => summaryOf(path.id, episode)),
    ),
    accept: await preview(options, options.models.get(path.id), question),
  }
}

function withScoreMove(row: Omit<EpisodeAlarm, 'score_moved' | 'score_moved_alone'>): EpisodeAlarm {
  const move = scoreMoveOf(row.reason)
  return { ...row, score_moved_alone: move?.alone ?? null, score_moved: move?.all ?? null }
}

/** What alarms of the model as a whole, else in cohorts, else what warns. */
function headlineOf(results: readonly EpisodeAlarm[]): string {
  const alarms = results.filter(({ severity }) => severity === 'alarm')
  const ofModel = alarms.filter(
    ({ model_version: version, variant }) => version === '' && variant === '',
  )
  const candidates = [ofWhole(ofModel), alarms, results]
  const ranked = rankedAlarms(candidates.find((some) => some.length > 0) ?? [])
  const left = ranked.length - MAX_NAMED
  return `${ranked.slice(0, MAX_NAMED).map(clauseOf).join('; ')}${left > 0 ? `; and ${left} more` : ''}`
}

/** What would join the baseline of the next window if the whole episode were accepted. */
async function preview(
  options: Options,
  model: Model,
  question: EvidenceQuestion,
): Promise<AcceptPreview> {
  const { db } = options
  const verdicts = await answeredVerdicts(db, question, false)
  const own = new Map<string, Window>(
    verdicts.map(({ window_start: from, window_end: to }) => [
      `${from}/${to}`,
      { start: Date.parse(from), end: Date.parse(to) },
    ]),
  )
  const past = await knownPast(options, model)
  const next = { start: question.to, end: question.to + windowMs(model.windows) }
  const baselineWith = (accepted: readonly Window[]) =>
    referencesFor(next, model, { ...past, accepted }).find(({ baseline }) => baseline)
  const now = baselineWith(past.accepted)
  const then = baselineWith([...past.accepted, ...own.values()])
  const joined = joinedSpans(now?.spans ?? [], then?.spans ?? [])
  const found = {
    windows: joined.length,
    from: isoOf(joined.toSorted((a, b) => a.start - b.start)[0]?.start),
    to: isoOf(joined.toSorted((a, b) => b.end - a.end)[0]?.end),
    events: await eventsOf(db, question.modelId, joined),
    baseline: now?.name ?? null,
    baseline_spans: now?.spans.length ?? 0,
    baseline_events: now ? await eventsOfReference(db, question.modelId, now) : 0,
  }
  return { ...found, says: previewInWords(found) }
}

const isoOf = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString())

const eventsOfReference = (
  db: Options['db'],
  modelId: string,
  { countedAs, spans, modelVersion }: ReferenceSpans,
) => eventsOf(db, countedAs ?? modelId, spans, modelVersion)

async function eventsOf(
  db: Options['db'],
  modelId: string,
  spans: readonly Window[],
  modelVersion = '',
): Promise<number> {
  if (spans.length === 0) return 0
  const [present] = await presentEvents(db, [{ modelId, spans }])
  return totalsOf(present!, { ...ALL, modelVersion }).events
}

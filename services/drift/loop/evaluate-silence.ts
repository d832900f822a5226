/**
 * Evaluates a window of a live model in which no event came: throughput by what is usual,
 * everything else as unknown.
 */
import { ALL, keyOf } from '../data/cohort.ts'
import { evaluateThroughput, silentResults } from '../evaluate/silence/throughput.ts'
import { windowAlphaOf } from '../evaluate/thresholds.ts'
import { episodeOf, worstOf } from '../plan/episodes.ts'
import { seasonOf, usualWindows } from '../plan/silence.ts'
import { windowHeadline } from '../publish/headline.ts'
import { changedResults } from '../publish/rows.ts'
import type { EvaluationParts, WindowOutcome } from './evaluate-window.ts'
import type { WindowQuestion } from './window-input.ts'

/**
 * Publishes one revision of a window without events, for the model as a whole.
 *
 * @throws what ClickHouse or the log throws
 */
export async function evaluateSilence(
  { queries, model, steps, state, write, gauges, now }: EvaluationParts,
  { due, earlierWindows }: WindowQuestion,
): Promise<WindowOutcome> {
  const { modelId } = model
  const window = { start: due.start, end: due.end }
  const earlier = (await queries.latestResults({ modelId, window })).get(keyOf(ALL))
  const last = earlierWindows.findLast(({ end }) => end < due.end)
  const published = last
    ? (await queries.latestResults({ modelId, window: { start: last.start, end: last.end } })).get(
        keyOf(ALL),
      )
    : undefined
  const silentSince = steps.findLast(({ events, step }) => events > 0 && step < due.start)!.step
  const results = [
    evaluateThroughput(0, 0, {
      usual: usualWindows(window, earlierWindows, seasonOf(model)).map(({ events }) => events),
      windowAlpha: windowAlphaOf(model, window),
      windowMs: due.end - due.start,
      silentSince,
      lastOf: due.lastOf,
    }),
    ...silentResults(published?.results.values() ?? [], silentSince),
  ]
  const worst = worstOf(results)
  const key = {
    modelId,
    cohort: ALL,
    window,
    revision: (earlier?.revision ?? 0) + 1,
    episode: episodeOf(due, worst, modelId, earlierWindows),
    policyRevision: model.revision,
    referenceRevisions: new Map<string, number>(),
    computedAt: now(),
  }
  const before = earlier?.results ?? new Map()
  const headline = windowHeadline([{ cohort: ALL, window, results }])
  await write({ model, due, worst, alarmed: false, headline }, [
    { key, changed: changedResults(results, before), before },
  ])
  gauges.show(key, results, state.snoozed)
  return { alarmed: false, worst, episode: key.episode }
}

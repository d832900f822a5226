/**
 * Evaluates one due window: 1. read it; for each cohort 2. read its input, 3. evaluate, 4. follow
 * up exactly; 5. read again what has changed meanwhile; 6. publish.
 */
import type { Row } from '../../../lib/clickhouse/port.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { ALL, keyOf, type Cohort, referenceCohort } from '../data/cohort.ts'
import { isSkew, type MetricResult } from '../data/metric-results.ts'
import type { Drawn } from '../data/reference.ts'
import type { WindowInput } from '../data/window-input.ts'
import { ENDED, endedResults } from '../evaluate/silence/ended.ts'
import { evaluateLabelled } from '../evaluate/labelled-window.ts'
import { isOfSender } from '../evaluate/silence/senders.ts'
import { evaluateWindow as metricsOf } from '../evaluate/window.ts'
import { episodeOf, worstOf } from '../plan/episodes.ts'
import type { PastWindow } from '../plan/learning.ts'
import { exampleRows } from '../publish/example-rows.ts'
import type { Gauges } from '../publish/prometheus-gauges.ts'
import type { Revision, WriteRevisions } from '../publish/revisions.ts'
import { windowHeadline } from '../publish/headline.ts'
import { changedResults } from '../publish/rows.ts'
import { withoutBlindOk } from '../evaluate/settle/settled-drift.ts'
import { answersBeside } from './exact-followups.ts'
import type { ModelState } from './model-state.ts'
import { feedbackEvaluator } from './feedback-results.ts'
import { comparedSpans, ofOneState } from './reading/one-state.ts'
import { policyResults, searchResults } from './search-results.ts'
import { wholeResults } from './whole-results.ts'
import { keepsExamples, readExamples, readViolations } from './window-examples.ts'
import { senderResults } from './sender-results.ts'
import {
  readCohort,
  readWindow,
  publishedResults,
  type WindowQuestion,
  type WindowReaderParts,
  type WindowReading,
} from './window-input.ts'

/** What evaluating a window needs: how it is read, written and exported. */
export interface EvaluationParts extends WindowReaderParts {
  write: WriteRevisions
  gauges: Pick<Gauges, 'show'>
  now: () => number
}

/** What an evaluation leaves for the windows after it. */
export type WindowOutcome = Pick<PastWindow, 'alarmed' | 'worst' | 'episode'>

/** One cohort's results, and the revision that will hold them. */
type CohortResults = Revision & { metricResults: MetricResult[] }

/** What was read and evaluated of a window. */
interface Evaluated {
  results: CohortResults[]
  examples: readonly Row[]
  /** What it was compared with. */
  spans: readonly Window[]
}

/**
 * Evaluates all cohorts of a window and publishes one revision of it, of facts that were true
 * together. @throws what ClickHouse or the log throws
 */
export async function evaluateWindow(
  parts: EvaluationParts,
  asked: WindowQuestion,
): Promise<WindowOutcome> {
  const { found, question } = await ofOneState(parts, asked, evaluateCohorts)
  return publish(parts, question, found)
}

/** Reads and evaluates all cohorts of a window. */
async function evaluateCohorts(
  parts: EvaluationParts,
  question: WindowQuestion,
): Promise<Evaluated> {
  const reading = await readWindow(parts, question)
  const followUp = followUpOf(parts, reading)
  const { start, end, changes } = question.due
  const feedbackOf = await feedbackEvaluator({
    queries: parts.queries,
    model: parts.model,
    window: { start, end },
    cohorts: reading.cohorts,
    hasLabels: changes > 0,
  })
  const isAsked = publishedResults(reading, parts.state, ALL) === undefined
  const violationsOf = await readViolations(parts, reading, isAsked)
  const served = parts.state.active.size > 0 ? servedUpTo(question) : []
  const results: CohortResults[] = []
  let drawn: readonly Drawn[] = []
  for (const c of reading.cohorts) {
    const input = { ...(await readCohort(parts, reading, c)), violations: violationsOf(c) }
    if (c === ALL) drawn = input.rows
    const metricResults = await evaluateCohort(parts, reading, { c, input, followUp })
    const feedback = await feedbackOf(c, input)
    const senders = c === ALL ? await senderResults(parts, question, reading) : []
    const ofLabels =
      keyOf(c) === keyOf(ALL)
        ? [
            ...(await searchResults(parts, reading, input)),
            ...(await policyResults(parts, reading, input)),
          ]
        : []
    const known = [...metricResults, ...senders, ...feedback, ...ofLabels]
    const ended = endedResults(parts.state.active.get(keyOf(c)) ?? [], known, served)
    results.push(resultsOf(parts, reading, c, [...known, ...ended]))
  }
  const [ofAll] = results
  const examples =
    isAsked && keepsExamples(parts.model)
      ? exampleRows(await readExamples(parts, reading, ofAll!.metricResults, drawn), ofAll!.key)
      : []
  return { results, examples, spans: comparedSpans(reading) }
}

/** Ends of the windows with events up to one, ascending, its own the last. */
const servedUpTo = ({ due, earlierWindows }: WindowQuestion) => [
  ...earlierWindows.filter(({ end, events }) => end < due.end && events > 0).map(({ end }) => end),
  due.end,
]

type FollowUp = ReturnType<typeof answersBeside>

/** Exact follow-ups from rows; an uploaded baseline has none. */
function followUpOf(
  { queries, model }: EvaluationParts,
  { baseline, baselineSpans, learning }: WindowReading,
): FollowUp | undefined {
  if (!baseline || !baselineSpans) return undefined
  // While the baseline is being learned nothing is decided but by shorter windows.
  if (learning && !baseline.shorter) return undefined
  if (baselineSpans.countedAs !== undefined) return undefined
  return answersBeside(queries, model, {
    spans: baseline.spans,
    cohort: referenceCohort(baselineSpans, ALL),
    events: baseline.counts.events,
  })
}

/**
 * Metrics and verdicts of a cohort; those of its inputs are taken over where only ground truth has
 * changed.
 */
async function evaluateCohort(
  parts: EvaluationParts,
  reading: WindowReading,
  { c, input, followUp }: { c: Cohort; input: WindowInput; followUp: FollowUp | undefined },
): Promise<MetricResult[]> {
  const { model, state } = parts
  const stands = publishedResults(reading, state, c)
  if (stands)
    return [...[...stands.results.values()].filter(isOfInputs), ...evaluateLabelled(input, model)]
  const metricResults = [
    ...metricsOf(input, model),
    ...(keyOf(c) === keyOf(ALL) ? await wholeResults(parts, reading, input) : []),
  ]
  // Slices are answered by the whole.
  if (!followUp || c.slice) return withoutBlindOk(metricResults)
  const { window, counts } = input
  return withoutBlindOk(
    await followUp(metricResults, { spans: [window], cohort: c, events: counts.events }),
  )
}

const isOfInputs = (result: MetricResult) =>
  (result.family === 'drift' || result.family === 'quality' || result.family === 'operations') &&
  !isOfSender(result)

function resultsOf(
  { model, now }: EvaluationParts,
  { due, earlier, spans }: WindowReading,
  c: Cohort,
  metricResults: MetricResult[],
): CohortResults {
  const before = earlier.get(keyOf(c))
  return {
    key: {
      modelId: model.modelId,
      cohort: c,
      window: { start: due.start, end: due.end },
      revision: (before?.revision ?? 0) + 1,
      episode: '',
      policyRevision: model.revision,
      referenceRevisions: new Map(spans.map(({ name, revision }) => [name, revision])),
      referenceKinds: new Map(spans.map(({ name, kind }) => [name, kind])),
      computedAt: now(),
    },
    metricResults,
    changed: changedResults(metricResults, before?.results ?? new Map()),
    before: before?.results ?? new Map(),
  }
}

/** Writes the revision of a window, then shows it to Prometheus. */
async function publish(
  { model, state, write, gauges }: EvaluationParts,
  { due, earlierWindows }: WindowQuestion,
  { results, examples }: Evaluated,
): Promise<WindowOutcome> {
  const ofAll = results[0]!.metricResults
  const worst = worstOf(ofAll)
  const episode = episodeOf(due, worst, model.modelId, earlierWindows)
  for (const { key } of results) key.episode = episode
  // A window that is like production's past may be one of it, however unlike a table it is.
  const alarmed = ofAll.some(
    (result) => result.family === 'drift' && result.verdict === 'alarm' && !isSkew(result),
  )
  const headline = windowHeadline(
    results.map(({ key: { cohort, window }, metricResults }) => ({
      cohort,
      window,
      results: metricResults,
    })),
  )
  await write({ model, due, worst, alarmed, headline, examples }, results)
  for (const { key, metricResults } of results) {
    gauges.show(key, metricResults, state.snoozed)
    forgetEnded(state.active, keyOf(key.cohort), metricResults)
  }
  return { alarmed, worst, episode }
}

/** What has ended must not be written as ended by the next window again. */
function forgetEnded(
  active: ModelState['active'],
  cohort: string,
  results: readonly MetricResult[],
): void {
  const ended = results.filter(({ reason }) => reason.startsWith(ENDED))
  if (ended.length === 0) return
  const kept = (active.get(cohort) ?? []).filter(
    (alarm) =>
      !ended.some(
        ({ family, metric, subject }) =>
          family === alarm.family && metric === alarm.metric && subject === alarm.subject,
      ),
  )
  active.set(cohort, kept)
}

/** Reads named labels of a window once for all cohorts, and evaluates them cohort by cohort. */
import type { Model } from '../../../lib/models/model-files.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { ALL, keyOf, type Cohort } from '../data/cohort.ts'
import type { MetricResult } from '../data/metric-results.ts'
import type { NamedLabels, NamedLabelsOfCohort } from '../data/named-labels.ts'
import { corpusResults } from '../evaluate/feedback/corpus-scores.ts'
import { evaluateFeedback } from '../evaluate/feedback/feedback.ts'
import { summedScores, type ScoredAnswer } from '../evaluate/feedback/reference-scores.ts'
import {
  calledLikeScores,
  leftOutReason,
  leftOutResults,
} from '../evaluate/feedback/score-names.ts'
import type { WindowInput } from '../data/window-input.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import { scoresOfWindow, type ScoresQuestion, type WindowScores } from './reference-scores.ts'

type Named = ReadonlyMap<string, NamedLabelsOfCohort>

/** What a window's named labels are read for. */
export interface FeedbackQuestion {
  queries: Pick<DriftQueries, 'namedLabels' | 'namedLabelsOfSlice'> & ScoresQuestion['queries']
  model: Model
  window: Window
  cohorts: readonly Cohort[]
  /** Whether any label of the window has come. */
  hasLabels: boolean
}

/** Evaluates the named labels of one cohort. */
export type FeedbackEvaluator = (c: Cohort, input: WindowInput) => Promise<MetricResult[]>

/**
 * Reads with one statement for all names and all cohorts without a slice, and with one for each
 * slice; with none where the window has no label, and with none for slices where it has no named
 * one.
 */
export async function feedbackEvaluator(question: FeedbackQuestion): Promise<FeedbackEvaluator> {
  const { queries, model, window, hasLabels } = question
  const of = { modelId: model.modelId, window }
  const unsliced: Named = hasLabels ? await queries.namedLabels(of) : new Map()
  const scores = await scoresOfWindow(question)
  const scoresFor = async (c: Cohort) => (scores ? scores.of(c) : [])
  if (unsliced.size === 0 && !scores) return async () => []
  const whole = withScores(unsliced.get(keyOf(ALL)), scores, await scoresFor(ALL))
  const slices = new Map<string, Promise<Named>>()
  return async (c, input) => {
    const named = c.slice
      ? unsliced.size > 0
        ? (await sliceOf(question, slices, c.slice.key)).get(c.slice.value)
        : undefined
      : unsliced.get(keyOf(c))
    const scored = await scoresFor(c)
    const results = evaluateFeedback(
      {
        window,
        named: withScores(named, scores, scored),
        whole,
        predictions: input.counts.events,
        baseline: input.references.find((reference) => reference.baseline),
        learning: input.learning,
        levels: input.levels,
        cohorts: input.cohorts,
        maturity: input.maturity,
      },
      model,
    )
    if (!scores) return results
    const hidden = calledLikeScores(named, scores.subjects)
    return [
      ...toldOfScores(results, scores, hidden, c),
      ...corpusResults(results, scored),
      ...leftOutResults(hidden, input.counts.events),
    ]
  }
}

/** Labels of a cohort with the scores of its answers; labels that are texts are no classes. */
function withScores(
  named: NamedLabelsOfCohort | undefined,
  scores: WindowScores | undefined,
  scored: readonly ScoredAnswer[],
): NamedLabelsOfCohort | undefined {
  if (!scores) return named
  const isOther = ({ name }: NamedLabels) => !scores.texts.has(name) && !scores.subjects.has(name)
  const read = named?.read.filter(isOther) ?? []
  const left = (named?.read.length ?? 0) - read.length
  const own = summedScores(scored)
  const names = (named?.names ?? 0) - left + own.length
  return names > 0 ? { names, read: [...read, ...own] } : undefined
}

/**
 * What was left out of each score, labels that are called like it included; its coverage is that of
 * the labels.
 */
function toldOfScores(
  results: readonly MetricResult[],
  { subjects, reasonOf, unknown }: WindowScores,
  hidden: readonly NamedLabels[],
  c: Cohort,
): MetricResult[] {
  return [
    ...results
      .filter(({ metric, subject }) => metric !== 'label_coverage' || !subjects.has(subject))
      .map((result) => {
        const alike = hidden.filter(({ name }) => name === result.subject).map(leftOutReason)
        const reason = [result.reason, reasonOf(result.subject), ...alike]
          .filter(Boolean)
          .join('; ')
        return result.metric === 'mean' ? { ...result, reason } : result
      }),
    ...(keyOf(c) === keyOf(ALL) ? unknown : []),
  ]
}

function sliceOf(
  { queries, model, window, cohorts }: FeedbackQuestion,
  slices: Map<string, Promise<Named>>,
  key: string,
): Promise<Named> {
  let read = slices.get(key)
  if (!read) {
    const own = cohorts.flatMap(({ slice }) => (slice?.key === key ? [slice] : []))
    read = queries.namedLabelsOfSlice({ modelId: model.modelId, window }, own)
    slices.set(key, read)
  }
  return read
}

/** Everything that evaluating one window needs, read from ClickHouse: nothing here decides. */
import type { Model } from '../../../lib/models/model-files.ts'
import { ALL, keyOf, type Cohort, referenceCohort } from '../data/cohort.ts'
import { asDeclared } from '../data/declared-features.ts'
import { levelHistory, type EarlyLabels } from '../data/past-metrics.ts'
import { notOverlapping } from '../data/past-shifts.ts'
import type { ReferenceData } from '../data/reference.ts'
import { noOutcomes, type GroupCounts, type WindowCounts } from '../data/window-data.ts'
import { fairnessAttributes } from '../evaluate/fairness/fairness.ts'
import { withTable } from '../evaluate/learning.ts'
import type { Learning, WindowInput } from '../data/window-input.ts'
import type { Due, StepCount } from '../plan/due-windows.ts'
import { learningLength } from '../plan/baseline-words.ts'
import { learningAt, type LearningState, type PastWindow } from '../plan/learning.ts'
import { referencesFor, type ReferenceSpans } from '../plan/references.ts'
import { seasonOf, usualWindows, type CountedWindow } from '../plan/silence.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import type { Present } from '../queries/event-totals.ts'
import { impliesLabels } from '../queries/outcomes/labelled-outcomes.ts'
import { truthReader, type TruthReader } from '../queries/outcomes/read-once.ts'
import type { PastAnswers } from '../queries/past-queries.ts'
import type { PublishedResults } from '../queries/published-results.ts'
import type { referenceReader } from './load-reference.ts'
import type { ModelState } from './model-state.ts'
import { readEarlyLabels, readPast } from './reading/past.ts'

/** What reads for one model in one pass. */
export interface WindowReaderParts {
  queries: DriftQueries
  references: ReturnType<typeof referenceReader>
  model: Model
  /** The model's time buckets with events, ascending. */
  steps: readonly StepCount[]
  state: ModelState
}

/** What is read of a window once, for all its cohorts. */
export interface WindowReading {
  due: Due
  cohorts: readonly Cohort[]
  /** Events of the window by version and variant. */
  present: readonly Present[]
  /** What earlier evaluations published, by cohort. */
  earlier: ReadonlyMap<string, PublishedResults>
  completeness: number | null
  /** Spans of the references, and what they hold for all predictions, in the same order. */
  spans: readonly ReferenceSpans[]
  references: readonly ReferenceData[]
  /** The reference that verdicts come from, and its spans. */
  baseline: ReferenceData | undefined
  baselineSpans: ReferenceSpans | undefined
  /** While the baseline is being learned, with the windows before a promoted version. */
  learning: Learning | undefined
  past: PastAnswers
  /** Early labels by cohort, in a window some of whose labels are still to come. */
  earlyLabels: ReadonlyMap<string, EarlyLabels> | undefined
  /** The windows before that say how many events are usual, of a live model. */
  usual: readonly CountedWindow[] | undefined
  /**
   * Predictions before this instant have had the label horizon; 0 where a missing label means
   * nothing.
   */
  impliedUntil: number
  outcomesOf: TruthReader
  /** Counts of cohorts without a slice, by cohort. */
  counts: ReadonlyMap<string, WindowCounts>
}

/** The window that is read, and what was evaluated before it. */
export interface WindowQuestion {
  due: Due
  /** Windows evaluated before, ascending by end. */
  earlierWindows: readonly PastWindow[]
  /**
   * This process has evaluated all that was due: a window that is new has no results that a crash
   * cut off.
   */
  isWhole: boolean
}

/** Reads what all cohorts of a window have in common. */
export async function readWindow(
  parts: WindowReaderParts,
  { due, earlierWindows, isWhole }: WindowQuestion,
): Promise<WindowReading> {
  const { queries, model, state } = parts
  const { modelId } = model
  const window = { start: due.start, end: due.end }
  const present = await queries.present({ modelId, spans: [window] })
  const cohorts = await queries.cohorts(present, {
    modelId,
    window,
    slices: model.slices,
    most: model.cohorts.values,
  })
  const earlier =
    due.previous || !isWhole
      ? await queries.latestResults({ modelId, window })
      : new Map<string, PublishedResults>()
  const outcomesOf = truthReader(queries, model, cohorts, window)
  const completeness = state.isProducing ? await queries.completeness(modelId, window) : null
  const known = { ...state, windows: earlierWindows }
  const spans = referencesFor(window, model, known)
  const learningState = learningAt(window, model, known)
  const ofAll = { spans, outcomesOf, learning: learningState }
  const references = await readReferences(parts, ofAll, ALL)
  const learning = withTable(await readLearning(parts, learningState, outcomesOf), references)
  const baseline = references.find((reference) => reference.baseline)
  const reading = {
    due,
    cohorts,
    present,
    earlier,
    completeness,
    spans,
    references,
    baseline,
    baselineSpans: spans.find((known) => known.baseline),
    learning,
    past: await readPast(queries, {
      modelId,
      window,
      baseline: learning?.before ?? baseline,
      earlierWindows,
    }),
    earlyLabels: await readEarlyLabels(queries, { modelId, due, earlierWindows, cohorts }),
    usual: state.isLive ? usualWindows(window, earlierWindows, seasonOf(model)) : undefined,
    // A missing label means nothing yet in a window some of whose predictions are young.
    impliedUntil: impliesLabels(model) && due.maturity === 1 ? state.completeUntil : 0,
    outcomesOf,
  }
  // Asked together, counts of versions and variants are read together.
  const counts = await Promise.all(
    cohorts
      .filter(({ slice }) => !slice)
      .map(async (c) => [keyOf(c), await readCounts(parts, reading, c)] as const),
  )
  return { ...reading, counts: new Map(counts) }
}

/** Spans that a question is about, without the cohort it is for. */
type ReferenceQuestion = Pick<WindowReading, 'spans' | 'outcomesOf'> & {
  learning: Pick<Learning, 'shorter'> | undefined
}

/** What the references hold for a cohort, in the order of their spans. */
async function readReferences(
  { references, model, steps, state }: WindowReaderParts,
  { spans, outcomesOf, learning }: ReferenceQuestion,
  c: Cohort,
): Promise<ReferenceData[]> {
  const found: ReferenceData[] = []
  for (const reference of spans) {
    // Uploaded predictions have counts and no rows: slices have none.
    if (c.slice && reference.kind === 'uploaded') continue
    const scope = referenceCohort(reference, c)
    const shorter = reference.baseline ? learning?.shorter : undefined
    const asked = { scope, completeUntil: state.completeUntil, outcomesOf, shorter }
    found.push(await references.data(model, reference, steps, asked))
  }
  return found
}

/** The windows before a promoted version, as a baseline of its performance. */
async function readLearning(
  { references, model, steps, state }: WindowReaderParts,
  learning: LearningState | undefined,
  outcomesOf: TruthReader,
): Promise<Learning | undefined> {
  if (!learning) return undefined
  const hint = learningLength(model)
  if (!learning.before) return { ...learning, before: undefined, hint }
  const kind = 'trailing' as const
  const reference = { ...learning.before, kind, baseline: true, revision: 1 }
  const asked = { scope: ALL, completeUntil: state.completeUntil, outcomesOf }
  return { ...learning, before: await references.data(model, reference, steps, asked) }
}

/**
 * What was published of a cohort, where only its ground truth has changed since: then what was said
 * of its inputs still holds.
 */
export function publishedResults(
  { due, earlier }: Pick<WindowReading, 'due' | 'earlier'>,
  { hasLateAttributes }: Pick<ModelState, 'hasLateAttributes'>,
  c: Cohort,
): PublishedResults | undefined {
  const before = earlier.get(keyOf(c))
  const isSame = due.previous?.events === due.events
  const mayChange = c.slice !== undefined && hasLateAttributes
  return before && before.results.size > 0 && isSame && !mayChange ? before : undefined
}

/** Counts of a cohort; its totals alone where its inputs need not be evaluated again. */
function readCounts(
  { queries, model, state }: WindowReaderParts,
  reading: Pick<WindowReading, 'due' | 'earlier' | 'present'>,
  c: Cohort,
): Promise<WindowCounts> {
  const window = { start: reading.due.start, end: reading.due.end }
  return publishedResults(reading, state, c)
    ? queries.eventCounts(model.modelId, [window], c, reading.present)
    : queries.counts(model.modelId, [window], c, reading.present)
}

/** Reads what evaluating one cohort of a window needs. */
export async function readCohort(
  parts: WindowReaderParts,
  reading: WindowReading,
  c: Cohort,
): Promise<WindowInput> {
  const { queries, references, model, state } = parts
  const { due, baseline, baselineSpans, learning, past, impliedUntil } = reading
  const window = { start: due.start, end: due.end }
  const stands = publishedResults(reading, state, c) !== undefined
  const counted = reading.counts.get(keyOf(c)) ?? (await readCounts(parts, reading, c))
  const counts = stands ? counted : asDeclared(counted, model)
  const outcomes =
    due.changes === 0 && impliedUntil === 0
      ? noOutcomes(counts.events)
      : await reading.outcomesOf([window], c, {
          predictions: counts.events,
          completeUntil: impliedUntil,
        })
  // What reads raw rows is made for the model as a whole.
  const isWhole = keyOf(c) === keyOf(ALL)
  return {
    counts,
    outcomes,
    scores: await readScores(parts, reading, {
      c,
      isAsked: isWhole && (stands || hasScore(counts)),
    }),
    pastErrors: past.errors,
    earlyLabels: reading.earlyLabels?.get(keyOf(c)),
    scoredRows:
      isWhole && baseline?.losses ? await queries.scoredRows(model, [window], c, false) : [],
    rows: isWhole && !stands ? await references.rowsOf(model, window) : [],
    groups: await readGroups(parts, reading, c),
    references: c.slice ? await readReferences(parts, reading, c) : reading.references,
    window,
    past: notOverlapping(past.shifts.get(keyOf(c)) ?? [], window),
    levels: levelHistory(
      past.levels.get(keyOf(referenceCohort(baselineSpans, c))),
      past.levels.get(keyOf(c)),
      (learning?.before ?? baseline)?.windows?.windows ?? [],
      window,
    ),
    learning,
    unread: state.unread ?? new Map(),
    cohorts: reading.cohorts.length,
    isSlice: c.slice !== undefined,
    usual: isWhole ? reading.usual?.map(({ events }) => events) : undefined,
    completeness: reading.completeness,
    maturity: due.maturity,
  }
}

const hasScore = ({ numeric }: WindowCounts) => numeric.has('@score')

async function readScores(
  { queries, model }: WindowReaderParts,
  { due, impliedUntil }: WindowReading,
  { c, isAsked }: { c: Cohort; isAsked: boolean },
) {
  if (!isAsked || model.scoreKind !== 'probability') return undefined
  const scores = await queries.scores(model, [due], c, impliedUntil)
  return scores.predicted.length > 0 || scores.improbable > 0 ? scores : undefined
}

/** Groups of each protected attribute; slices are groups already. */
async function readGroups(
  { queries, model }: WindowReaderParts,
  { due, impliedUntil }: WindowReading,
  c: Cohort,
): Promise<Map<string, GroupCounts[]>> {
  const groups = new Map<string, GroupCounts[]>()
  if (c.slice) return groups
  const question = { model, spans: [due], c, completeUntil: impliedUntil }
  for (const { name } of fairnessAttributes(model))
    groups.set(name, await queries.groups(question, name))
  return groups
}

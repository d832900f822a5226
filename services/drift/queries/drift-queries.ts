/**
 * The questions of drift on one connection: what models ask alike at the same time goes to
 * ClickHouse together.
 *
 * The statements are those of the files beside this one; here they are bound to a connection and
 * batched.
 */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { gathered } from '../../../lib/clickhouse/request-batcher.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import type { Window } from '../../../lib/models/windows.ts'
import type { Cohort } from '../data/cohort.ts'
import type { CohortLosses } from '../data/cohort-losses.ts'
import type { Slice } from '../data/slices.ts'
import type { WindowCounts } from '../data/window-data.ts'
import type { LearnedHorizon } from '../plan/label-horizon.ts'
import type { StoredReference } from '../plan/stored-references.ts'
import { earlyLabels, type EarlyLabelsQuestion } from './outcomes/early-labels.ts'
import { keepHorizon, labelDelays, learnedHorizons } from './outcomes/label-delays.ts'
import { tasksOfWindow, type TasksQuestion } from './agents/tasks-of-window.ts'
import { activeByCohort } from './active-alarms.ts'
import { slicedCohorts, unslicedCohorts, type SlicesQuestion } from './cohorts/present-cohorts.ts'
import { presentEvents, presentOfGroups, type Present } from './event-totals.ts'
import {
  countViolations,
  violationExamples,
  type ExpectationQuestion,
} from './expectations/count-violations.ts'
import { hasLateAttributes } from './late-attributes.ts'
import { modelCount, modelIds, type ModelsQuestion } from './monitored-models.ts'
import { pastOf, type PastQuestion } from './past-queries.ts'
import { areNumbered, completeness } from './senders/producers.ts'
import { readPartitions, readProgress, readStates, stateGroup } from './progress-queries.ts'
import { begunWindows, publishedResults } from './published-results.ts'
import {
  freezeReference,
  promotionsOfEach,
  putReference,
  referenceRevision,
  storedReferences,
  type PromotionQuestion,
} from './references.ts'
import { estimateRows, sampleRows, scoredRows } from './sample-rows.ts'
import { senderCounts, kindsOfSenders, sendersKey } from './senders/sender-counts.ts'
import { ensureCounted, type Sliced } from './slice-counts.ts'
import { featureRows } from './window-examples.ts'
import {
  countGroup,
  countsBySpan,
  countsFromRows,
  hasLaterEvents,
  countsOfGroups,
  isSliced,
  mergedCounts,
  slicedCounts,
  slicedCountsBySpan,
  slicedTotals,
  subjectCounts,
  totalsAlone,
  withTotals,
  type CountQuestion,
  type RawOptions,
  type GroupsQuestion,
} from './window-counts.ts'
import {
  groupCounts,
  outcomesOf,
  outcomesOfEach,
  sliceOutcomes,
  type KnownTruthQuestion,
  type OutcomeQuestion,
} from './outcomes/of-window.ts'
import { readScoreBins, scoreGroup } from './outcomes/score-bins.ts'
import {
  attributedWindows,
  attributionsOf,
  type AttributionQuestion,
} from './cohorts/attributions.ts'
import { cohortLosses, sameCohortLosses, type LossQuestion } from './cohorts/cohort-losses.ts'
import { explorationCounts, loggedActions, type ActionQuestion } from './cohorts/logged-actions.ts'
import { unitValues, type UnitQuestion } from './cohorts/unit-values.ts'
import { slicedTable, truthOfTable, type TruthOfTable } from './baselines/read-table.ts'
import { storeTable, type TableQuestion } from './baselines/store-table.ts'
import { namedLabels, namedLabelsOfSlice } from './outcomes/named-labels.ts'
import { referenceTextsOn } from './outcomes/reference-texts.ts'

type Spans = readonly Window[]

/** Questions about the same windows, or the same groups of spans, are asked together. */
const windowsKey = ({ windows }: { modelId: string; windows: Spans }) => JSON.stringify(windows)

const groupsKey = ({ of }: Pick<GroupsQuestion, 'modelId' | 'of'>) => JSON.stringify(of.groups)

/** What several models ask alike; each batcher belongs to one connection. */
const batchersOf = (db: ClickHouse) => ({
  present: gathered(
    ({ spans }: { modelId: string; spans: Spans }) => JSON.stringify(spans),
    (asked) => presentEvents(db, asked),
  ),
  state: gathered(stateGroup, (asked) => readStates(db, asked)),
  merged: gathered(countGroup, (asked) => mergedCounts(db, asked)),
  presentOfGroups: gathered(groupsKey, (asked) => presentOfGroups(db, asked, asked[0]!.of)),
  countsOfGroups: gathered(groupsKey, (asked: readonly GroupsQuestion[]) =>
    countsOfGroups(db, asked),
  ),
  attributedWindows: gathered(windowsKey, (asked) =>
    attributedWindows(db, asked, asked[0]!.windows),
  ),
  begunWindows: gathered(windowsKey, (asked) => begunWindows(db, asked, asked[0]!.windows)),
  latestResults: gathered(
    ({ window }: { modelId: string; window: Window }) => `${window.start}-${window.end}`,
    (asked) => publishedResults(db, asked),
  ),
  referencesOf: gathered(
    () => '',
    (models: readonly string[]) => storedReferences(db, models),
  ),
  promotions: gathered(
    ({ length }: PromotionQuestion) => String(length),
    (asked) => promotionsOfEach(db, asked),
  ),
  isProducing: gathered(
    () => '',
    (models: readonly string[]) => areNumbered(db, models),
  ),
  activeByCohort: gathered(
    () => '',
    (models: readonly string[]) => activeByCohort(db, models),
  ),
  scores: gathered(scoreGroup, (asked: readonly OutcomeQuestion[]) => readScoreBins(db, asked)),
  senders: gathered(sendersKey, (asked) => senderCounts(db, asked)),
  senderKinds: gathered(
    () => '',
    (models: readonly string[]) => kindsOfSenders(db, models),
  ),
})

/** Counts of cohorts; those of slices are counted first where they can be. */
function countsOn(db: ClickHouse, { present, merged }: ReturnType<typeof batchersOf>) {
  const counted = async (modelId: string, spans: Spans, c: Sliced) => ({
    modelId,
    spans,
    c,
    isCounted: await ensureCounted(db, { modelId, spans, slice: c.slice }),
  })
  return {
    /** The totals of {@link counts} alone; `known` are the events of the same spans. */
    eventCounts: async (
      modelId: string,
      spans: Spans,
      c: Cohort,
      known: readonly Present[],
    ): Promise<WindowCounts> =>
      isSliced(c) ? slicedTotals(db, await counted(modelId, spans, c)) : totalsAlone(known, c),

    /** @param known events of the spans, where they have been read already */
    counts: async (
      modelId: string,
      spans: Spans,
      c: Cohort,
      known?: readonly Present[],
    ): Promise<WindowCounts> => {
      if (isSliced(c)) return slicedCounts(db, await counted(modelId, spans, c))
      const own = await merged({ modelId, spans, c })
      return withTotals(own, known ?? (await present({ modelId, spans })), c)
    },

    /** Counts of one subject alone. */
    subjectCounts: async (
      { modelId, spans, c }: CountQuestion,
      subject: string,
    ): Promise<WindowCounts> =>
      withTotals(
        await subjectCounts(db, { modelId, spans, c }, subject),
        await present({ modelId, spans }),
        c,
      ),

    /** Counts of each span by itself. */
    countsBySpan: async (modelId: string, spans: Spans, c: Cohort): Promise<WindowCounts[]> =>
      isSliced(c)
        ? slicedCountsBySpan(db, await counted(modelId, spans, c))
        : countsBySpan(db, { modelId, spans, c }),

    /** Counts made from raw predictions. */
    rawCounts: (modelId: string, spans: Spans, c: Cohort, options: RawOptions) =>
      countsFromRows(db, { modelId, spans, c } satisfies CountQuestion, options),
    hasLaterEvents: (question: CountQuestion, asOf: number) => hasLaterEvents(db, question, asOf),
  }
}

/** Labelled outcomes of cohorts. */
const outcomesOn = (db: ClickHouse, { scores }: ReturnType<typeof batchersOf>) => ({
  ...referenceTextsOn(db),
  namedLabels: (question: { modelId: string; window: Window }) => namedLabels(db, question),
  namedLabelsOfSlice: (question: { modelId: string; window: Window }, slices: readonly Slice[]) =>
    namedLabelsOfSlice(db, question, slices),
  outcomes: (model: Model, spans: Spans, c: Cohort, known: KnownTruthQuestion) =>
    outcomesOf(db, { model, spans, c, ...known }, known.predictions),
  outcomesOfEach: (model: Model, spans: Spans, cohorts: readonly Cohort[], completeUntil: number) =>
    outcomesOfEach(db, { model, spans, completeUntil }, cohorts),
  /** Outcomes of the cohorts of one slice. */
  sliceOutcomes: (
    model: Model,
    spans: Spans,
    c: Cohort,
    { slices, completeUntil }: { slices: readonly Slice[]; completeUntil: number },
  ) => sliceOutcomes(db, { model, spans, c, completeUntil }, slices),
  scores: (model: Model, spans: Spans, c: Cohort, completeUntil: number) =>
    scores({ model, spans, c, completeUntil }),
  groups: (
    { model, spans, c, completeUntil }: Parameters<typeof groupCounts>[1],
    attribute: string,
  ) => groupCounts(db, { model, spans, c, completeUntil }, attribute),
})

/** The questions of drift on one connection. */
export function driftQueries(db: ClickHouse) {
  const batched = batchersOf(db)
  const {
    present,
    latestResults,
    referencesOf,
    promotions,
    isProducing,
    activeByCohort: active,
    senders,
    senderKinds,
  } = batched
  return {
    modelCount: () => modelCount(db),
    modelIds: (question: ModelsQuestion) => modelIds(db, question),
    referencesOf,
    promotions,
    referenceRevision: (modelId: string, name: string) => referenceRevision(db, modelId, name),
    putReference: (reference: StoredReference, at: number) => putReference(db, reference, at),
    freezeReference: (first: { modelId: string; name: string; span: Window }, at: number) =>
      freezeReference(db, first, at),
    storeTable: (question: TableQuestion) => storeTable(db, question),
    slicedTable: (under: string, c: Cohort) => slicedTable(db, under, c),
    truthOfTable: (question: TruthOfTable) => truthOfTable(db, question),
    isProducing,
    completeness: (modelId: string, window: Window) => completeness(db, modelId, window),
    activeByCohort: active,
    senders,
    senderKinds,
    hasLateAttributes: () => hasLateAttributes(db),
    past: (question: PastQuestion) => pastOf(db, question),
    earlyLabels: (question: EarlyLabelsQuestion) => earlyLabels(db, question),
    labelDelays: (question: { modelId: string; windows: Spans; slackMs: number }) =>
      labelDelays(db, question),
    keepHorizon: (modelId: string, learned: LearnedHorizon, at: number) =>
      keepHorizon(db, modelId, learned, at),
    learnedHorizon: async (modelId: string) => (await learnedHorizons(db, [modelId])).get(modelId),
    latestResults,
    /** Counters of a window and of what it is compared with. */
    state: batched.state,
    progress: (models: readonly Model[]) => readProgress(db, models),
    partitions: (modelId: string) => readPartitions(db, modelId),
    rows: (modelId: string, window: Window, most: number) =>
      sampleRows(db, { modelId, window, most }),
    scored: (modelId: string, spans: Spans, c: Cohort) => scoredRows(db, { modelId, spans, c }),
    scoredRows: (model: Model, spans: Spans, c: Cohort, labelled: boolean) =>
      estimateRows(db, { model, spans, c }, labelled),
    violations: (question: ExpectationQuestion) => countViolations(db, question),
    violationExamples: (question: ExpectationQuestion, violated: readonly string[]) =>
      violationExamples(db, question, violated),
    featureRows: (question: Parameters<typeof featureRows>[1]) => featureRows(db, question),
    present,
    cohortLosses: (question: LossQuestion, search: { by: readonly string[]; min: number }) =>
      cohortLosses(db, question, search),
    sameCohortLosses: (question: LossQuestion, of: CohortLosses) =>
      sameCohortLosses(db, question, of),
    isAttributed: async ({ modelId, window }: { modelId: string; window: Window }) =>
      (await batched.attributedWindows({ modelId, windows: [window] }))[0]!,
    presentOfGroups: batched.presentOfGroups,
    countsOfGroups: batched.countsOfGroups,
    attributedWindows: batched.attributedWindows,
    begunWindows: batched.begunWindows,
    attributions: (question: AttributionQuestion) => attributionsOf(db, question),
    loggedActions: (question: ActionQuestion) => loggedActions(db, question),
    explorationCounts: (question: { modelId: string; window: Window }) =>
      explorationCounts(db, question),
    unitValues: (question: UnitQuestion) => unitValues(db, question),
    tasks: (question: TasksQuestion) => tasksOfWindow(db, question),
    /** Everything; each version where there are several; each variant; each value of the slices. */
    cohorts: async (known: readonly Present[], question: SlicesQuestion): Promise<Cohort[]> => [
      ...unslicedCohorts(known),
      ...(await slicedCohorts(db, question)),
    ],
    ...countsOn(db, batched),
    ...outcomesOn(db, batched),
  }
}

/** Every query of drift, bound to one connection. */
export type DriftQueries = ReturnType<typeof driftQueries>

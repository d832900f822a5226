/** Judges what is due of one model: reads counts, asks `evaluate`, has revisions written. */
import type { decisionQueries } from '../queries/verdict-feedback.ts'
import type { ReferenceData } from '../data/reference.ts'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { EventLog } from '../../../lib/event-log/port.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { evaluateTruth, evaluateWindow } from '../evaluate/window.ts'
import type { Fact } from '../data/metric-results.ts'
import type { Gauges } from '../publish/prometheus-gauges.ts'
import type { ModelProgress } from '../queries/progress-queries.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import type { Said } from '../queries/published-results.ts'
import { ALL, keyOf, type Combination } from '../data/cohort.ts'
import { fairnessAttributes } from '../evaluate/fairness.ts'
import { asDeclared } from '../data/declared-features.ts'
import { episodeOf, worstOf } from '../plan/episodes.ts'
import { levelHistory } from '../data/past-metrics.ts'
import { NO_PAST } from '../queries/past-queries.ts'
import { notOverlapping } from '../data/past-shifts.ts'
import { answersBeside } from './exact-followups.ts'
import type { TellFailure } from './failures.ts'
import { pastWindows, type PastWindows } from '../plan/past-windows.ts'
import { createReferenceCache, referenceReader, type ReferenceCache } from './load-reference.ts'
import {
  frozenSpans,
  putReferences,
  referencesFor,
  toFreeze,
  type Past,
  type PastWindow,
  type ReferenceSpans,
} from '../plan/references.ts'
import { revisionWriter, type Revision } from '../publish/revisions.ts'
import { changedFacts } from '../publish/rows.ts'
import {
  dueWindows,
  passedUntil,
  progressOf,
  type Due,
  type StepCount,
} from '../plan/due-windows.ts'
import { truthReader } from '../queries/outcome-reader.ts'
import { impliesLabels } from '../queries/labelled-outcomes.ts'
import { createTurns, type Turns } from '../plan/turns.ts'
import { noOutcomes } from '../data/window-data.ts'

export interface JudgeOptions {
  db: ClickHouse
  queries: DriftQueries
  decisions: ReturnType<typeof decisionQueries>
  eventLog: Pick<EventLog, 'append'>
  gauges: Gauges
  now: () => number
  /** What the judges of one process share; of this one alone unless given. */
  shared?: Shared
  /** Is told of windows that could not be judged; unless given, the first failure is thrown. */
  tell?: TellFailure
  /** How long decisions and references are remembered; 1000 unless given. */
  saidForMs?: number
}

/** What judges of one process know together: a model is judged now by one of them, now by another. */
export interface Shared {
  /** When windows may be judged again. */
  turns: Turns
  /** References that were read. */
  references: ReferenceCache
  /** Models of which nothing is half written: this process has judged all that was due of them, and none has failed since. */
  whole: Set<string>
}

export const createShared = (): Shared => ({
  turns: createTurns(),
  references: createReferenceCache(),
  whole: new Set(),
})

const SAID_FOR_MS = 1000
/** Judged of a model before others have their turn; what is left comes right after them. */
const MOST_WINDOWS = 100
const MOST_MS = 5000
/** Of windows of a model in one pass, before it waits. */
const MOST_FAILURES = 3

/** What is the same for all windows of a model. */
interface Known extends Omit<Past, 'windows'> {
  frozen: Map<string, Window>
  snoozed: ReadonlySet<string>
  /** Whether its producers number their events. */
  isProducing: boolean
  /** Attributes may come apart from predictions: then truth is not all that changes in a slice. */
  hasLateAttributes: boolean
  /** Up to here all events are thought to have come. */
  passedUntil: number
}

/** What one pass over a model's windows came to. */
export interface Pass {
  /** Windows that could not be judged. */
  failures: number
  /** When to come back for what had to wait, epoch milliseconds; undefined when nothing waits. */
  comeBack: number | undefined
}
const NOTHING: Pass = { failures: 0, comeBack: undefined }

/** Between two restatements of one window; truth that streams in must not keep a judge busy with one of many labels. */
const LEAST_REST_MS = 10_000
/** The same, as a multiple of how long the last one took. */
const REST_FACTOR = 10

export function createJudge(options: JudgeOptions) {
  const { db, queries, decisions, now } = options
  const { turns, references, whole } = options.shared ?? createShared()
  const reader = referenceReader(queries, references)
  const write = revisionWriter(db, options.eventLog)

  /** What people say of all models, read anew at most every `saidForMs`: most of it is nothing. */
  async function readSaid() {
    return {
      accepted: await decisions.accepted(),
      snoozed: await decisions.snoozed(now()),
      late: await queries.hasLateAttributes(),
    }
  }
  let saidAt = -Infinity
  let lastSaid: ReturnType<typeof readSaid> | undefined
  function said() {
    if (!lastSaid || performance.now() - saidAt >= (options.saidForMs ?? SAID_FOR_MS)) {
      saidAt = performance.now()
      lastSaid = readSaid()
      // A failure is not remembered.
      lastSaid.catch(() => (saidAt = -Infinity))
    }
    return lastSaid
  }

  /** Judges all that is due, as far as one pass goes; what fails waits, and the rest goes on. */
  return async function judgeModel(
    model: Model,
    progress: ModelProgress,
    isOwned: () => boolean,
  ): Promise<Pass> {
    const { steps, partitions, judged } = progress
    const at = now()
    const reached = progressOf(partitions, model, at)
    const due = dueWindows(steps, judged, reached, model, at)
    if (due.length === 0) return NOTHING
    const { accepted, snoozed, late } = await said()
    const stored = await queries.referencesOf(model.modelId)
    const known: Known = {
      frozen: frozenSpans(stored, model.modelId),
      put: putReferences(stored, model.modelId),
      promotions: hasKind(model, 'since_promotion') ? await queries.promotions(model.modelId) : [],
      accepted: accepted.get(model.modelId) ?? [],
      snoozed,
      isProducing: await queries.isProducing(model.modelId),
      hasLateAttributes: late,
      passedUntil: passedUntil(reached, model, at),
    }
    const past = pastWindows(judged)
    const { modelId } = model
    let comeBack: number | undefined
    let looked = 0
    let failures = 0
    const begun = now()
    for (const window of due) {
      const waitUntil = turns.waitsUntil(modelId, window, window.restates)
      if (now() < waitUntil) {
        comeBack = Math.min(comeBack ?? Infinity, waitUntil)
        continue
      }
      // Each window takes a while, and other things wait too.
      await new Promise((resolve) => setImmediate(resolve))
      if (!isOwned()) return { failures, comeBack: undefined }
      if (looked++ === MOST_WINDOWS || now() - begun > MOST_MS) return { failures, comeBack: now() }
      try {
        await judgeDue(model, window, steps, past, known)
      } catch (error) {
        whole.delete(modelId)
        if (!options.tell) throw error
        // The window waits, and the others go on; where all fail alike, the store is away.
        const attempts = turns.failed(modelId, window, now())
        await options.tell({ modelId, window, attempts, error })
        const again = turns.waitsUntil(modelId, window, window.restates)
        comeBack = Math.min(comeBack ?? Infinity, again)
        if (++failures === MOST_FAILURES) break
      }
    }
    if (failures === 0 && comeBack === undefined) whole.add(modelId)
    return { failures, comeBack }
  }

  /** One window, and what it freezes. */
  async function judgeDue(
    model: Model,
    window: Due,
    steps: readonly StepCount[],
    past: PastWindows,
    known: Known,
  ) {
    const begun = now()
    const outcome = await judgeWindow(model, window, steps, past.all, known)
    const { start, end, events } = window
    past.put({ start, end, events, ...outcome })
    for (const { name, window: span } of toFreeze(model, past.all, known.frozen)) {
      await queries.freezeReference(model.modelId, name, span, now())
      known.frozen.set(name, span)
    }
    const rest = Math.max(LEAST_REST_MS, REST_FACTOR * (now() - begun))
    turns.judged(model.modelId, window, window.restates ? now() + rest : 0)
  }

  async function judgeWindow(
    model: Model,
    due: Due,
    steps: readonly StepCount[],
    earlierWindows: readonly PastWindow[],
    known: Known,
  ): Promise<Pick<PastWindow, 'alarmed' | 'worst' | 'episode'>> {
    const { snoozed, isProducing, passedUntil } = known
    const window = { start: due.start, end: due.end }
    const present = await queries.present({ modelId: model.modelId, spans: [window] })
    const combinations = await queries.combinations(model.modelId, window, present, model.slices)
    // What nobody has judged may have been begun by a process that is gone: looked up once, not of every window.
    const earlier =
      due.previous || !whole.has(model.modelId)
        ? await queries.latestFacts({ modelId: model.modelId, window })
        : new Map<string, Said>()
    const outcomesOf = truthReader(queries, model, combinations, window)
    const completeness = isProducing ? await queries.completeness(model.modelId, window) : null
    const spans = referencesFor(window, model, { ...known, windows: earlierWindows })
    const referencesOf = async (combination: Combination) => {
      const found: ReferenceData[] = []
      for (const reference of spans) {
        // Of uploaded events counts are kept, not rows: slices have none.
        if (combination.slice && reference.countedAs !== undefined) continue
        found.push(
          await reader.data(model, reference, steps, {
            scope: referenceScope(reference, combination),
            passedUntil,
            outcomesOf,
          }),
        )
      }
      return found
    }
    const references = await referencesOf(ALL)
    // Of a window some of whose predictions are young, a missing label means nothing yet.
    const impliedUntil = impliesLabels(model) && due.maturity === 1 ? passedUntil : 0
    const judging = references.find((reference) => reference.judge)
    const judgingSpans = spans.find(({ judge }) => judge)
    // Only truth has changed: what was said of the inputs still stands.
    const standing = (combination: Combination) => {
      const before = earlier.get(keyOf(combination))
      const isSame = due.previous?.events === due.events
      const mayChange = combination.slice !== undefined && known.hasLateAttributes
      return before && before.facts.size > 0 && isSame && !mayChange ? before : undefined
    }
    const past =
      judging && (judging.windows ?? judging.scores ?? judging.losses)
        ? await queries.past({
            modelId: model.modelId,
            window,
            reference: { name: judging.name, windows: judging.windows?.windows ?? [] },
            judged: earlierWindows,
          })
        : NO_PAST

    // Of uploaded events counts are kept, not rows; slices are answered by the whole.
    const answers =
      judging && judgingSpans && judgingSpans.countedAs === undefined
        ? answersBeside(queries, model, {
            spans: judging.spans,
            scope: referenceScope(judgingSpans, ALL),
            events: judging.counts.events,
          })
        : undefined
    const withRows = (facts: readonly Fact[], scope: Combination, events: number) =>
      answers && !scope.slice ? answers(facts, { spans: [window], scope, events }) : [...facts]

    const countsOf = (combination: Combination) =>
      standing(combination)
        ? queries.eventCounts(model.modelId, [window], combination, present)
        : queries.counts(model.modelId, [window], combination, present)
    // Asked together, those of versions and variants are read together.
    const unsliced = new Map(
      await Promise.all(
        combinations
          .filter(({ slice }) => !slice)
          .map(async (one) => [keyOf(one), await countsOf(one)] as const),
      ),
    )

    const revisions: (Revision & { facts: Fact[] })[] = []
    for (const combination of combinations) {
      const before = earlier.get(keyOf(combination))
      const stands = standing(combination)
      const counted = unsliced.get(keyOf(combination)) ?? (await countsOf(combination))
      const counts = stands ? counted : asDeclared(counted, model)
      const outcomes =
        due.changes === 0 && impliedUntil === 0
          ? noOutcomes(counts.events)
          : await outcomesOf([window], combination, {
              predictions: counts.events,
              passedUntil: impliedUntil,
            })
      // What reads raw rows is made for the model as a whole.
      const isWhole = keyOf(combination) === keyOf(ALL)
      const hasScores =
        model.scoreKind === 'probability' &&
        isWhole &&
        (stands !== undefined || counts.numeric.has('@score'))
      const scores = hasScores
        ? await queries.scores(model, [window], combination, impliedUntil)
        : undefined
      const groups = new Map<string, Awaited<ReturnType<DriftQueries['groups']>>>()
      for (const { name } of combination.slice ? [] : fairnessAttributes(model))
        groups.set(name, await queries.groups(model, name, [window], combination, impliedUntil))
      const input = {
        counts,
        outcomes,
        scores: scores && scores.predicted.length > 0 ? scores : undefined,
        pastErrors: past.errors,
        guesses:
          isWhole && judging?.losses
            ? await queries.guesses(model, [window], combination, false)
            : [],
        rows: isWhole && !stands ? await reader.rowsOf(model, window) : [],
        groups,
        references: combination.slice ? await referencesOf(combination) : references,
        window,
        past: notOverlapping(past.shifts.get(keyOf(combination)) ?? [], window),
        levels: levelHistory(
          past.levels.get(keyOf(referenceScope(judgingSpans, combination))),
          past.levels.get(keyOf(combination)),
          judging?.windows?.windows ?? [],
          window,
        ),
        combinations: combinations.length,
        isSlice: combination.slice !== undefined,
        completeness,
        maturity: due.maturity,
      }
      const facts = stands
        ? [...[...stands.facts.values()].filter(isOfInputs), ...evaluateTruth(input, model)]
        : await withRows(evaluateWindow(input, model), combination, counts.events)
      revisions.push({
        key: {
          modelId: model.modelId,
          combination,
          window,
          revision: (before?.revision ?? 0) + 1,
          episode: '',
          policyRevision: model.revision,
          referenceRevisions: new Map(spans.map(({ name, revision }) => [name, revision])),
          computedAt: now(),
        },
        facts,
        changed: changedFacts(facts, before?.facts ?? new Map()),
        before: before?.facts ?? new Map(),
      })
    }
    const ofAll = revisions[0]!.facts
    const worst = worstOf(ofAll)
    const episode = episodeOf(window, worst, model.modelId, earlierWindows)
    for (const { key } of revisions) key.episode = episode
    const alarmed = ofAll.some((fact) => fact.family === 'drift' && fact.verdict === 'alarm')
    await write({ model, due, worst, alarmed }, revisions)
    for (const { key, facts } of revisions) options.gauges.show(key, facts, snoozed)
    return { alarmed, worst, episode }
  }
}

/** A slice is compared with itself, a version or variant with everything. */
const referenceScope = (
  reference: ReferenceSpans | undefined,
  { slice }: Combination,
): Combination => ({
  ...ALL,
  modelVersion: reference?.modelVersion ?? '',
  ...(slice && { slice }),
})

const isOfInputs = (fact: Fact) =>
  fact.family === 'drift' || fact.family === 'quality' || fact.family === 'operations'
const hasKind = ({ references }: Model, kind: string) =>
  Object.values(references).some((reference) => reference.kind === kind)

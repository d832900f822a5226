/**
 * What is the same for all windows of a model in one pass: its stored references, and what people
 * and producers said.
 */
import type { Model } from '../../../lib/models/model-files.ts'
import { windowMs, type Window } from '../../../lib/models/windows.ts'
import { MIN_WINDOWS } from '../data/reference.ts'
import type { SenderKind } from '../data/senders.ts'
import type { ActiveKey } from '../evaluate/silence/ended.ts'
import { completeUntil, type Progress } from '../plan/due-windows.ts'
import type { Past } from '../plan/learning.ts'
import { frozenSpans, putReferences } from '../plan/stored-references.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import type { verdictFeedbackQueries } from '../queries/verdict-feedback.ts'

/** What holds for all models. */
export interface GlobalState {
  /** Windows that people called normal, by model. */
  accepted: ReadonlyMap<string, Window[]>
  /** Alarms that are not to page now, by `snoozeKey`. */
  snoozed: ReadonlySet<string>
  /**
   * Attributes may come apart from predictions: then ground truth is not all that changes in a
   * slice.
   */
  hasLateAttributes: boolean
}

/** One model's state; `frozen` grows while the pass freezes windows. */
export interface ModelState extends Omit<Past, 'windows'> {
  frozen: Map<string, Window>
  snoozed: ReadonlySet<string>
  /** Whether its producers number their events. */
  isProducing: boolean
  hasLateAttributes: boolean
  /** Its active alarms by cohort, without those that this pass has ended. */
  active: Map<string, ActiveKey[]>
  /** How many senders of each kind it has had. */
  senderKinds: ReadonlyMap<SenderKind, number>
  /** Its events come when they happen: silence means something. */
  isLive: boolean
  /** Watermark: events before this instant are considered complete; epoch milliseconds. */
  completeUntil: number
}

/** What reading the state of all models needs. */
export interface GlobalStateOptions {
  queries: Pick<DriftQueries, 'hasLateAttributes'>
  decisions: ReturnType<typeof verdictFeedbackQueries>
  now: () => number
  /** How long an answer is kept, in milliseconds. */
  keptForMs: number
}

/** @returns reads the state of all models, anew at most every `keptForMs`; a failure is not kept */
export function globalStateReader(options: GlobalStateOptions): () => Promise<GlobalState> {
  let readAt = -Infinity
  let last: Promise<GlobalState> | undefined
  return () => {
    if (!last || performance.now() - readAt >= options.keptForMs) {
      readAt = performance.now()
      last = readGlobalState(options)
      last.catch(() => (readAt = -Infinity))
    }
    return last
  }
}

async function readGlobalState({
  queries,
  decisions,
  now,
}: GlobalStateOptions): Promise<GlobalState> {
  return {
    accepted: await decisions.accepted(),
    snoozed: await decisions.snoozed(now()),
    hasLateAttributes: await queries.hasLateAttributes(),
  }
}

/**
 * Reads one model's state; `now` is epoch milliseconds, `windows` how many were evaluated or are
 * due.
 */
export async function loadModelState(
  queries: Pick<
    DriftQueries,
    'referencesOf' | 'promotions' | 'isProducing' | 'senderKinds' | 'activeByCohort'
  >,
  model: Model,
  { accepted, snoozed, hasLateAttributes }: GlobalState,
  { reached, now, windows }: { reached: Progress; now: number; windows: number },
): Promise<ModelState> {
  const { modelId } = model
  const stored = await queries.referencesOf(modelId)
  return {
    frozen: frozenSpans(stored, modelId),
    put: putReferences(stored, modelId),
    promotions: needsPromotions(model, windows)
      ? await queries.promotions({ modelId, length: windowMs(model.windows) })
      : [],
    accepted: accepted.get(modelId) ?? [],
    snoozed,
    isProducing: await queries.isProducing(modelId),
    hasLateAttributes,
    active: await queries.activeByCohort(modelId),
    senderKinds: reached.live ? await queries.senderKinds(modelId) : new Map(),
    isLive: reached.live ?? false,
    completeUntil: completeUntil(reached, model, now),
  }
}

/**
 * Below so many windows no version has served long enough to be followed by another one's baseline.
 */
const needsPromotions = ({ references }: Model, windows: number) =>
  Object.values(references).some(
    ({ kind, baseline, on_promotion, model_version }) =>
      kind === 'since_promotion' ||
      (kind === 'table'
        ? model_version !== undefined
        : baseline && on_promotion !== 'keep' && windows > MIN_WINDOWS),
  )

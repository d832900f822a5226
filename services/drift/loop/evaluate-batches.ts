/**
 * Evaluates the models that are due, some of them side by side; one that fails waits, and the
 * others of its batch do not.
 */
import type { Histogram } from 'prom-client'
import { backoffMs } from '../../../lib/runtime/clock.ts'
import type { Ownership } from '../../../lib/event-log/port.ts'
import type { Model, Models } from '../../../lib/models/model-files.ts'
import type { Agenda } from '../plan/agenda.ts'
import type { TellFailure } from './failures.ts'
import type { Gauges } from '../publish/prometheus-gauges.ts'
import type { EvaluateModel } from './evaluate-model.ts'
import type { ModelProgress } from '../queries/progress-queries.ts'

/** Models of one batch. */
export const BATCH = 16
const FAILED_MS = 2000
const MAX_FAILED_MS = 300_000

/** What evaluating a batch of models needs. */
export interface BatchParts {
  agenda: Agenda
  gauges: Pick<Gauges, 'forget'>
  wakeUps: Pick<Ownership, 'owns'>
  models: Pick<Models, 'get'>
  /** Seconds of a batch. */
  seconds: Pick<Histogram, 'startTimer'>
  tell: TellFailure
  now: () => number
  /** Resolves after so many milliseconds, or sooner: when models come up, or all ends. */
  pause: (ms: number) => Promise<void>
}

/** What has a connection of its own. */
export interface Evaluator {
  progress: (models: readonly Model[]) => Promise<Map<string, ModelProgress>>
  evaluate: EvaluateModel
}

/** What the evaluators of one process share: which models are in hand, and which of them fail. */
interface BatchState extends BatchParts {
  /** Models that are being evaluated this moment: none is by two at once. */
  inProgress: Set<string>
  /** Those of them that came up again meanwhile. */
  afterwards: Set<string>
  /**
   * How often in a row a model has failed. A model that may have failed because of others is asked
   * alone.
   */
  failed: Map<string, number>
}

/**
 * @returns evaluates what is due, and waits for what will be, until the signal aborts; several
 *   evaluators may run at the same time
 */
export function batchEvaluator(
  parts: BatchParts,
): (evaluator: Evaluator, signal: AbortSignal) => Promise<void> {
  const state: BatchState = {
    ...parts,
    inProgress: new Set(),
    afterwards: new Set(),
    failed: new Map(),
  }
  return async (evaluator, signal) => {
    while (!signal.aborted) {
      const ids = take(state)
      if (ids.length === 0) {
        await state.pause(state.agenda.next() - state.now())
        continue
      }
      const stop = state.seconds.startTimer()
      await evaluateBatch(state, ids, evaluator, signal)
      release(state, ids)
      stop()
    }
  }
}

/** Takes models that are due now; they are in progress until they are released. */
function take(state: BatchState): string[] {
  const { agenda, wakeUps, gauges, now, inProgress, afterwards, failed } = state
  const taken: string[] = []
  let alone: string | undefined
  while (taken.length < BATCH && alone === undefined) {
    const id = agenda.take(now())
    if (id === undefined) break
    if (!wakeUps.owns(id)) {
      gauges.forget(id)
      failed.delete(id)
    } else if (inProgress.has(id)) afterwards.add(id)
    else if (failed.has(id)) alone = id
    else taken.push(id)
  }
  if (alone !== undefined) {
    if (taken.length === 0) taken.push(alone)
    else agenda.want(alone, now())
  }
  for (const id of taken) inProgress.add(id)
  return taken
}

function release({ agenda, now, inProgress, afterwards }: BatchState, ids: readonly string[]) {
  for (const id of ids) {
    inProgress.delete(id)
    if (afterwards.delete(id)) agenda.want(id, now())
  }
}

async function evaluateBatch(
  state: BatchState,
  ids: readonly string[],
  evaluator: Evaluator,
  signal: AbortSignal,
): Promise<void> {
  // Model files may change meanwhile: what is taken here is in force for all of this batch.
  const models = ids.map((id) => state.models.get(id))
  const progress = await progressOf(state, models, evaluator)
  if (progress) {
    // Models are evaluated side by side, so that what they ask alike is asked once.
    const one = (model: Model) =>
      evaluateOne(state, model, progress.get(model.modelId)!, { evaluator, signal })
    await Promise.all(models.map(one))
  } else if (ids.length > 1)
    for (const id of ids) await evaluateBatch(state, [id], evaluator, signal)
}

/** @returns undefined where it cannot be read of them together, or of the one alone */
async function progressOf(
  state: BatchState,
  models: readonly Model[],
  evaluator: Evaluator,
): Promise<Map<string, ModelProgress> | undefined> {
  try {
    return await evaluator.progress(models)
  } catch (error) {
    if (models.length === 1) await reportFailure(state, models[0]!.modelId, error)
    return undefined
  }
}

async function evaluateOne(
  state: BatchState,
  model: Model,
  progress: ModelProgress,
  { evaluator, signal }: { evaluator: Evaluator; signal: AbortSignal },
): Promise<void> {
  const { wakeUps, failed, agenda } = state
  const id = model.modelId
  const isOwned = () => !signal.aborted && wakeUps.owns(id)
  try {
    const { comeBack, failures } = await evaluator.evaluate(model, progress, isOwned)
    if (failures > 0) failed.set(id, 1)
    else failed.delete(id)
    if (comeBack !== undefined) agenda.want(id, comeBack)
  } catch (error) {
    await reportFailure(state, id, error)
  }
}

async function reportFailure(
  { failed, agenda, now, tell }: BatchState,
  modelId: string,
  error: unknown,
): Promise<void> {
  const attempts = (failed.get(modelId) ?? 0) + 1
  failed.set(modelId, attempts)
  await tell({ modelId, attempts, error })
  agenda.want(modelId, now() + backoffMs(attempts - 1, FAILED_MS, MAX_FAILED_MS))
}

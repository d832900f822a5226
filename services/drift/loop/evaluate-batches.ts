/** Evaluates the models that are due, some of them side by side; one that fails waits, and the others of its batch do not. */
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
export const BATCH = 8
const FAILED_MS = 2000
const MAX_FAILED_MS = 300_000

/** What evaluating a batch of models needs. */
export interface BatchParts {
  agenda: Agenda
  gauges: Pick<Gauges, 'forget'>
  wakeUps: Pick<Ownership, 'owns'>
  models: Pick<Models, 'get'>
  /** Of a batch. */
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

/**
 * @returns evaluates what is due, and waits for what will be, until the signal aborts; several evaluators may run at the same time
 */
export function batchEvaluator(parts: BatchParts) {
  const { agenda, wakeUps, models, now } = parts
  /** Models that are being evaluated this moment: none is by two at once. */
  const inProgress = new Set<string>()
  /** Those of them that came up again meanwhile. */
  const afterwards = new Set<string>()
  /** How often in a row a model has failed. What it may have failed with others it is asked alone. */
  const failed = new Map<string, number>()

  /** Takes models that are due now; they are in progress until they are evaluated. */
  function take(): string[] {
    const taken: string[] = []
    let alone: string | undefined
    while (taken.length < BATCH && alone === undefined) {
      const id = agenda.take(now())
      if (id === undefined) break
      if (!wakeUps.owns(id)) {
        parts.gauges.forget(id)
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

  function release(ids: readonly string[]) {
    for (const id of ids) {
      inProgress.delete(id)
      if (afterwards.delete(id)) agenda.want(id, now())
    }
  }

  async function failure(modelId: string, error: unknown) {
    const attempts = (failed.get(modelId) ?? 0) + 1
    failed.set(modelId, attempts)
    await parts.tell({ modelId, attempts, error })
    agenda.want(modelId, now() + backoffMs(attempts - 1, FAILED_MS, MAX_FAILED_MS))
  }

  async function evaluateOne(
    id: string,
    own: Evaluator,
    progress: ModelProgress,
    signal: AbortSignal,
  ) {
    const isOwned = () => !signal.aborted && wakeUps.owns(id)
    try {
      const { comeBack, failures } = await own.evaluate(models.get(id), progress, isOwned)
      if (failures > 0) failed.set(id, 1)
      else failed.delete(id)
      if (comeBack !== undefined) agenda.want(id, comeBack)
    } catch (error) {
      await failure(id, error)
    }
  }

  /** @returns undefined where it cannot be read of them together, or of the one alone */
  async function progressOf(ids: readonly string[], own: Evaluator) {
    try {
      return await own.progress(ids.map((id) => models.get(id)))
    } catch (error) {
      if (ids.length === 1) await failure(ids[0]!, error)
      return undefined
    }
  }

  async function evaluateBatch(ids: readonly string[], own: Evaluator, signal: AbortSignal) {
    const come = await progressOf(ids, own)
    // Side by side, so that what they ask alike is asked once.
    if (come) await Promise.all(ids.map((id) => evaluateOne(id, own, come.get(id)!, signal)))
    else if (ids.length > 1) for (const id of ids) await evaluateBatch([id], own, signal)
  }

  return async (own: Evaluator, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const ids = take()
      if (ids.length === 0) {
        await parts.pause(agenda.next() - now())
        continue
      }
      const stop = parts.seconds.startTimer()
      await evaluateBatch(ids, own, signal)
      release(ids)
      stop()
    }
  }
}

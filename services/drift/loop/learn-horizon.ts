/** Learns the label horizon of models that declare none, now and then while they are evaluated. */
import { durationMs } from '../../../lib/runtime/durations.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import {
  isTimeToLook,
  learnHorizon,
  learnsHorizon,
  measurableWindows,
  withHorizon,
  type LearnedHorizon,
} from '../plan/label-horizon.ts'
import { liveDelayMs } from '../plan/silence.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import type { ModelProgress } from '../queries/progress-queries.ts'
import type { TellFailure } from './failures.ts'

/** How many windows each model had when its delays were last looked at; what one process knows. */
export type HorizonLooks = Map<string, number>

/** What learning a horizon needs. */
export interface HorizonParts {
  queries: Pick<DriftQueries, 'labelDelays' | 'keepHorizon'>
  looks: HorizonLooks
  now: () => number
  /** Is told where delays cannot be read; unless given, the failure is thrown. */
  tell: TellFailure | undefined
}

/**
 * @returns the model with the horizon that its labels take, learned anew where it is time to look:
 *   the model itself where it declares one, or nothing is known
 */
export async function withLearnedHorizon(
  parts: HorizonParts,
  model: Model,
  progress: ModelProgress,
  isLive: boolean,
): Promise<Model> {
  if (!learnsHorizon(model)) return model
  const { looks } = parts
  const { evaluated, learned } = progress
  const isDue = isLive && isTimeToLook(evaluated.length, looks.get(model.modelId) ?? 0)
  if (!isDue || !progress.steps.some(({ changes }) => changes > 0))
    return withHorizon(model, learned)
  looks.set(model.modelId, evaluated.length)
  return withHorizon(model, (await learnOrTell(parts, model, progress)) ?? learned)
}

/** A failure leaves the model as it is: its windows do not wait for what might be learned. */
async function learnOrTell(
  { queries, now, tell }: HorizonParts,
  model: Model,
  { evaluated, steps, learned: before }: ModelProgress,
): Promise<LearnedHorizon | undefined> {
  try {
    const { modelId } = model
    const latenessMs = durationMs(model.windows.lateness)
    const windows = measurableWindows(evaluated, steps)
    const slackMs = liveDelayMs(model) + latenessMs
    const delays = await queries.labelDelays({ modelId, windows, slackMs })
    const found = learnHorizon(delays, { now: now(), latenessMs, before })
    if (found) await queries.keepHorizon(modelId, found, now())
    return found
  } catch (error) {
    if (!tell) throw error
    await tell({ modelId: model.modelId, attempts: 1, error })
    return undefined
  }
}

/** Reads what was said of the windows before one. */
import type { Window } from '../../../../lib/models/windows.ts'
import type { Cohort } from '../../data/cohort.ts'
import { windowsBefore, type EarlyLabels } from '../../data/past-metrics.ts'
import type { ReferenceData } from '../../data/reference.ts'
import type { Due } from '../../plan/due-windows.ts'
import type { PastWindow } from '../../plan/learning.ts'
import type { DriftQueries } from '../../queries/drift-queries.ts'
import { NO_PAST, type PastAnswers } from '../../queries/past-queries.ts'

/** A window, and those that were evaluated before it, ascending by end. */
interface Before {
  modelId: string
  earlierWindows: readonly PastWindow[]
}

/** How windows differed, their numbers and errors; nothing beside a baseline that knows no noise. */
export async function readPast(
  queries: Pick<DriftQueries, 'past'>,
  {
    modelId,
    window,
    baseline,
    earlierWindows,
  }: Before & { window: Window; baseline: ReferenceData | undefined },
): Promise<PastAnswers> {
  if (!baseline || !(baseline.windows ?? baseline.scores ?? baseline.losses)) return NO_PAST
  const reference = { name: baseline.name, windows: baseline.windows?.windows ?? [] }
  return queries.past({ modelId, window, reference, evaluated: earlierWindows })
}

/**
 * What labels still to come did to earlier windows at the age of this one, by cohort; undefined
 * where it has all its labels.
 */
export async function readEarlyLabels(
  queries: Pick<DriftQueries, 'earlyLabels'>,
  { modelId, due, earlierWindows, cohorts }: Before & { due: Due; cohorts: readonly Cohort[] },
): Promise<ReadonlyMap<string, EarlyLabels> | undefined> {
  const { maturity } = due
  if (maturity === 1) return undefined
  const windows = windowsBefore(earlierWindows, due)
  return queries.earlyLabels({ modelId, maturity, windows, cohorts })
}

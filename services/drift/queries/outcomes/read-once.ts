/**
 * Truth of what is evaluated together, read when the first of it is asked for: of a slice for all
 * values at once, and of the window that is evaluated for all versions and variants at once.
 */
import type { Model } from '../../../../lib/models/model-files.ts'
import type { Window } from '../../../../lib/models/windows.ts'
import type { DriftQueries } from '../drift-queries.ts'
import { keyOf, type Cohort } from '../../data/cohort.ts'
import { noOutcomes, type OutcomeCounts } from '../../data/window-data.ts'

/** Reads the ground truth of a cohort in some spans, once for each window that is evaluated. */
export type TruthReader = (
  spans: readonly Window[],
  c: Cohort,
  of: { predictions: number; completeUntil: number },
) => Promise<OutcomeCounts>

/**
 * Makes a reader that keeps what it has read: it is made anew for every window that is evaluated.
 *
 * @param cohorts those that will be asked for, of a window or of what it is compared with
 * @param window the one that is evaluated; without one versions and variants are read one by one
 */
export function truthReader(
  queries: Pick<DriftQueries, 'outcomes' | 'outcomesOfEach' | 'sliceOutcomes'>,
  model: Model,
  cohorts: readonly Cohort[],
  window?: Window,
): TruthReader {
  const read = new Map<string, ReturnType<DriftQueries['sliceOutcomes']>>()
  const unsliced = cohorts.filter((c) => !c.slice)
  const isOfWindow = (spans: readonly Window[]) =>
    spans.length === 1 && spans[0]!.start === window?.start && spans[0]!.end === window.end

  async function ofEach(
    spans: readonly Window[],
    c: Cohort,
    { predictions, completeUntil }: { predictions: number; completeUntil: number },
  ) {
    const together = JSON.stringify([spans, completeUntil])
    let each = read.get(together)
    if (!each) {
      each = queries.outcomesOfEach(model, spans, unsliced, completeUntil)
      read.set(together, each)
    }
    const own = (await each).get(keyOf(c))
    return own ? { ...own, predictions } : noOutcomes(predictions)
  }

  return async (spans, c, { predictions, completeUntil }) => {
    const { slice, ...rest } = c
    if (!slice)
      return unsliced.length > 1 && isOfWindow(spans)
        ? ofEach(spans, c, { predictions, completeUntil })
        : queries.outcomes(model, spans, c, { predictions, completeUntil })
    const { key } = slice
    const together = JSON.stringify([spans, keyOf(rest), key, completeUntil])
    let ofValues = read.get(together)
    if (!ofValues) {
      const slices = cohorts.flatMap((one) => (one.slice?.key === key ? [one.slice] : []))
      ofValues = queries.sliceOutcomes(model, spans, rest, { slices, completeUntil })
      read.set(together, ofValues)
    }
    const own = (await ofValues).get(slice.value)
    return own ? { ...own, predictions } : noOutcomes(predictions)
  }
}

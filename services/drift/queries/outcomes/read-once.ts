/**
 * Truth of what is judged together, read when the first of it is asked for: of a slice for all values at once, and of the window
 * that is judged for all versions and variants at once.
 */
import type { Model } from '../../../../lib/models/model-files.ts'
import type { Window } from '../../../../lib/models/windows.ts'
import type { DriftQueries } from '../drift-queries.ts'
import { keyOf, type Combination } from '../../data/cohort.ts'
import { noOutcomes, type OutcomeCounts } from '../../data/window-data.ts'

export type TruthReader = (
  spans: readonly Window[],
  c: Combination,
  of: { predictions: number; passedUntil: number },
) => Promise<OutcomeCounts>

/**
 * To be made anew for every window that is judged: what was read stays as it was.
 *
 * @param combinations those that will be asked for, of a window or of what it is compared with
 * @param window the one that is judged; without one versions and variants are read one by one
 */
export function truthReader(
  queries: Pick<DriftQueries, 'outcomes' | 'outcomesOfEach' | 'sliceOutcomes'>,
  model: Model,
  combinations: readonly Combination[],
  window?: Window,
): TruthReader {
  const read = new Map<string, ReturnType<DriftQueries['sliceOutcomes']>>()
  const unsliced = combinations.filter((c) => !c.slice)
  const isOfWindow = (spans: readonly Window[]) =>
    spans.length === 1 && spans[0]!.start === window?.start && spans[0]!.end === window.end

  async function ofEach(
    spans: readonly Window[],
    c: Combination,
    { predictions, passedUntil }: { predictions: number; passedUntil: number },
  ) {
    const together = JSON.stringify([spans, passedUntil])
    let each = read.get(together)
    if (!each) {
      each = queries.outcomesOfEach(model, spans, unsliced, passedUntil)
      read.set(together, each)
    }
    const own = (await each).get(keyOf(c))
    return own ? { ...own, predictions } : noOutcomes(predictions)
  }

  return async (spans, c, { predictions, passedUntil }) => {
    const { slice, ...rest } = c
    if (!slice)
      return unsliced.length > 1 && isOfWindow(spans)
        ? ofEach(spans, c, { predictions, passedUntil })
        : queries.outcomes(model, spans, c, { predictions, passedUntil })
    const { key } = slice
    const together = JSON.stringify([spans, keyOf(rest), key, passedUntil])
    let ofValues = read.get(together)
    if (!ofValues) {
      const values = combinations.flatMap((one) =>
        one.slice?.key === key ? [one.slice.value] : [],
      )
      ofValues = queries.sliceOutcomes(model, spans, rest, { key, values, passedUntil })
      read.set(together, ofValues)
    }
    const own = (await ofValues).get(slice.value)
    return own ? { ...own, predictions } : noOutcomes(predictions)
  }
}

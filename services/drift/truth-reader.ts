/** Truth of what is judged together: of a slice it is read for all values at once, when the first of them is asked for. */
import type { Model } from '../../lib/models.ts'
import type { Window } from '../../lib/windows.ts'
import type { DriftQueries } from './queries.ts'
import { keyOf, type Combination } from './scope.ts'
import { noOutcomes, type OutcomeCounts } from './window-data.ts'

export type TruthReader = (
  spans: readonly Window[],
  c: Combination,
  of: { predictions: number; passedUntil: number },
) => Promise<OutcomeCounts>

/**
 * To be made anew for every window that is judged: what was read stays as it was.
 *
 * @param combinations those that will be asked for, of a window or of what it is compared with
 */
export function truthReader(
  queries: Pick<DriftQueries, 'outcomes' | 'sliceOutcomes'>,
  model: Model,
  combinations: readonly Combination[],
): TruthReader {
  const read = new Map<string, ReturnType<DriftQueries['sliceOutcomes']>>()

  return async (spans, c, { predictions, passedUntil }) => {
    const { slice, ...rest } = c
    if (!slice) return queries.outcomes(model, spans, c, { predictions, passedUntil })
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

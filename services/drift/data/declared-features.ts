/**
 * What a model file says of its features: codes that are numbers on the wire, such as a shop or a
 * postal code, are categories all the same, and text in a numeric feature is a fault of the data.
 * Pure.
 */
import type { CategoryCounts } from '../../../lib/sink/counts/category-counts.ts'
import { canonical } from '../../../lib/events/fields.ts'
import { declaredCodes, type Model } from '../../../lib/models/model-files.ts'
import type { BinnedSample } from '../../../lib/stats/samples/binned-sample.ts'
import { featureSubject } from '../../../lib/events/subjects.ts'
import type { WindowCounts } from './window-data.ts'

/** What the values of a subject are. */
export type Kind = 'numeric' | 'categorical'

/** What subjects are by the model file; those it does not name are what their values are. */
export function declaredKinds({ features }: Pick<Model, 'features'>): ReadonlyMap<string, Kind> {
  const kinds = new Map<string, Kind>()
  for (const [name, kind] of Object.entries(features))
    if (kind === 'numeric') kinds.set(featureSubject(name), 'numeric')
  for (const subject of declaredCodes(features)) kinds.set(subject, 'categorical')
  return kinds
}

/**
 * Counts with the numbers of declared categories as categories. Ingest counts them so from the
 * first event on that comes under the declaration; what came before was counted in bins, which are
 * codes where each holds one value. A feature with bins of which that is not known keeps its
 * numbers, and nothing is said of its drift.
 */
export function asDeclared(
  counts: WindowCounts,
  { features }: Pick<Model, 'features'>,
): WindowCounts {
  const codes = declaredCodes(features)
  const found = [...codes].flatMap((subject) => {
    const sample = counts.numeric.get(subject)
    const own = sample && codesOf(sample)
    return own ? [{ subject, own }] : []
  })
  if (found.length === 0) return counts
  const numeric = new Map(counts.numeric)
  const categories = new Map(counts.categories)
  for (const { subject, own } of found) {
    const texts = counts.categories.get(subject)
    // A sketch of very many categories takes no more of them.
    if (texts?.cut) continue
    numeric.delete(subject)
    categories.set(subject, merged(own, texts))
  }
  return { ...counts, numeric, categories }
}

/** Values by code; undefined where a bin holds values that are not known one by one. */
function codesOf({ counts, totals, lows, highs }: BinnedSample): Map<string, number> | undefined {
  const found = new Map<string, number>()
  const add = (value: number, n: number) => {
    const code = canonical(value)
    found.set(code, (found.get(code) ?? 0) + n)
  }
  for (const [i, n] of counts.entries()) {
    const [low, high] = [lows[i]!, highs[i]!]
    if (low === high) add(low, n)
    else if (n === 2 || (n === 3 && Number.isSafeInteger(totals[i]))) {
      add(low, 1)
      add(high, 1)
      if (n === 3) add(totals[i]! - low - high, 1)
    } else return undefined
  }
  return found
}

function merged(own: Map<string, number>, texts: CategoryCounts | undefined): CategoryCounts {
  for (const [category, n] of texts ?? []) own.set(category, (own.get(category) ?? 0) + n)
  return own
}

/** Keeps references that were read while there is room for them. */
import type { ReferenceData } from '../../data/reference.ts'

/**
 * Bins and categories of the references that are kept, some 50 bytes each; those that were not
 * asked for longest give way.
 */
const MAX_KEPT = 150_000
/** What a reference takes beside them: its windows, truth and rows. */
const OWN_SIZE = 400
/** References that were read, by what they were read from. */
export interface ReferenceCache {
  /** Makes it the one that was asked for last. */
  get: (key: string) => ReferenceData | undefined
  keep: (key: string, data: ReferenceData) => void
}

/** One for all evaluators of a process: a model is evaluated now by one of them, now by another. */
export function createReferenceCache(): ReferenceCache {
  const cache = new Map<string, ReferenceData>()
  let kept = 0
  return {
    get: (key) => {
      const data = cache.get(key)
      if (data) {
        cache.delete(key)
        cache.set(key, data)
      }
      return data
    },
    keep: (key, data) => {
      const before = cache.get(key)
      kept += sizeOf(data) - (before ? sizeOf(before) : 0)
      cache.set(key, data)
      for (const [oldest, other] of cache) {
        if (kept <= MAX_KEPT || oldest === key) break
        cache.delete(oldest)
        kept -= sizeOf(other)
      }
    },
  }
}

function sizeOf({ counts }: ReferenceData): number {
  let size = OWN_SIZE
  for (const { bins } of counts.numeric.values()) size += bins.length
  for (const categories of counts.categories.values()) size += categories.size
  return size
}

/**
 * The evaluated windows of a model in the order of their ends: each one that is evaluated is put
 * where it belongs.
 */
import type { PastWindow } from './learning.ts'

/** The evaluated windows of a model, kept in order. */
export interface PastWindows {
  /** Ascending by end; the same array at every look. */
  all: readonly PastWindow[]
  /** Puts a window in place of the one of the same span, if there is one. */
  put: (window: PastWindow) => void
}

/** @param windows in any order, no two of one span */
export function pastWindows(windows: readonly PastWindow[]): PastWindows {
  const all = windows.toSorted(byEnd)
  return {
    all,
    put: (window) => {
      let [low, high] = [0, all.length]
      while (low < high) {
        const middle = (low + high) >> 1
        if (byEnd(all[middle]!, window) < 0) low = middle + 1
        else high = middle
      }
      const isKnown = low < all.length && byEnd(all[low]!, window) === 0
      all.splice(low, isKnown ? 1 : 0, window)
    },
  }
}

const byEnd = (a: PastWindow, b: PastWindow) => a.end - b.end || a.start - b.start

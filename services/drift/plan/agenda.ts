/**
 * Models to look at, each from a time on. Pure: a heap by time, so that many that wait cost nothing
 * to those that are due.
 */

/** Models that wait for their next pass, each once; times are epoch milliseconds. */
export interface Agenda {
  /**
   * Looks at a model from `at` on, or from when it was to be looked at already, whichever is
   * sooner.
   */
  want: (modelId: string, at: number) => void
  /** Takes a model that is due, the one that has been for longest; undefined where none is. */
  take: (now: number) => string | undefined
  /** When the next model is due, epoch milliseconds; Infinity where none waits. */
  next: () => number
  /** Models that wait. */
  size: () => number
}

interface Entry {
  modelId: string
  at: number
  /** Order of coming, which decides between two that are due at one time. */
  order: number
}

/**
 * More entries than this for each model that waits are old ones of models that came sooner: they
 * are swept out.
 */
const MAX_STALE = 4

/** An agenda on which no model waits. */
export function createAgenda(): Agenda {
  const wanted = new Map<string, Entry>()
  let heap: Entry[] = []
  let order = 0
  const isCurrent = (entry: Entry) => wanted.get(entry.modelId) === entry
  const dropStale = () => {
    while (heap.length > 0 && !isCurrent(heap[0]!)) pop(heap)
  }
  return {
    want: (modelId, at) => {
      const known = wanted.get(modelId)
      if (known && known.at <= at) return
      const entry = { modelId, at, order: order++ }
      wanted.set(modelId, entry)
      push(heap, entry)
      if (heap.length > 1000 && heap.length > MAX_STALE * wanted.size)
        heap = [...wanted.values()].toSorted(before)
    },
    take: (now) => {
      dropStale()
      const first = heap[0]
      if (!first || first.at > now) return undefined
      pop(heap)
      wanted.delete(first.modelId)
      return first.modelId
    },
    next: () => {
      dropStale()
      return heap[0]?.at ?? Infinity
    },
    size: () => wanted.size,
  }
}

const before = (a: Entry, b: Entry) => a.at - b.at || a.order - b.order

function push(heap: Entry[], entry: Entry) {
  heap.push(entry)
  for (let child = heap.length - 1; child > 0;) {
    const parent = (child - 1) >> 1
    if (before(heap[parent]!, heap[child]!) <= 0) break
    swap(heap, parent, child)
    child = parent
  }
}

function pop(heap: Entry[]) {
  const last = heap.pop()
  if (!last || heap.length === 0) return
  heap[0] = last
  for (let parent = 0; ;) {
    let least = parent
    for (const child of [2 * parent + 1, 2 * parent + 2])
      if (child < heap.length && before(heap[child]!, heap[least]!) < 0) least = child
    if (least === parent) break
    swap(heap, parent, least)
    parent = least
  }
}

function swap(heap: Entry[], a: number, b: number) {
  ;[heap[a], heap[b]] = [heap[b]!, heap[a]!]
}

/** Gathers what comes while a send is under way into the next one: a log acknowledges a thousand messages as fast as one. */

interface Waiting<T> {
  items: readonly T[]
  resolve: () => void
  reject: (error: unknown) => void
}

/**
 * @param send takes at most `most` items, except where one append alone has more
 * @returns an append that resolves when its items were sent; sends follow one another, so order is kept
 */
export function coalesced<T>(
  send: (items: readonly T[]) => Promise<void>,
  most: number,
): (items: readonly T[]) => Promise<void> {
  let queue: Waiting<T>[] = []
  let sending = false

  async function pump() {
    sending = true
    while (queue.length > 0) {
      let count = 0
      let taken = 0
      while (taken < queue.length && (taken === 0 || count + queue[taken]!.items.length <= most))
        count += queue[taken++]!.items.length
      const batch = queue.slice(0, taken)
      queue = queue.slice(taken)
      try {
        await send(batch.flatMap((waiting) => waiting.items))
        for (const waiting of batch) waiting.resolve()
      } catch (error) {
        for (const waiting of batch) waiting.reject(error)
      }
    }
    sending = false
  }

  return (items) =>
    new Promise((resolve, reject) => {
      queue.push({ items, resolve, reject })
      if (!sending) void pump()
    })
}

/**
 * Gathers what comes while a send is under way into the next one: a log acknowledges a thousand
 * messages as fast as one.
 */

interface Waiting<T> {
  items: readonly T[]
  weight: number
  resolve: () => void
  reject: (error: unknown) => void
}

/**
 * Makes an append that sends what has gathered while the send before it was under way.
 *
 * @param send takes items of together at most `most`, except where one alone weighs more
 * @returns an append that resolves when all its items were sent; sends follow one another, so order
 *   is kept
 */
export function sendBatcher<T>(
  send: (items: readonly T[]) => Promise<void>,
  weightOf: (item: T) => number,
  most: number,
): (items: readonly T[]) => Promise<void> {
  let queue: Waiting<T>[] = []
  let sending = false

  async function pump() {
    sending = true
    while (queue.length > 0) {
      let weight = 0
      let taken = 0
      while (taken < queue.length && (taken === 0 || weight + queue[taken]!.weight <= most))
        weight += queue[taken++]!.weight
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

  const enqueue = (items: readonly T[], weight: number) =>
    new Promise<void>((resolve, reject) => {
      queue.push({ items, weight, resolve, reject })
      if (!sending) void pump()
    })

  return async (items) => {
    const pieces: Promise<void>[] = []
    let from = 0
    let weight = 0
    items.forEach((item, i) => {
      const more = weightOf(item)
      if (i > from && weight + more > most) {
        pieces.push(enqueue(items.slice(from, i), weight))
        from = i
        weight = 0
      }
      weight += more
    })
    pieces.push(enqueue(items.slice(from), weight))
    const results = await Promise.allSettled(pieces)
    const failed = results.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
  }
}

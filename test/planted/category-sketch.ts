/** What is kept of categories, made without ClickHouse: as its query keeps them. */
import {
  CATEGORY_GROUPS,
  categoryHash,
  MAX_FREQUENT,
  MAX_NAMED,
  withCut,
  type CategoryCounts,
} from '../../lib/sink/counts/category-counts.ts'

export function keptCategories(counts: ReadonlyMap<string, number>): CategoryCounts {
  if (counts.size <= MAX_NAMED) return counts
  const hashed = [...counts]
    .map(([name, n]) => ({ name, n, hash: categoryHash(name) }))
    .toSorted((a, b) => a.hash - b.hash)
  const least = hashed.slice(0, MAX_NAMED)
  const frequent = hashed
    .toSorted((a, b) => b.n - a.n || (a.name < b.name ? -1 : 1))
    .slice(0, MAX_FREQUENT)
  const groups = Array.from({ length: CATEGORY_GROUPS }, () => 0)
  for (const { n, hash } of hashed) groups[hash % CATEGORY_GROUPS]! += n
  return withCut(new Map([...least, ...frequent].map(({ name, n }) => [name, n])), {
    distinct: counts.size,
    keptBelow: least.at(-1)!.hash - 1,
    groups,
    most: frequent.at(-1)!.n,
  })
}

/** Numbers in [0, 1), the same for the same seed. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let x = Math.imul(state ^ (state >>> 15), state | 1)
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
}

/** @param pick a user, of a number in [0, 1) */
export function drawnUsers(
  n: number,
  random: () => number,
  pick: (u: number) => number,
): Map<string, number> {
  const counts = new Map<string, number>()
  for (let i = 0; i < n; i++) {
    const name = `u${pick(random())}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}

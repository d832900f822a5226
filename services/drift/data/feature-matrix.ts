/** Features of predictions as rows of numbers, for what learns from them. Pure. */

/** The features of one prediction. */
export type Features = Readonly<Record<string, unknown>>

/** Turns features into rows of numbers, one column for each name. */
export interface FeatureMatrix {
  names: readonly string[]
  /**
   * Numbers as they are; texts by how frequent they are, the most frequent first; what is missing,
   * or is new, NaN.
   */
  rowOf: (features: Features) => Float64Array
}

/** Every feature that any of the rows has, sorted. */
export const featureNames = (rows: readonly Features[]): string[] =>
  [...new Set(rows.flatMap(Object.keys))].toSorted()

/** @param known rows that tell which features there are, and how frequent their texts */
export function featureMatrix(known: readonly Features[]): FeatureMatrix {
  const names = featureNames(known)
  const places = names.map((name) => indexesOf(name, known))
  return {
    names,
    rowOf: (features) =>
      Float64Array.from(names, (name, column) => {
        const value = features[name]
        if (typeof value === 'number') return value
        if (typeof value === 'boolean') return value ? 1 : 0
        return typeof value === 'string' ? (places[column]!.get(value) ?? NaN) : NaN
      }),
  }
}

function indexesOf(name: string, known: readonly Features[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const row of known) {
    const value = row[name]
    if (typeof value === 'string') counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  return new Map(
    [...counts]
      .toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
      .map(([text], i) => [text, i]),
  )
}

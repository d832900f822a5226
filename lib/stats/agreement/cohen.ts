/** How far beyond chance two raters agree. */

/** How far apart two categories are: alike or not, by the distance of their places, or its square. */
export type KappaWeights = 'none' | 'linear' | 'quadratic'

/** A coefficient of agreement; 1 is complete, 0 what chance gives. */
export interface Agreement {
  value: number
  /** Standard error of the value as it is estimated; ≥ 0. */
  standardError: number
}

/**
 * Cohen's kappa, 1 − Σ w p / Σ w r c, of a table of how often one rater said `i` and the other `j`; p
 * are its shares, r and c those of rows and columns, w how far apart categories are.
 *
 * @param table k rows of k counts ≥ 0, categories in their order
 * @returns null where there is no count, or where both always say one and the same thing: chance
 *   explains all
 * @see Cohen (1968), Psychological Bulletin 70, 213–220; Fleiss, Cohen & Everitt (1969), ibid. 72,
 *   323–327
 * @example cohensKappa([[20, 5], [10, 15]]) // => { value: 0.4, standardError: 0.1269960629 }
 */
export function cohensKappa(
  table: readonly (readonly number[])[],
  weights: KappaWeights = 'none',
): Agreement | null {
  const k = table.length
  const n = table.reduce((sum, row) => sum + row.reduce((a, b) => a + b, 0), 0)
  if (n === 0) return null
  const rows = table.map((row) => row.reduce((a, b) => a + b, 0) / n)
  const columns = rows.map((_, j) => table.reduce((sum, row) => sum + row[j]!, 0) / n)
  const likeness = (i: number, j: number) =>
    1 - distance(i, j, weights) / distance(0, k - 1, weights)
  const cells = rows.flatMap((row, i) =>
    columns.map((column, j) => ({
      i,
      j,
      share: table[i]![j]! / n,
      chance: row * column,
      v: k === 1 ? 1 : likeness(i, j),
    })),
  )
  const observed = cells.reduce((sum, { share, v }) => sum + share * v, 0)
  const expected = cells.reduce((sum, { chance, v }) => sum + chance * v, 0)
  if (1 - expected < 1e-12) return null
  const value = (observed - expected) / (1 - expected)
  const ofRow = rows.map(() => 0)
  const ofColumn = rows.map(() => 0)
  for (const { i, j, v } of cells) {
    ofRow[i]! += v * columns[j]!
    ofColumn[j]! += v * rows[i]!
  }
  const spread = cells.reduce(
    (sum, { i, j, share, v }) => sum + share * (v - (ofRow[i]! + ofColumn[j]!) * (1 - value)) ** 2,
    0,
  )
  const variance = (spread - (value - expected * (1 - value)) ** 2) / (n * (1 - expected) ** 2)
  return { value, standardError: Math.sqrt(Math.max(0, variance)) }
}

function distance(i: number, j: number, weights: KappaWeights): number {
  if (weights === 'none') return i === j ? 0 : 1
  return weights === 'linear' ? Math.abs(i - j) : (i - j) ** 2
}

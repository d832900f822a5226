/** An arm of a comparison as a store counts it. */
import type { Arm } from './compare-arms.ts'

/** A row of one arm; its number of units is a text of digits, as 64-bit integers come. */
export interface StoredArm extends Record<
  'correct' | 'errors' | 'worth' | 'failed' | 'latencies' | 'firstTokens' | 'costs',
  number[]
> {
  units: string
}

/** The arm of a row; an empty one where there is no row. */
export const armOf = (row: StoredArm | undefined): Arm => ({
  units: Number(row?.units ?? 0),
  correct: row?.correct ?? [],
  absoluteErrors: row?.errors ?? [],
  worth: row?.worth ?? [],
  failed: row?.failed ?? [],
  latencies: row?.latencies ?? [],
  firstTokens: row?.firstTokens ?? [],
  costs: row?.costs ?? [],
})

/**
 * How bins rest in `numeric_counts`: their resolution as `grid`, and their keys, of which few need
 * more than 32 bits, as `bin` and `bin_high`. Pure.
 */
import { mantissaBits } from '../../stats/samples/binned-sample.ts'

/** What `grid` is above the resolution, for keys of 64-bit floats. */
const GRID_BASE = 16
/** Keys of this resolution and of coarser ones have 32 bits with their sign. */
const WHOLE_KEYS = 4
const LOW_BITS = 24
const LOW_KEYS = 2 ** LOW_BITS
/** How far exponents of 32-bit floats are from those of 64-bit floats. */
const EXPONENT_SHIFT = 1023 - 127

/** The `grid` of a resolution. */
export const gridOf = (resolution: number): number => GRID_BASE + resolution

/** `bin` of keys, of their signs. */
export const lowKeys = (keys: Float64Array, resolution: number): Float64Array =>
  resolution <= WHOLE_KEYS ? keys : keys.map((key) => key % LOW_KEYS)

/** `bin_high` of keys, what {@link lowKeys} leaves; undefined where that is 0 for all. */
export const highKeys = (keys: Float64Array, resolution: number): Float64Array | undefined =>
  resolution <= WHOLE_KEYS ? undefined : keys.map((key) => Math.trunc(key / LOW_KEYS))

/** SQL of the key of a row, a Float64 that holds it exactly. */
export const STORED_KEY = `toFloat64(bin_high) * ${LOW_KEYS} + bin`

/** SQL of `bin` and `bin_high` of a key. @param grid SQL of the grid, such as {@link gridOf} */
export const splitKey = (key: string, grid: string): [bin: string, high: string] => {
  const isWhole = `${grid} <= ${gridOf(WHOLE_KEYS)}`
  return [
    `toInt32(if(${isWhole}, ${key}, sign(${key}) * (abs(${key}) % ${LOW_KEYS})))`,
    `toInt32(if(${isWhole}, 0, sign(${key}) * intDiv(abs(${key}), ${LOW_KEYS})))`,
  ]
}

/** SQL of the key of a number. @param grid SQL of the grid, such as {@link gridOf} */
export const keyInSql = (x: string, grid: string): string =>
  `toInt64(bitShiftRight(bitAnd(reinterpretAsUInt64(${x}), 9223372036854775807), 52 - least(42, 4 * (${grid} - ${GRID_BASE}) + 3))) * if(${x} < 0, -1, 1)`

/**
 * The resolution and keys of rows of one grid. Grids below 16 are from before keys were those of
 * 64-bit floats, and are read as if they had been counted today.
 */
export function storedBins(
  grid: number,
  keys: readonly number[],
): { resolution: number; bins: readonly number[] } {
  if (grid >= GRID_BASE) return { resolution: grid - GRID_BASE, bins: keys }
  const octave = 2 ** mantissaBits(grid)
  const shift = EXPONENT_SHIFT * octave
  return {
    resolution: grid,
    bins: keys.map((key) => (Math.abs(key) < octave ? 0 : key < 0 ? key - shift : key + shift)),
  }
}

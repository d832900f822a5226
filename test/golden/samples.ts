/** Samples of plain numbers as binned samples. */
import type { BinnedSample } from '../../lib/stats/binned-sample.ts'

/** Every distinct value is a bin of its own. */
export const atoms = (values: readonly number[]) => binned(values, (value) => value)

/** The grid of ClickHouse's `numeric_counts`, by the same bits. */
export const gridded = (values: readonly number[]) => binned(values, gridBin)

export function gridBin(value: number): number {
  const bits = new DataView(new ArrayBuffer(4))
  bits.setFloat32(0, value)
  return ((bits.getUint32(0) & 0x7fffffff) >>> 13) * (value < 0 ? -1 : 1)
}

function binned(values: readonly number[], binOf: (value: number) => number): BinnedSample {
  const groups = [...Map.groupBy(values, (value) => binOf(value) + 0)].toSorted(([a], [b]) => a - b)
  return {
    bins: groups.map(([bin]) => bin),
    counts: groups.map(([, all]) => all.length),
    totals: groups.map(([, all]) => all.reduce((sum, x) => sum + x, 0)),
    lows: groups.map(([, all]) => Math.min(...all)),
    highs: groups.map(([, all]) => Math.max(...all)),
  }
}

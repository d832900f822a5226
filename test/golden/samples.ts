/** Samples of plain numbers as binned samples. */
import { binOf } from '../../lib/sink/counts/log-histogram.ts'
import type { BinnedSample } from '../../lib/stats/samples/binned-sample.ts'

/** Every distinct value is a bin of its own. */
export const atoms = (values: readonly number[]) => binned(values, (value) => value)

/** The grid of `numeric_counts`. */
export const gridded = (values: readonly number[]) => binned(values, (value) => binOf(value, 1))

function binned(values: readonly number[], indexOf: (value: number) => number): BinnedSample {
  const groups = [...Map.groupBy(values, (value) => indexOf(value) + 0)].toSorted(
    ([a], [b]) => a - b,
  )
  return {
    bins: groups.map(([bin]) => bin),
    counts: groups.map(([, all]) => all.length),
    totals: groups.map(([, all]) => all.reduce((sum, x) => sum + x, 0)),
    lows: groups.map(([, all]) => Math.min(...all)),
    highs: groups.map(([, all]) => Math.max(...all)),
  }
}

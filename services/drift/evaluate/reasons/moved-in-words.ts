/** What moved in a numeric subject, as a person would say it. Pure. */
import type { BinnedSample } from '../../../../lib/stats/samples/binned-sample.ts'
import type { Shape } from '../../../../lib/stats/samples/normal-scores.ts'
import { quantile } from '../../../../lib/stats/samples/quantile.ts'
import type { Moved } from '../../../../lib/stats/window-tests/shift-test.ts'

/** A location says by which factor it moved where that is this far from 1, or farther. */
const TOLD_FACTOR = 3

/**
 * The component that moved most, in a sentence. Scores of ranks know no distance beyond the
 * reference, so that a thousandfold rise is told by the values themselves.
 *
 * @param shape the contrast of the window with the reference
 * @param samples both not empty
 */
export function describeMove(
  moved: Moved,
  { location, logScale, skew }: Shape,
  samples: { reference: BinnedSample; current: BinnedSample },
): string {
  const [before, now] = [samples.reference, samples.current].map(quartiles) as [
    Quartiles,
    Quartiles,
  ]
  switch (moved) {
    case 'location':
      return `values lie ${Math.abs(location).toFixed(2)} standard deviations ${location < 0 ? 'lower' : 'higher'}${factorOf(now.median, before.median)}`
    case 'scale': {
      const [wide, was] = [now.high - now.low, before.high - before.low]
      return was > 0 && wide > 0
        ? `values spread ${factor(wide / was)} as wide: the middle half spans ${short(wide)} after ${short(was)}`
        : `values spread ${factor(Math.exp(logScale))} as wide`
    }
    case 'skew':
      return `values lean further to the ${skew < 0 ? 'low' : 'high'} side`
    case 'distribution':
      return 'the distribution as a whole differs'
  }
}

interface Quartiles {
  low: number
  median: number
  high: number
}

const quartiles = (sample: BinnedSample): Quartiles => {
  const [low, median, high] = [0.25, 0.5, 0.75].map((p) => quantile(sample, p)?.value ?? NaN)
  return { low: low!, median: median!, high: high! }
}

/** Factor by which a median moved; '' where it moved less than {@link TOLD_FACTOR}. */
function factorOf(now: number, before: number): string {
  const by = now / before
  if (!Number.isFinite(by) || by <= 0) return ''
  if (by < TOLD_FACTOR && by > 1 / TOLD_FACTOR) return ''
  return `: the median is ${short(now)} after ${short(before)} (× ${times(by)})`
}

/** A factor as it is said; small ones as a part. */
const factor = (by: number) => (by >= 0.1 ? `${times(by)} times` : `1/${times(1 / by)}`)
const short = (x: number) => String(Number(x.toPrecision(4)))
const times = (by: number) => String(Number(by.toPrecision(by < 1 ? 2 : 3)))

/** What moved most of a feature, in words. Pure. */
import type { Shape } from '../../../../lib/stats/samples/normal-scores.ts'
import type { Moved } from '../../../../lib/stats/window-tests/shift-test.ts'

/** Such as `location +0.52 standard deviations`; the shape is beside that of the reference. */
export function movedInWords(moved: Moved, { location, logScale, skew }: Shape): string {
  const signed = (value: number, digits: number) =>
    `${value < 0 ? '' : '+'}${value.toFixed(digits)}`
  switch (moved) {
    case 'location':
      return `location ${signed(location, 2)} standard deviations`
    case 'scale':
      return `spread × ${Math.exp(logScale).toFixed(2)}`
    case 'skew':
      return `skewness ${signed(skew, 2)} (asinh)`
    case 'distribution':
      return 'the distribution as a whole'
  }
}

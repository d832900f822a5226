/** How much shares differ from window to window, on the scale of their angles. */
import { effectiveFeatures, windowNoise, type Season, type WindowNoise } from './window-noise.ts'

/** A share of each window: how many values, of how many. */
export type ShareSeries = readonly { count: number; size: number }[]

/**
 * The angle of a share, whose variance is 1 / n whatever the share.
 *
 * @example arcsine(50, 100) // => 1.5707963268
 * @public
 */
export const arcsine = (count: number, size: number): number =>
  2 * Math.asin(Math.sqrt(Math.min(1, (count + 3 / 8) / (size + 3 / 4))))

/** The windows of a series as one. */
export const together = (windows: ShareSeries): { count: number; size: number } => ({
  count: windows.reduce((sum, w) => sum + w.count, 0),
  size: windows.reduce((sum, w) => sum + w.size, 0),
})

/**
 * The noise of shares between windows: each window against the others, or with a season, whose
 * phases are compared by themselves, against all.
 *
 * @param series F ≥ 1 shares over the same R ≥ 8 windows
 */
export function shareNoise(series: readonly ShareSeries[], season?: Season): WindowNoise {
  const contrasts = series.map((windows) => {
    const { count, size } = together(windows)
    return {
      contrasts: windows.map((w) =>
        season
          ? arcsine(w.count, w.size) - arcsine(count, size)
          : arcsine(w.count, w.size) - arcsine(count - w.count, size - w.size),
      ),
      sizes: windows.map((w) => w.size),
    }
  })
  const features = effectiveFeatures(contrasts, season)
  return windowNoise(contrasts, { floor: (n) => 1 / n, season, features })
}

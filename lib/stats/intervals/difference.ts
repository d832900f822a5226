/** A number with its interval, `low` ≤ `value` ≤ `high`. */
export interface Estimate {
  value: number
  low: number
  high: number
}

/**
 * Interval of the difference of two independent numbers, `a − b`, from the interval of each (MOVER):
 * the distance of either end is that of the two ends which lead there, added as squares. Intervals
 * that are not symmetric stay so; of Wilson's it is Newcombe's.
 *
 * @param a with an interval of the level that the difference is to have
 * @param b the same
 * @returns an interval of about that level
 * @see Zou & Donner (2008), Statist. Med. 27, 1693–1702
 * @example differenceInterval({ value: 5, low: 3, high: 6 }, { value: 1, low: -3, high: 4 }) // => { low: 0.3944487245, high: 8.1231056256 }
 */
export function differenceInterval(a: Estimate, b: Estimate): Omit<Estimate, 'value'> {
  const difference = a.value - b.value
  return {
    low: difference - Math.hypot(a.value - a.low, b.high - b.value),
    high: difference + Math.hypot(a.high - a.value, b.value - b.low),
  }
}

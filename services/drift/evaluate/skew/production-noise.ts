/** How much the windows of production vary, once the baseline tells it. Pure. */
import {
  INDEPENDENT,
  numericDesignEffects,
  shareDesignEffects,
  type DesignEffect,
} from '../../../../lib/stats/window-tests/skew-test.ts'
import type { ReferenceWindows } from '../../data/reference.ts'

/** Design effects of the subjects of production; of independent rows where nothing is known. */
export interface NoiseOfProduction {
  ofNumber: (subject: string) => DesignEffect
  ofCategories: (subject: string) => DesignEffect
  ofMissing: (subject: string) => DesignEffect
}

/** Made once for each reading of a baseline: every window asks for the same. */
const known = new WeakMap<ReferenceWindows, NoiseOfProduction>()

/** @param windows of the baseline; undefined while it is learned */
export function noiseOfProduction(windows: ReferenceWindows | undefined): NoiseOfProduction {
  if (!windows) return { ofNumber: none, ofCategories: none, ofMissing: none }
  const before = known.get(windows)
  if (before) return before
  const found = noiseOf(windows)
  known.set(windows, found)
  return found
}

const none = () => INDEPENDENT

function noiseOf({ numeric, categories, missing, events, season }: ReferenceWindows) {
  const numbers = numericDesignEffects([...numeric.values()], season)
  const shares = [...categories].flatMap(([name, own]) =>
    own.shares.map(({ windows }) => ({ name, windows })),
  )
  const ofShares = shareDesignEffects(
    shares.map(({ windows }) => windows),
    season,
  )
  const gaps = shareDesignEffects(
    [...missing.values()].map((counts) => counts.map((count, w) => ({ count, size: events[w]! }))),
    season,
  )
  const widest = new Map<string, DesignEffect>()
  for (const [i, { name }] of shares.entries()) {
    const own = ofShares[i]!
    const other = widest.get(name)
    if (!other || own.factor > other.factor) widest.set(name, own)
  }
  const byName = <T>(names: Iterable<string>, effects: readonly T[]) =>
    new Map([...names].map((name, i) => [name, effects[i]!]))
  const ofNumbers = byName(numeric.keys(), numbers)
  const ofGaps = byName(missing.keys(), gaps)
  return {
    ofNumber: (subject: string) => ofNumbers.get(subject) ?? INDEPENDENT,
    ofCategories: (subject: string) => widest.get(subject) ?? INDEPENDENT,
    ofMissing: (subject: string) => ofGaps.get(subject) ?? INDEPENDENT,
  }
}

/** What is wrong with the data itself, beside its reference. Pure. */
import type { ReferenceData } from '../data/reference.ts'
import type { Kind } from '../data/declared-features.ts'
import { isFeature } from '../../../lib/events/subjects.ts'
import {
  alignBins,
  atOneResolution,
  unplacedShare,
  sampleSize,
  type BinnedSample,
} from '../../../lib/stats/samples/binned-sample.ts'
import { metricResult, type MetricResult } from '../data/metric-results.ts'
import { valuesOf, type WindowCounts } from '../data/window-data.ts'

/**
 * Results about every feature of the reference or the window, without verdicts.
 *
 * @param kinds what features are by the model file
 */
export function evaluateQuality(
  current: WindowCounts,
  { counts: reference }: ReferenceData,
  kinds: ReadonlyMap<string, Kind> = new Map(),
): MetricResult[] {
  const names = [
    ...new Set([
      ...reference.numeric.keys(),
      ...reference.categories.keys(),
      ...current.numeric.keys(),
      ...current.categories.keys(),
    ]),
  ].filter(isFeature)
  return names.toSorted().flatMap((name) => {
    const a = reference.numeric.get(name)
    const b = current.numeric.get(name)
    const kind = kinds.get(name)
    return [
      ...(kind === 'categorical' ? [] : typeMismatch(name, current, reference, kind === 'numeric')),
      ...(a && b && kind !== 'categorical' ? rangeAndAtoms(name, a, b) : []),
    ]
  })
}

/**
 * Values of a kind that the reference does not have: text where numbers were, or the other way round; of a declared number all
 * text. Declared categories may be both.
 */
function typeMismatch(
  name: string,
  current: WindowCounts,
  reference: WindowCounts,
  isNumeric: boolean,
): MetricResult[] {
  const before = valuesOf(reference, name)
  const now = valuesOf(current, name)
  const n = now.numbers + now.texts
  if (n === 0 || before.numbers + before.texts === 0) return []
  const fresh = isNumeric
    ? now.texts
    : (before.numbers === 0 ? now.numbers : 0) + (before.texts === 0 ? now.texts : 0)
  return [
    metricResult('quality', name, 'type_mismatch_ratio', fresh / n, {
      n_current: n,
      n_reference: before.numbers + before.texts,
      reason:
        fresh === 0
          ? ''
          : isNumeric
            ? 'text in a feature that is declared numeric'
            : before.numbers === 0
              ? 'numbers where text was'
              : 'text where numbers were',
    }),
  ]
}

function rangeAndAtoms(name: string, a: BinnedSample, b: BinnedSample): MetricResult[] {
  const [reference, current] = atOneResolution([a, b]) as [BinnedSample, BinnedSample]
  const n = sampleSize(current)
  const sizes = { n_current: n, n_reference: sampleSize(reference) }
  const least = reference.lows[0]!
  const greatest = reference.highs.at(-1)!
  // In the bins of the extremes themselves some values may lie beyond them.
  let outside = 0
  let unsure = 0
  current.counts.forEach((count, i) => {
    const [low, high] = [current.lows[i]!, current.highs[i]!]
    if (high < least || low > greatest) outside += count
    else if (low < least || high > greatest) unsure += count - (low === high ? 0 : 1)
  })
  const bins = alignBins(reference, current)
  const atoms = bins.filter((bin) => bin.low === bin.high)
  const largest = Math.max(0, ...atoms.map((bin) => bin.current)) / n
  const risen = atoms.reduce(
    (most, bin) => {
      const rise = bin.current / n - bin.reference / sizes.n_reference
      return bin.current > 1 && rise > most.rise ? { rise, at: bin.low } : most
    },
    { rise: 0, at: NaN },
  )
  const distinct = current.bins.length
  // A bin of several values may hold one that is as frequent as all of them but one.
  const hidden = bins.reduce(
    (most, bin) => (bin.low === bin.high ? most : Math.max(most, bin.current)),
    0,
  )
  const guessed = unplacedShare([reference, current])
  const upTo = (share: number) => {
    const [low, high] = [
      Math.max(0, share - guessed),
      Math.min(1, Math.max(share, hidden / n) + guessed),
    ]
    const precision = high > low ? ('bounded' as const) : ('exact' as const)
    return { precision, bound_low: low, bound_high: high }
  }
  return [
    metricResult('quality', name, 'out_of_range_ratio', outside / n, {
      ...sizes,
      precision: unsure === 0 && guessed === 0 ? 'exact' : 'bounded',
      bound_low: Math.max(0, outside / n - guessed),
      bound_high: Math.min(1, (outside + unsure) / n + guessed),
      reason: `the reference lies between ${short(least)} and ${short(greatest)}`,
    }),
    // The share of the value that is most frequent: 1 for a constant.
    metricResult('quality', name, 'largest_atom_share', largest, {
      ...sizes,
      ...upTo(largest),
      reason: distinct === 1 && largest === 1 ? 'constant' : '',
    }),
    metricResult('quality', name, 'new_atom_share', risen.rise, {
      ...sizes,
      ...upTo(risen.rise),
      reason: risen.rise > 0 ? `the value ${short(risen.at)}` : '',
    }),
  ]
}

const short = (x: number) => String(Number(x.toPrecision(6)))

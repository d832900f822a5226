/** What is wrong with the data itself, beside its reference. Pure. */
import type { ReferenceData, ReferenceWindows } from '../../data/reference.ts'
import type { Kind } from '../../data/declared-features.ts'
import { isFeature } from '../../../../lib/events/subjects.ts'
import {
  alignBins,
  atOneResolution,
  unplacedShare,
  sampleSize,
  type BinnedSample,
} from '../../../../lib/stats/samples/binned-sample.ts'
import {
  largestRise,
  MIN_RISE_OF_BIN,
  spikeTest,
} from '../../../../lib/stats/window-tests/spike-test.ts'
import { isEvaluated, metricResult, type MetricResult } from '../../data/metric-results.ts'
import { valuesOf, type WindowCounts } from '../../data/window-data.ts'

/**
 * Results about every feature of the reference or the window, without verdicts but that of values
 * of a wrong kind.
 *
 * @param kinds what features are by the model file
 * @param minCount events of either below which there is no verdict
 */
export function evaluateQuality(
  current: WindowCounts,
  { counts: reference }: ReferenceData,
  kinds: ReadonlyMap<string, Kind> = new Map(),
  minCount = 0,
): MetricResult[] {
  const isEnough = Math.min(current.events, reference.events) >= minCount
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
      ...(kind === 'categorical'
        ? []
        : typeMismatch(name, current, reference, { isNumeric: kind === 'numeric', isEnough })),
      ...(a && b && kind !== 'categorical' ? rangeAndAtoms(name, a, b) : []),
    ]
  })
}

/** A share of values of a wrong kind from which it alarms by the fixed default; any warns. */
const MISMATCH_ALARM = 0.01

/**
 * Values of a kind that the reference does not have: text where numbers were, or the other way
 * round; of a declared number all text. Declared categories may be both.
 */
function typeMismatch(
  name: string,
  current: WindowCounts,
  reference: WindowCounts,
  { isNumeric, isEnough }: { isNumeric: boolean; isEnough: boolean },
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
      verdict: !isEnough
        ? 'none'
        : fresh >= MISMATCH_ALARM * n
          ? 'alarm'
          : fresh > 0
            ? 'warning'
            : 'ok',
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
  // Values in the bins of the extremes themselves may lie beyond them.
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
  const suspect = suspectRise(reference, current, risen.rise)
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
    metricResult('quality', name, 'new_atom_share', suspect?.rise ?? risen.rise, {
      ...sizes,
      ...upTo(risen.rise),
      reason: suspect
        ? `values between ${short(suspect.low)} and ${short(suspect.high)}`
        : risen.rise > 0
          ? `the value ${short(risen.at)}`
          : '',
    }),
  ]
}

/** p below which a bin that gained is thought to hold one new value. */
const SUSPECT_P = 1e-3

/**
 * A bin of several values that gained more than any known value did, and more than chance gives.
 */
function suspectRise(reference: BinnedSample, current: BinnedSample, known: number) {
  const found = largestRise(reference, current)
  if (!found || found.low === found.high || found.p > SUSPECT_P) return undefined
  const rise = found.current - found.reference
  return rise >= MIN_RISE_OF_BIN && rise > known
    ? { rise, low: found.low, high: found.high }
    : undefined
}

/**
 * Features in which one bin has gained so much that it may be one new value; only raw rows can
 * tell.
 */
export const suspectAtoms = (results: readonly MetricResult[]): string[] =>
  results.filter(isSuspect).map(({ subject }) => subject)

const isSuspect = ({ metric, verdict, reason }: MetricResult) =>
  metric === 'new_atom_share' && verdict !== 'ok' && reason.startsWith('values between')

/**
 * The results with those of {@link suspectAtoms} decided from raw rows. Values that only lie close
 * together are no alarm of this metric: PSI and KS see them.
 *
 * @param current counts of the window in which every value is a bin of its own
 * @param reference counts of the reference, likewise
 */
export function settledAtoms(
  results: readonly MetricResult[],
  current: WindowCounts,
  reference: WindowCounts,
): MetricResult[] {
  return results.map((result) => {
    const [a, b] = [reference.numeric.get(result.subject), current.numeric.get(result.subject)]
    if (!isSuspect(result) || !a || !b) return result
    const exact = rangeAndAtoms(result.subject, a, b).find(
      ({ metric }) => metric === 'new_atom_share',
    )!
    const { value, precision, bound_low, bound_high } = exact
    const isOne = (value ?? 0) >= MIN_RISE_OF_BIN
    const stands = isOne || !isEvaluated(result) ? {} : { verdict: 'ok' as const }
    const rest = result.reason.split('; ').slice(1)
    return {
      ...result,
      ...stands,
      value,
      precision,
      bound_low,
      bound_high,
      reason: [exact.reason, ...rest, 'settled from raw rows'].filter(Boolean).join('; '),
    }
  })
}

const short = (x: number) => String(Number(x.toPrecision(6)))

/**
 * Tests whether one value came up: of inputs alone, since scores pile up where a model wants them.
 */
export function spikeTests(
  current: WindowCounts,
  reference: ReferenceWindows,
  isNumeric: (subject: string) => boolean,
): Map<string, { p: number; reason: string }> {
  const found = new Map<string, { p: number; reason: string }>()
  for (const [name, known] of reference.numeric) {
    const sample = current.numeric.get(name)
    if (!sample || !isFeature(name) || !isNumeric(name)) continue
    const rise = spikeTest(known, sample)
    found.set(name, {
      p: rise?.p ?? 1,
      reason: rise ? `${percent(rise.current)} after ${percent(rise.reference)}` : 'no value rose',
    })
  }
  return found
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`
